"""Scores trained networks, a baseline and the older models on collections that they weren't trained on.

All hear the same: a note's first 2 s. Balanced accuracy is the mean of the families' recalls; its interval
comes from drawing instruments, or programs, anew 1,000 times.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import soundfile
import torch
from arguments import JUDGED, LEARNT, named_file, named_folder, output_file, part_of, require
from fit import gather, instruments, load, logits, mask
from hear import Heard
from note_network import Levels
from numpy.typing import NDArray
from programs import FAMILIES, NOTHING, TITLES
from spectra import FRAMES, Spectra, read, samples

ELEVEN = [family for family in FAMILIES if family not in ("percussion", NOTHING)]
"""The families of the older models and of their test notes."""
FAMILY_OF = {title: family for family, title in TITLES.items()}
"""What `instruments` calls the families."""
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """Notes to be scored on, and the families to choose from."""

    name: str
    family: NDArray[np.str_]
    group: NDArray[np.str_]
    """Instrument or program of each note: what intervals draw."""
    choices: list[str]


def balanced(trial: Trial, scores: Scores, labels: Sequence[str]) -> dict[str, Any]:
    """Return balanced accuracy among the trial's families, its interval over groups, and the confusion."""
    known = [name for name in trial.choices if name in labels]
    best = scores[:, [labels.index(name) for name in known]].argmax(axis=1)
    got = np.array(known)[best]
    right = got == trial.family
    draw = np.random.default_rng(0)
    members = {
        family: [np.flatnonzero((trial.group == name) & (trial.family == family)) for name in
                 np.unique(trial.group[trial.family == family])]
        for family in np.unique(trial.family)
    }  # fmt: skip
    again = []
    for _ in range(1000):
        recalls = []
        for groups in members.values():
            chosen = draw.integers(0, len(groups), len(groups))
            recalls.append(right[np.concatenate([groups[i] for i in chosen])].mean())
        again.append(np.mean(recalls))
    recall = {family: float(right[trial.family == family].mean()) for family in members}
    confusion = {
        str(family): {name: int(((trial.family == family) & (got == name)).sum()) for name in known}
        for family in members
    }
    return {
        "balanced": float(np.mean(list(recall.values()))),
        "interval": [float(x) for x in np.percentile(again, [2.5, 97.5])],
        "accuracy": float(right.mean()),
        "confusion": {family: {k: n for k, n in row.items() if n} for family, row in confusion.items()},
    }


def split(
    name: str, found: Spectra | Heard, use: NDArray[np.bool_], scores: Scores
) -> list[tuple[Trial, Scores]]:
    """Return a collection's trials and their scores: of 11 families, of those present, and of all 13."""
    family = found.column("family")[use]
    group = groups_of(found)[use]
    old = np.isin(family, ELEVEN)
    present = [each for each in ELEVEN if each in set(family)]
    return [
        (Trial(f"{name}, of 11 families", family[old], group[old], ELEVEN), scores[old]),
        (Trial(f"{name}, of those present", family[old], group[old], present), scores[old]),
        (Trial(f"{name}, of all", family, group, FAMILIES), scores),
    ]


def groups_of(found: Spectra | Heard) -> NDArray[np.str_]:
    """Return the instrument of each real note, and the program of each rendered one."""
    if "dynamic" in found.rows[0]:
        return found.column("instrument")
    return found.column("program" if "program" in found.rows[0] else "gm_program")


