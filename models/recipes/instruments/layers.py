"""Says how well families of recorded notes are told from rendered ones, by layers of several networks.

Each note's first 2 s go through aiSFX and both MusiCNNs; linear discriminants on their layers, alone, side by
side and averaged, learn from rendered notes alone. How much a covariance is shrunk is chosen on programs left
out, never on recorded notes. Balanced accuracy comes with its interval over instruments.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import soundfile
from arguments import folder_of_notes, output_file, output_folder
from hear import HEARD_S, spread
from judge import ELEVEN, Trial, balanced
from numpy.typing import NDArray
from spectra import manifest, samples
from tqdm import tqdm
from vary import lightly

WINDOW_S = 3.05  # MusiCNN's, filled up with silence
COMPONENTS, SHRINKAGE = 200, (0.1, 0.3, 0.6)
LAYERS = {
    "aisfx": ("aisfx", None),
    "msd_max": ("musicnn-msd", "max_pool"),
    "msd_mean": ("musicnn-msd", "mean_pool"),
    "mtt_max": ("musicnn-mtt", "max_pool"),
    "mtt_mean": ("musicnn-mtt", "mean_pool"),
}
SETS = {
    "aiSFX": [["aisfx"]],
    "musicnn-mtt, `max_pool`": [["mtt_max"]],
    "musicnn-msd, both pools": [["msd_max", "msd_mean"]],
    "all layers, side by side": [["aisfx", "msd_max", "msd_mean", "mtt_max", "mtt_mean"]],
    "the mean of three: aiSFX, musicnn-msd, musicnn-mtt": [
        ["aisfx"], ["msd_max", "msd_mean"], ["mtt_max", "mtt_mean"]
    ],
}  # fmt: skip
Notes = dict[str, NDArray[Any]]


def place(cache: Path, folder: Path, how: str) -> Path:
    """Return the file of a collection's layers: another manifest has another one, also by the same name."""
    digest = hashlib.sha256((folder / "manifest.csv").read_bytes()).hexdigest()
    return cache / f"{folder.name}-{how}-{digest[:16]}.npz"


def heard(folder: Path, each: int, cache: Path, *, varied: bool) -> Notes:
    """Return the layers of a collection's notes, their families and programs; they are kept in `cache`."""
    if not cache.exists():
        rows = spread(manifest(folder), each)
        networks = {
            name: fa.Pipeline.load(model, threads=1) if layer is None else
            fa.Pipeline.load(model, threads=1).layer(layer) for name, (model, layer) in LAYERS.items()
        }  # fmt: skip
        found: dict[str, list[Any]] = {name: [] for name in LAYERS}
        for row in tqdm(rows, desc=folder.name, disable=None):
            rate_hz = soundfile.info(folder / row["file"]).samplerate
            sound = samples(folder / row["file"])
            if varied:
                sound = lightly(sound, np.random.default_rng([0, *Path(row["file"]).name.encode()]))
            sound = sound[: int(HEARD_S * rate_hz)]
            filled = np.pad(sound, (0, max(0, int(WINDOW_S * rate_hz) - len(sound))))
            for name, network in networks.items():
                own = sound if name == "aisfx" else filled
                found[name].append(np.asarray(network(own, sample_rate=rate_hz))[0])
        about = {"family": [row["family"] for row in rows]}
        about["group"] = [row.get("program") or row["instrument"] for row in rows]
        np.savez(cache, **{name: np.array(values, np.float32) for name, values in found.items()}, **about)
    with np.load(cache) as file:
        notes = dict(file)
    return {name: values[np.isin(notes["family"], ELEVEN)] for name, values in notes.items()}


def joined(parts: Sequence[Notes]) -> Notes:
    """Return the notes of several collections."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def scores(learn: Notes, judged: Notes, layers: Sequence[str]) -> NDArray[np.float64]:
    """Return log-probabilities of the families [n, 11] by one discriminant on some layers."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from threadpoolctl import threadpool_limits

    x, y = (np.concatenate([notes[name] for name in layers], axis=1) for notes in (learn, judged))
    kind = LinearDiscriminantAnalysis("lsqr", priors=np.full(len(ELEVEN), 1 / len(ELEVEN)))
    components = min(COMPONENTS, len(x) // 2)  # a third is left out in turn
    if components < COMPONENTS:
        print(f"{len(x)} notes: {components} components in place of {COMPONENTS}", file=sys.stderr)
    cut = FunctionTransformer(np.clip, kw_args={"a_min": -5, "a_max": 5})
    search = GridSearchCV(
        make_pipeline(StandardScaler(), cut, PCA(components, random_state=0), kind),
        {"lineardiscriminantanalysis__shrinkage": SHRINKAGE},
        cv=StratifiedGroupKFold(3),
        scoring="balanced_accuracy",
    )
    with threadpool_limits(1):  # several threads wait for each other on a busy machine, for minutes
        search.fit(x, learn["family"], groups=learn["group"])
        found = np.asarray(search.predict_log_proba(y), np.float64)
    return found[:, [list(search.classes_).index(family) for family in ELEVEN]]


def judge(learn: Notes, judged: Notes, sets: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return balanced accuracy among all families and among those that are there, with intervals."""
    found = np.mean([scores(learn, judged, layers) for layers in sets], axis=0)
    there = [family for family in ELEVEN if family in set(judged["family"])]
    return {
        "of eleven": balanced(Trial("", judged["family"], judged["group"], ELEVEN), found, ELEVEN),
        "of those there": balanced(Trial("", judged["family"], judged["group"], there), found, ELEVEN),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Hear what wasn't heard before, and print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python models/recipes/instruments/layers.py --learn notes/fluid notes/musescore "
        "notes/csound --score notes/real --cache layers --output layers.json",
    )
    parser.add_argument(
        "--learn", type=folder_of_notes, nargs="+", required=True, help="folders of rendered notes"
    )
    parser.add_argument("--score", type=folder_of_notes, required=True, help="folder of recorded notes")
    parser.add_argument(
        "--each", type=int, default=8, help="rendered notes of each program, varied (default: 8)"
    )
    parser.add_argument("--cache", type=output_folder, required=True, help="folder for what the networks say")
    parser.add_argument("--output", type=output_file, required=True, help="results as JSON")
    options = parser.parse_args(arguments)
    where = [(folder, place(options.cache, folder, str(options.each))) for folder in options.learn]
    parts = [heard(folder, options.each, path, varied=True) for folder, path in where]
    judged = heard(options.score, 0, place(options.cache, options.score, "score"), varied=False)
    names = [folder.name for folder in options.learn]
    results: dict[str, Any] = {}
    for n in range(1, len(parts) + 1):  # a curve over collections, for all sets
        for name, sets in SETS.items():
            results.setdefault(" + ".join(names[:n]), {})[name] = judge(joined(parts[:n]), judged, sets)
    print("| layers | learnt from | of eleven families | of those there |\n| --- | --- | ---: | ---: |")
    for learnt, found in results.items():
        for name, one in found.items():
            cells = [
                "{:.2f} ({:.2f} to {:.2f})".format(each["balanced"], *each["interval"])
                for each in one.values()
            ]
            print(f"| {name} | {learnt} | {' | '.join(cells)} |")
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
