"""A page that needs no server of ours: a folder with a model's graphs, ONNX Runtime and the page itself.

Any host of static files serves it; the model runs in the browser, over a file or the microphone.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import Parallel
from fastaudio._system.writing import Output, OutputError, check_folder, writing_all
from fastaudio.exporting.checking import TOLERANCE
from fastaudio.exporting.refusing import ExportError
from fastaudio.exporting.sources import licences_of
from fastaudio.exporting.writing import export
from fastaudio.pipeline import Pipeline
from fastaudio.serving import spectra

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from fastaudio._core import Node
    from fastaudio.exporting.checking import Farthest

RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""What a page takes from the folder `dist` of the npm package onnxruntime-web."""

_HERE = Path(__file__).parent
_SHARED = (
    "page.css",
    "icon.svg",
    "dropping.js",
    "lists.js",
    "kinds.js",
    "pictures.js",
    "microphone.js",
    "capture.js",
)
_OWN = ("alone.js", "tagger.js")
_MARK = "fastaudio export --page"
_TAGS, _MEL = "tags", "mel"
_LIVE = ("live.onnx", "mel.onnx")
_BLOCK_S = 0.1  # of the picture of live sound: a browser takes its time for each


def write_page(
    pipeline: Pipeline,
    folder: str | os.PathLike[str],
    *,
    runtime: str | os.PathLike[str],
    sample_rate: int | None = None,
    check: bool = True,
    tolerance: float = TOLERANCE,
    sounds: Iterable[Any] = (),
    force: bool = False,
) -> list[Farthest]:
    """Write a page that tags files and the microphone's sound in a browser, into a folder.

    The folder is made if need be; a page that is there is replaced once the new one is whole. It has the
    graph of whole clips, tags.onnx, and those of blocks for live sound, live.onnx and mel.onnx, if the model
    runs in blocks.

    Args:
        pipeline: a model that gives tags over time.
        folder: where to write.
        runtime: the folder `dist` of the npm package onnxruntime-web.
        sample_rate: the rate at which the browser decodes files; None for the model's, which the microphone
            has in any case.
        check: whether to compare the graphs with the pipeline before anything is written.
        tolerance: how far they may be off, as for `export_onnx`.
        sounds: recordings to compare on, as for `export_onnx`.
        force: whether to write into a folder that holds something else.

    Returns:
        Where the graphs are farthest from the pipeline, if they are checked.

    Raises:
        OutputError: the folder holds something else, or can't be written.
        ExportError: the graph of clips can't be written, or is too far off.
        ValueError: the model gives no tags over time.
        FileNotFoundError: onnxruntime-web isn't there.
    """
    specs = pipeline.output_specs
    spec = next(iter(specs.values()))
    if len(specs) > 1 or spec.kind != "scores" or not spec.labels or not spec.rate_hz:
        raise ValueError(f"export: expected a model that gives tags over time, got {pipeline.name!r:.80}")
    parts = {f"ort/{name}": path for name, path in _runtime_in(Path(runtime)).items()}
    parts |= {f"static/{name}": _HERE / "page" / name for name in _SHARED}
    parts |= {f"static/{name}": _HERE / "alone" / name for name in _OWN}
    home = Path(folder)
    _require_own(home, force=force)
    check_folder(home)
    how: dict[str, Any] = {"check": check, "tolerance": tolerance, "sounds": sounds, "force": True}
    with tempfile.TemporaryDirectory(prefix="fastaudio-") as made:
        graphs, about, found = _graphs(pipeline, Path(made), sample_rate or pipeline.sample_rate, how)
        written = Path(made) / "LICENSES.txt", Path(made) / "about.json"
        written[0].write_bytes(_licences(pipeline).encode())
        written[1].write_bytes(json.dumps(about, ensure_ascii=False).encode())
        parts |= {path.name: path for path in (*graphs, *written, _HERE / "alone" / "index.html")}
        home.mkdir(parents=True, exist_ok=True)
        with writing_all(Output(home / name, force=True, below=home) for name in parts) as files:
            for file, path in zip(files, parts.values(), strict=True):
                with path.open("rb") as source:
                    shutil.copyfileobj(source, file)
    for name in _LIVE:
        if name not in parts:
            (home / name).unlink(missing_ok=True)
    return found


