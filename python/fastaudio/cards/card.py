"""Cards: a model is data. A card (JSON) is a saved pipeline with a description of the model.

A card and its weights are untrusted input: sizes are bounded, only known nodes are built, files
outside the card's folder are refused, and weights must match the hash that the card states.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio import _core
from fastaudio._core import (
    BudgetError,
    ModelError,
    Node,
    OnnxModel,
    Patches,
    TimedOut,
    build_node,
    check_interrupt,
    did_you_mean,
)
from fastaudio._system.text import listed
from fastaudio.cards import old, packed_file
from fastaudio.cards.budget import Budget, Counted, check_items, check_rates
from fastaudio.cards.named import MODELS, card_path
from fastaudio.cards.placing import SHA256, external_of
from fastaudio.cards.trained import check_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SCHEMA = "fastaudio.card/1"
"""Name and version of the format; the number rises when the meaning of a card changes."""

_MOST_THREADS = 1024
TOO_LARGE = "pipeline: expected a card that fits into memory, got one that needs more than there is"
RUN_TIME_OPTIONS = ("threads", "providers")  # not saved: they depend on the machine
_NODES: dict[str, type[Node]] = {
    name: value
    for name, value in vars(_core).items()
    if isinstance(value, type) and issubclass(value, Node) and value is not Node
}


@dataclass(frozen=True)
class Card:
    """A card as it was read from `path`: its JSON as `data` and as the file's bytes.

    If the file is a packed model, `packed` says where its networks lie.
    """

    path: Path
    data: Mapping[str, Any]
    text: bytes = b""
    packed: packed_file.Packed | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.data["name"])

    @property
    def how(self) -> dict[str, Any]:
        """What it says of the sound that its pipeline takes: keywords of `Pipeline`."""
        return {key: self.data[key] for key in ("channel", "quality", "silence_db") if key in self.data}


def read_card(name_or_path: str | os.PathLike[str], budget: Budget | None = None) -> Card:
    """Read a card by its model's name, or by the path of a card or a packed model.

    Raises:
        BudgetError: it holds more values than `budget` allows; None is the default one.
        ModelError: no such model or file, or no card of a known schema.
    """
    path = card_path(name_or_path)
    raw, found = _read_bytes(path)
    try:
        check_items(raw, budget or Budget())
        data = json.loads(raw.decode("utf-8"))
    except BudgetError as error:
        raise BudgetError(f"{path}: {error}") from error
    except MemoryError as error:
        raise ModelError(f"{path}: {TOO_LARGE}") from error
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{path}: expected a card in JSON or a packed model, got a file that isn't UTF-8 text; name a "
            "card.json, or a file that fastaudio pack wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: expected a card in JSON, got: {error!s:.200}") from error
    got = data.get("schema") if isinstance(data, dict) else type(data).__name__
    if got != SCHEMA:
        raise ModelError(f"{path}: expected a card of schema {SCHEMA!r}, got {got!r:.80}")
    for key, kind in (("name", str), ("pipeline", list), ("outputs", dict)):
        if not isinstance(data.get(key, kind() if key == "outputs" else None), kind):
            raise ModelError(f"{path}: expected {key!r} as a {kind.__name__}, got {data.get(key)!r:.80}")
    for name, about in data.get("outputs", {}).items():
        if not isinstance(about, dict) or not isinstance(about.get("shape", []), list):
            raise ModelError(
                f"{path}: expected 'outputs' with a dict for each output, and in it 'shape' as a list, got "
                f"{about!r:.80} for {name!r:.80}"
            )
    check_weights(data, path)
    return Card(path, data, raw, found)


def card_that_tells(kind: str) -> Card | None:
    """Return the first shipped card that tells a kind of sound, such as music."""
    for path in sorted(MODELS.glob("*/card.json")):
        try:
            if b'"kinds"' not in path.read_bytes():  # as in most; parsing them takes longer
                continue
            card = read_card(path)
        except (ModelError, OSError):  # damaged, which matters to those who load it
            continue
        if kind in card.data.get("kinds", {}):
            return card
    return None


def _read_bytes(path: Path) -> tuple[bytes, packed_file.Packed | None]:
    """Return a card's text, and the packed file if it comes from one."""
    try:
        with path.open("rb") as file:
            found = packed_file.find(file, str(path))
            if found is not None:
                return found.card, found
            if path.suffix == ".onnx":
                raise ModelError(
                    f"{path}: expected a packed model, got an ONNX file that doesn't end in a card; "
                    "fastaudio pack makes one from a card; it can't be used once it was cut short or added to"
                )
            raw = file.read(packed_file.LARGEST_CARD + 1)
            n_bytes = max(len(raw), os.fstat(file.fileno()).st_size)
    except TimedOut:  # an OSError too
        raise
    except OSError as error:
        raise ModelError(f"{path}: expected a readable file, got {error}") from error
    if len(raw) > packed_file.LARGEST_CARD:
        raise ModelError(
            f"{path}: expected a card of at most {packed_file.LARGEST_CARD} bytes, got {n_bytes}; no budget "
            "raises this: shorten what it says, such as lists of numbers that no node needs"
        )
    return raw, None