def statistics(mel: NDArray[np.float16]) -> NDArray[np.float64]:
    """Return the baseline's features: mean, deviation and maximum over time of levels below the loudest."""
    levels = np.concatenate(
        [
            Levels()(torch.from_numpy(part[:, :FRAMES].astype(np.float32))).numpy()
            for part in np.array_split(mel, max(1, len(mel) // 64))
        ]
    )
    return np.concatenate([levels.mean(axis=1), levels.std(axis=1), levels.max(axis=1)], axis=1).astype(
        np.float64
    )


def baseline(folder: Path, learn: Sequence[str]) -> Callable[[NDArray[np.float16]], Scores]:
    """Return logistic regression on statistics of the same notes, its penalty chosen on programs left out."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    parts = [(read(folder / name), part) for name, part in (text.rsplit(":", 1) for text in learn)]
    pairs = [(found, mask(found, part)) for found, part in parts]
    notes = gather(pairs, instruments(pairs))
    group = np.concatenate([groups_of(found)[use]
                            for found, use in pairs])  # fmt: skip
    copies = notes.mel.shape[1]
    x = statistics(notes.mel.reshape(-1, *notes.mel.shape[2:]))
    y, groups = np.repeat(notes.family, copies), np.repeat(group, copies)
    folds = list(GroupKFold(4).split(x, y, groups))
    fitted = make_pipeline(
        StandardScaler(),
        LogisticRegressionCV(
            Cs=np.geomspace(1e-3, 1, 4), cv=folds, class_weight="balanced", max_iter=300,
            l1_ratios=(0,), scoring="balanced_accuracy",
        ),
    )  # fmt: skip
    fitted.fit(x, y)

    def score(mel: NDArray[np.float16]) -> Scores:
        out = np.full((len(mel), len(FAMILIES)), -1e9)
        out[:, fitted[-1].classes_] = fitted.decision_function(statistics(mel))
        return out

    return score


def older(model: str, folder: Path, rows: Sequence[dict[str, str]]) -> tuple[Scores, list[str]]:
    """Return an older model's scores of the first 2 s of each file, and its labels."""
    pipeline = fa.Pipeline.load(model)
    scores, labels = [], []
    for row in rows:
        rate_hz = soundfile.info(folder / row["file"]).samplerate
        tags = pipeline(samples(folder / row["file"], 2.0), sample_rate=rate_hz)
        scores.append(tags.scores[0])
        labels = [FAMILY_OF.get(label, label) for label in tags.labels]
    return np.array(scores, np.float64), labels


def refused(scores: Scores, labels: Sequence[str], rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Return how many sounds of no instrument are refused, and what the others were taken for."""
    best = [labels[i] for i in scores.argmax(axis=1)]
    return {
        "refused": best.count(NOTHING),
        "of": len(best),
        "others": {row["file"]: name for row, name in zip(rows, best, strict=True) if name != NOTHING},
    }


def judge_heads(options: argparse.Namespace, results: dict[str, Any]) -> None:
    """Score heads from embeddings, with how far their scores lie from how often they are right."""
    import fit_heads
    import hear

    for text in options.heads:
        judge, path = text.split("=", 1)
        heads, trained = fit_heads.load(Path(path))
        for wanted in options.on:
            name, part = wanted.rsplit(":", 1)
            found = hear.read(options.heard / name)
            use = mask(found, part)
            families, kinds = fit_heads.logits(heads, found.embedding[use])
            scores, record = families.double().numpy(), dict[str, Any]()
            if name == "clips":
                rows = [row for row, take in zip(found.rows, use, strict=True) if take]
                keep(results, judge, wanted, {wanted: refused(scores, FAMILIES, rows)})
                continue
            for each, at in split(wanted, found, use, scores):
                record[each.name] = balanced(each, at, FAMILIES)
            target = torch.tensor([FAMILIES.index(label) for label in found.column("family")[use]])
            by_t = families / trained["temperatures"][0]
            record[f"{wanted}, of all"]["calibration_error"] = fit_heads.calibration_error(by_t, target)
            kind = found.column("instrument")[use]
            known = np.isin(kind, trained["instruments"])
            if known.any():
                best = np.array(trained["instruments"])[kinds.argmax(dim=1).numpy()]
                record[f"{wanted}, instruments"] = {
                    "accuracy": float((best == kind)[known].mean()), "of": int(known.sum())
                }  # fmt: skip
            keep(results, judge, wanted, record)


def keep(results: dict[str, Any], judge: str, wanted: str, record: dict[str, Any]) -> None:
    """Add what a judge got of one collection to the results, and print it."""
    results.setdefault(judge, {}).update(record)
    print(
        judge, wanted, {k: v.get("balanced", v.get("accuracy", v.get("refused"))) for k, v in record.items()}
    )


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a message if an option lacks another one that it needs."""
    by_spectra = [f"--{name}" for name in ("network", "baseline", "older") if getattr(options, name)]
    if not by_spectra and not options.heads:
        parser.error("expected --heads, --network, --baseline or --older, got none of them")
    if options.heads and options.heard is None:
        parser.error("--heads: expected --heard FOLDER beside it, got none")
    if by_spectra and options.spectra is None:
        parser.error(f"{by_spectra[0]}: expected --spectra FOLDER beside it, got none")
    known = {text.split("=")[0] for text in options.notes}
    for name in [text.rpartition(":")[0] for text in options.on] if options.older else []:
        if name not in known:
            parser.error(f"--older: expected --notes {name}=FOLDER beside --on {name}, got none")
    check_files(parser, options, by_spectra=bool(by_spectra))


def check_files(parser: argparse.ArgumentParser, options: argparse.Namespace, *, by_spectra: bool) -> None:
    """End with a message if a file isn't there."""
    given = [
        (option, text.partition("=")[2]) for option in ("network", "heads") for text in vars(options)[option]
    ]
    for option, path in given:
        if not Path(path).is_file():
            parser.error(f"--{option}: expected a file that is there, got {path}")
    if by_spectra:
        require(parser, "--spectra", options.spectra, [*options.on, *options.baseline], "spectra.npz")
    if options.heads:
        require(parser, "--heard", options.heard, options.on, "heard.npz")


def main(arguments: Sequence[str] | None = None) -> int:
    """Score everything and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/judge.py --spectra spectra --network renders=a.pt "
        "--on real:all tim:all --output results.json",
    )
    parser.add_argument(
        "--spectra", type=Path, help="folder with a folder for each collection, for all but --heads"
    )
    parser.add_argument(
        "--network", type=named_file, default=[], nargs="+", metavar="NAME=FILE", help="written by fit.py"
    )
    parser.add_argument(
        "--baseline", type=part_of(LEARNT), default=[], nargs="+", metavar="COLLECTION:PART",
        help="what it learns from; part: train or all",
    )  # fmt: skip
    parser.add_argument("--older", default=[], nargs="+", metavar="MODEL", help="models to compare with")
    parser.add_argument(
        "--notes", type=named_folder, default=[], nargs="+", metavar="COLLECTION=FOLDER",
        help="sounds for older models",
    )  # fmt: skip
    parser.add_argument(
        "--on", type=part_of(JUDGED), nargs="+", required=True, metavar="COLLECTION:PART",
        help="part: all, train or test",
    )  # fmt: skip
    parser.add_argument(
        "--heads", type=named_file, default=[], nargs="+", metavar="NAME=FILE", help="written by fit_heads.py"
    )
    parser.add_argument("--heard", type=Path, help="folder with a folder for each collection, for --heads")
    parser.add_argument(
        "--output", type=output_file, required=True, help="results as JSON; results there are kept"
    )
    options = parser.parse_args(arguments)
    check(parser, options)
    results = json.loads(options.output.read_text(encoding="utf-8")) if options.output.exists() else {}
    folders = dict(text.split("=", 1) for text in options.notes)
    judges: dict[str, Callable[[str, Spectra, NDArray[np.bool_]], tuple[Scores, list[str]]]] = {}
    for text in options.network:
        name, path = text.split("=", 1)
        network = load(Path(path))[0]
        judges[name] = lambda _, found, use, n=network: (
            logits(n, found.mel[use][:, 0])[0].double().numpy(), FAMILIES,
        )  # fmt: skip
    if options.baseline:
        score = baseline(options.spectra, options.baseline)
        judges["baseline " + " ".join(options.baseline)] = lambda _, found, use: (
            score(found.mel[use][:, 0]), FAMILIES,
        )  # fmt: skip
    for model in options.older:
        judges[model] = lambda name, found, use, m=model: older(
            m, Path(folders[name]), [row for row, take in zip(found.rows, use, strict=True) if take]
        )
    if options.heads:
        judge_heads(options, results)
    for text in options.on if judges else []:
        name, part = text.rsplit(":", 1)
        found = read(options.spectra / name)
        use = mask(found, part)
        for judge, run in judges.items():
            scores, labels = run(name, found, use)
            if name == "clips":
                rows = [row for row, take in zip(found.rows, use, strict=True) if take]
                record = {text: refused(scores, labels, rows)}
            else:
                record = {
                    each.name: balanced(each, at, labels) for each, at in split(text, found, use, scores)
                }
            keep(results, judge, text, record)
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