def _graphs(
    pipeline: Pipeline, home: Path, rate: int, how: dict[str, Any]
) -> tuple[list[Path], dict[str, Any], list[Farthest]]:
    """Write the graphs into a folder; return them, what the page tells, and how far off they are."""
    own_rate = pipeline.sample_rate
    mel = spectra.mel_for(own_rate)

    def write(node: Node, name: str, rate: int, **more: Any) -> list[Farthest]:
        heard: dict[str, Any] = {
            "channel": pipeline.channel,
            "quality": pipeline.quality,
            "untrained": pipeline.untrained,
        }
        adapted, spec = Pipeline(node, **heard).adapted(rate, 1)
        return export(adapted, home / name, spec=spec, card=pipeline.card, **how, **more)

    found = write(Parallel({_TAGS: pipeline.node, _MEL: mel}), "tags.onnx", rate)
    names, why_not_live = ["tags.onnx"], None
    try:
        found += write(pipeline.node, _LIVE[0], own_rate, streaming=True)
        block = mel.hop_length * max(round(_BLOCK_S * own_rate / mel.hop_length), 1)
        found += write(mel, _LIVE[1], own_rate, streaming=True, block=block)
        names += _LIVE
    except ExportError as error:
        why_not_live = str(error).partition(": ")[2] or str(error)
    about = _about(pipeline, rate) | {"live": why_not_live is None, "why_not_live": why_not_live}
    return [home / name for name in names], about, found


def _about(pipeline: Pipeline, rate: int) -> dict[str, Any]:
    spec, card = next(iter(pipeline.output_specs.values())), pipeline.card
    hears = card.get("hears")
    own_rate = pipeline.sample_rate
    return {
        "made_by": _MARK,
        "name": pipeline.name or "the model",
        "title": str(card.get("description", "")),
        "hears": hears if isinstance(hears, str) else None,
        "licence": card.get("licence"),
        "labels": list(spec.labels),
        "sample_rate": rate,
        "live_rate": own_rate,
        "channel": pipeline.channel,
        "window_s": round(spec.span_s, 6),
        "hop_s": 1 / spec.rate_hz,
        "latency_s": round(spec.latency_s, 6),
        "mel": spectra.about(own_rate) | {"full_scale": spectra.full_scale(own_rate)},
    }


def _runtime_in(folder: Path) -> dict[str, Path]:
    found = {name: folder / name for name in RUNTIME}
    absent = [name for name, path in found.items() if not path.is_file()]
    if absent:
        raise FileNotFoundError(
            f"export: expected {absent[0]} of onnxruntime-web in {str(folder)!r:.200}, got none; "
            "npm install onnxruntime-web, or name its folder dist with --runtime"
        )
    return found


def _require_own(home: Path, *, force: bool) -> None:
    """Raise OutputError unless a folder is new, empty or a page of ours."""
    if home.exists() and not home.is_dir():
        raise OutputError(f"{home}: expected the name of a folder, got a file; choose another name")
    if force or not home.exists() or not any(home.iterdir()):
        return
    try:
        about = json.loads((home / "about.json").read_text(encoding="utf-8"))
        own = isinstance(about, dict) and about.get("made_by") == _MARK
    except (OSError, ValueError, RecursionError):
        own = False
    if not own:
        raise OutputError(
            f"{home}: expected an empty folder, or a page to replace, got others' files; choose another "
            "name, or add --force"
        )


def _licences(pipeline: Pipeline) -> str:
    """Return the licences of what the folder holds."""
    own = licences_of(pipeline.node) or str(pipeline.card.get("licence", ""))
    texts = [f"The model {pipeline.name or ''}\n\n{own}"]
    runtime = files("onnxruntime")
    for title, name in (("ONNX Runtime", "LICENSE"), ("What ONNX Runtime holds", "ThirdPartyNotices.txt")):
        part = runtime / name
        if part.is_file():
            texts.append(f"{title}\n\n{part.read_bytes().decode('utf-8', 'replace')}")
    return f"\n\n{'-' * 80}\n\n".join(texts) + "\n"