def build(
    card: Card,
    *,
    threads: int | None = None,
    providers: list[str] | list[str | tuple[str, dict[str, str]]] | None = None,
    budget: Budget | None = None,
) -> Node:
    """Build the pipeline that a card holds.

    Raises:
        BudgetError: it needs more than `budget` allows; None is the default one.
        ModelError: an unknown node, a bad option, parts that don't fit, a missing or changed file.
        TypeError, ValueError: `threads` or `providers` of a wrong type, or outside their range.
    """
    _check_run_time(threads, providers)
    run_time = {"threads": threads, "providers": providers}
    chosen = {key: value for key, value in run_time.items() if value is not None}

    def locate(options: dict[str, Any]) -> dict[str, Any]:
        relative, sha256 = options.get("path"), options.get("sha256")
        if not isinstance(relative, str):
            raise ModelError(f"OnnxModel: expected 'path' as a str, got {relative!r:.80}")
        if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
            raise ModelError(f"OnnxModel: expected 'sha256' as 64 hex digits, got {sha256!r:.80}")
        options = {key: value for key, value in options.items() if key not in RUN_TIME_OPTIONS}
        options["external"] = external_of(options)
        if card.packed:  # a packed model's networks always lie in its own file
            return options | {"path": _utf8(card.path.resolve())} | chosen
        path = network_beside(card, relative)
        beside = path.relative_to(card.path.parent.resolve()).parent  # where they are read, links or not
        for name in options["external"]:
            check_interrupt()
            network_beside(card, (beside / name).as_posix())
        return options | {"path": _utf8(path)} | chosen

    budget = budget or Budget()
    whole = {"node": "Sequential", "nodes": card.data["pipeline"]}
    with blaming(card):
        node = budget.within(lambda: _build(whole, locate, Counted(budget, card.data["pipeline"]), 0))
        check_rates(node, budget)
        expected, got = card.data.get("input"), front_end(node)
    # The right weights behind a wrong front end are the most common mistake, and a silent one.
    if expected is not None and expected != got:
        raise ModelError(f"{card.path}: pipeline: expected a front end that gives {expected}, got {got}")
    return node


@contextmanager
def blaming(card: Card) -> Iterator[None]:
    """Make errors in its scope the card's: ModelError that names it."""
    try:
        yield
    except BudgetError as error:
        raise BudgetError(f"{card.path}: {error}") from error
    except (MemoryError, RecursionError) as error:
        raise ModelError(f"{card.path}: {TOO_LARGE}") from error
    except (ModelError, ValueError, TypeError) as error:
        raise ModelError(f"{card.path}: {error}") from error


def network_beside(card: Card, relative: str) -> Path:
    """Return the file of a network that a card names, which lies in the card's folder.

    Raises:
        ModelError: it lies outside, or isn't there.
    """
    folder = card.path.parent.resolve()
    try:
        path = (folder / relative).resolve()
        inside, there = path.is_relative_to(folder), path.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise ModelError(f"OnnxModel: expected a path, got {relative!r:.80} ({error})") from error
    if not inside:
        raise ModelError(f"OnnxModel: expected a path inside the card's folder, got {relative!r:.80}")
    if not there:
        raise ModelError(f"OnnxModel: expected the file {relative!r:.80} beside the card, got none")
    return path


def _utf8(path: Path) -> str:
    """Return a path as the core takes it."""
    try:
        return str(path).encode("utf-8").decode()
    except UnicodeEncodeError as error:
        raise ModelError(
            f"OnnxModel: expected a path in UTF-8, got {str(path)!a:.300}; rename its folder or file, "
            "or copy the model to another"
        ) from error


def _check_run_time(threads: Any, providers: Any) -> None:
    """Check what the caller chose here, because below it would be called the card's fault."""
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int)):
        raise TypeError(f"Pipeline.load: expected threads as an int, got {threads!r:.80}")
    if threads is not None and not 1 <= threads <= _MOST_THREADS:
        raise ValueError(f"Pipeline.load: expected threads in [1, {_MOST_THREADS}], got {threads}")
    names = providers if isinstance(providers, list | tuple) else [None]
    if providers is not None and not all(map(_is_provider, names)):
        raise TypeError(
            "Pipeline.load: expected providers as list[str], or tuples of a name and its options in it, got "
            f"{providers!r:.80}"
        )


def _is_provider(value: Any) -> bool:
    """Tell whether it is a name, or a name with options."""
    if isinstance(value, list | tuple) and len(value) == 2:  # noqa: PLR2004  # a pair
        name, options = value
        texts = isinstance(options, dict) and all(
            isinstance(t, str) for pair in options.items() for t in pair
        )
        return isinstance(name, str) and texts
    return isinstance(value, str)


def front_end(node: Node) -> dict[str, Any] | None:
    """Return the rate, shape and unit of the rows before a network or its patches; None without either."""
    spec = node.input_spec
    if spec is None or "step" not in node.child_roles():
        return None
    for part in node.children():
        branches = not {"output", "joined"}.isdisjoint(part.child_roles())
        if branches or isinstance(part, Patches | OnnxModel):
            return {"rate_hz": spec.rate_hz, "shape": list(spec.shape), "unit": spec.unit}
        spec = next(iter(part.output_specs(spec).values()))
    return None


def heard_at_once(data: Mapping[str, Any], budget: Budget | None = None) -> tuple[int, float] | None:
    """Return the rate in Hz and the seconds of sound that a card's first network takes at once.

    No network is read, so none has to be there. A card without one gives those of its rows; None if its first
    part is a network, or holds one.

    Raises:
        ModelError: the parts before the network are wrong.
    """
    parts = data["pipeline"]
    end = next((i for i, part in enumerate(parts) if '"OnnxModel"' in json.dumps(part)), len(parts))
    if not end:
        return None
    whole, budget = {"node": "Sequential", "nodes": parts[:end]}, budget or Budget()
    node = budget.within(lambda: _build(whole, dict, Counted(budget, parts[:end]), 0))
    check_rates(node, budget)
    if node.input_spec is None:
        return None
    spec = next(iter(node.output_specs(node.input_spec).values()))
    return round(node.input_spec.rate_hz), spec.span_s


def _build(
    data: Any, locate: Callable[[dict[str, Any]], dict[str, Any]], counted: Counted, depth: int
) -> Node:
    name = data.get("node") if isinstance(data, dict) else None
    counted.add(name, depth)
    if not isinstance(name, str) or name not in _NODES:
        known = sorted(_NODES)
        guess = did_you_mean(name, known) if isinstance(name, str) else ""
        raise ModelError(f"pipeline: expected a node among {listed(known)}, got {data!r:.80}{guess}")
    options = {key: value for key, value in old.current(data).items() if key != "node"}
    kinds = {"list": list, "dict": dict}
    for key, form in _NODES[name].child_arguments().items():
        value = options.get(key)
        if form == "node":
            options[key] = _build(value, locate, counted, depth + 1)
        elif not isinstance(value, kinds[form]):
            raise ModelError(f"{name}: expected {key!r} as a {form}, got {value!r:.80}")
        elif isinstance(value, dict):
            options[key] = {part: _build(value[part], locate, counted, depth + 1) for part in value}
        else:
            options[key] = [_build(part, locate, counted, depth + 1) for part in value]
    if name == "OnnxModel":
        options = locate(options)
    return build_node(_NODES[name], options)  # no warnings of options that the weights were trained with
