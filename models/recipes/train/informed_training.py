"""Trains Hung and Lerch's methods at full size on clips with several labels each.

Won et al.'s training, which they mirror: random windows of 5 s, Adam and then SGD, the best epoch by the
validation clips, scores averaged over 16 windows of a clip. It is made for a GPU; --width and --epochs make
it small enough to try out on a processor.
"""

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import curves
import fastaudio as fa
import numpy as np
import torch
from checkpoint import Checkpoint, restore
from device import chosen, precision
from fastaudio.heads import metrics, over_files
from fastaudio.heads.cache import EmbeddingCache
from harmonic_network import HarmonicFilterbank
from informed import FEATURES, METHODS, NO_FEATURE, Feature, Method
from informed_data import Batch, Clips, read_clips
from numpy.typing import NDArray
from output_paths import output_file, output_folder
from torch import Tensor, nn
from tqdm import tqdm
from way import PLAINLY, Way, add_way, way_of

EXAMPLES = """examples:
  python models/recipes/train/informed_training.py --data clips --method con-reg --feature musicnn \\
    --output con-reg.json
  python models/recipes/train/informed_training.py --data clips --method film --feature vggish \\
    --model vggish/card.json --layer embedding --device cuda --output film.json
  the harmonic CNN alone, which takes no feature:
    python models/recipes/train/informed_training.py --data clips --method none --output none.json
  on a graphics card, which a run that was stopped goes on on:
    python models/recipes/train/informed_training.py --data clips --method con-reg --feature musicnn \\
      --device auto --mixed --checkpoints checkpoints --curves curves --embeddings embeddings \\
      --output con-reg.json
  a first look, on a processor:
    python models/recipes/train/informed_training.py --data clips --method concat --feature aisfx \\
      --width 8 --epochs 2 --chunks 2 --output first.json"""

MODELS = {"musicnn": ("musicnn-mtt", "penultimate"), "aisfx": ("aisfx", "embedding")}


def balanced(truth: NDArray[np.bool_], scores: NDArray[np.floating]) -> float:
    """Return the mean recall of labels that exclude one another, by the best score; NaN for other labels."""
    if not len(truth) or (truth.sum(axis=1) != 1).any():
        return float("nan")
    right, label = scores.argmax(axis=1) == truth.argmax(axis=1), truth.argmax(axis=1)
    return float(np.mean([right[label == k].mean() for k in np.unique(label)]))


METRICS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.floating]], float]] = {
    "f1": lambda truth, scores: over_files.instance_f1(truth, scores >= 0.1),  # noqa: PLR2004  # the paper's
    "pr_auc": lambda truth, scores: metrics.macro(metrics.of_labels(truth, scores, multi=True))["pr_auc"],
    "balanced": balanced,
}
"""What decides which epoch is best, and what is reported: the first for DCASE 2017, the second for MTAT."""


SGD = {80: 1e-3, 100: 1e-4, 120: 1e-5}
"""Learning rates by the epoch from which they hold, from 0."""


@dataclass(frozen=True)
class Settings:
    """Won et al.'s, from their code."""

    epochs: int = 200
    batch: int = 16
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    sgd: Mapping[int, float] | None = None
    """Learning rates of SGD by the epoch from which they hold; None for Won et al.'s."""
    chunks: int = 16
    metric: str = "f1"

    def rate_of_sgd(self, epoch: int) -> float | None:
        """Return the learning rate if it begins at this epoch, counted from 0."""
        return (self.sgd or SGD).get(epoch)

    def optimiser(self, system: nn.Module, epoch: int) -> torch.optim.Optimizer:
        """Return a new optimiser of the kind that an epoch has."""
        begun = [first for first in self.sgd or SGD if first <= epoch]
        if not begun:
            return torch.optim.Adam(
                system.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
            )
        rate = (self.sgd or SGD)[max(begun)]
        how = {"momentum": 0.9, "nesterov": True, "weight_decay": self.weight_decay}
        return torch.optim.SGD(system.parameters(), lr=rate, **how)


class System(nn.Module):
    """A method behind the harmonic filterbank with its learnt width, from samples to logits."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.filterbank, self.method = HarmonicFilterbank(), method
        self.register_buffer("window", torch.hann_window(512), persistent=False)

    def patches(self, samples: Tensor) -> Tensor:
        """Return windows [n, 6, 128, frames] in dB of samples [n, any], as `presets.harmonic_cnn` does."""
        spectrum = torch.stft(
            samples, 512, 256, window=self.window, center=True, pad_mode="reflect", return_complex=True
        )
        return self.filterbank(spectrum.abs().square().transpose(1, 2)).permute(0, 2, 3, 1)  # type: ignore[no-any-return]

    def forward(self, batch: Batch) -> Tensor:
        """Return logits [n, labels]."""
        return self.method(self.patches(batch.samples), batch.feature)  # type: ignore[no-any-return]

    def loss(self, batch: Batch) -> Tensor:
        """Return what training lowers."""
        return self.method.loss(self.patches(batch.samples), batch.feature, batch.truth)


@torch.no_grad()
def predict(system: System, clips: Clips, which: Sequence[int], chunks: int) -> NDArray[np.float32]:
    """Return scores [n, labels]: the mean over windows of each clip."""
    system.eval()
    device = next(system.parameters()).device
    rows = [system(clips.spread(i, chunks).to(device)).sigmoid().mean(dim=0) for i in which]
    return torch.stack(rows).cpu().numpy()


def train(
    system: System,
    clips: Clips,
    settings: Settings,
    progress: Callable[[int, dict[str, float]], None] | None = None,
    *,
    mixed: bool = False,
    checkpoint: Checkpoint | None = None,
) -> list[dict[str, float]]:
    """Train in place, leave the weights of the best epoch, and return loss and validation metric of each.

    A new optimiser goes on from the best weights so far. With `mixed`, products of matrices are in bfloat16.
    A checkpoint is written after each epoch, and gone on from.
    """
    device = next(system.parameters()).device
    kept = None if checkpoint is None else checkpoint.read()
    history: list[dict[str, float]] = [] if kept is None else kept["history"]["records"]
    weights = copy.deepcopy(system.state_dict()) if kept is None else kept["history"]["best"]
    optimiser = settings.optimiser(system, max(0, len(history) - 1))
    if kept is not None:
        restore([system, optimiser], kept)
    for epoch in range(len(history), settings.epochs):
        if settings.rate_of_sgd(epoch) is not None:
            system.load_state_dict(weights)
            optimiser = settings.optimiser(system, epoch)
        loss = one_epoch(system, clips, settings.batch, optimiser, mixed=mixed)
        held = clips.of("validation")
        metric = METRICS[settings.metric](clips.truth(held), predict(system, clips, held, settings.chunks))
        if metric > max((record[settings.metric] for record in history), default=-1.0):
            weights = copy.deepcopy(system.state_dict())
        history.append({"loss": loss, settings.metric: metric})
        if checkpoint is not None:
            best = {name: value.cpu() for name, value in weights.items()}
            checkpoint.save([system, optimiser], {"records": history, "best": best})
        if progress is not None:
            progress(epoch + 1, history[-1])
    system.load_state_dict({name: value.to(device) for name, value in weights.items()})
    return history


def one_epoch(
    system: System, clips: Clips, size: int, optimiser: torch.optim.Optimizer, *, mixed: bool
) -> float:
    """Step once for each batch of training clips in a new order, and return the mean loss."""
    system.train()
    device = next(system.parameters()).device
    learnt, total = clips.of("train"), 0.0
    order = [learnt[k] for k in torch.randperm(len(learnt)).tolist()]
    for rows in (order[k : k + size] for k in range(0, len(order), size)):
        if len(rows) == 1:  # a normalisation needs two
            continue
        with precision(device, mixed=mixed):
            loss = system.loss(clips.random(rows).to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += float(loss.detach()) * len(rows)
    return total / len(learnt)


def run(
    clips: Clips,
    method: str,
    settings: Settings,
    *,
    width: int,
    seed: int,
    way: Way = PLAINLY,
    write: Callable[[System, dict[str, Any]], None] | None = None,
) -> tuple[System, dict[str, Any]]:
    """Train one method and score it on the test clips; return it and its record.

    `write` keeps both, and only then the checkpoint goes.
    """
    start_s = time.monotonic()
    torch.manual_seed(seed)
    system = System(METHODS[method](len(clips.labels), clips.feature, width)).to(chosen(way.device))
    about = {"method": method, "feature": clips.feature.name, "seed": seed, "width": width}
    name = "-".join(str(value) for value in about.values())
    checkpoint = None
    if way.checkpoints is not None:
        whole = about | asdict(settings) | way.changes() | {"clips": len(clips.clips)}
        whole["torch"] = str(torch.__version__)
        checkpoint = Checkpoint(way.checkpoints / f"{name}.pt", whole)
    with closing(tqdm(total=settings.epochs, desc=method, disable=None)) as bar:

        def show(done: int, record: dict[str, float]) -> None:
            bar.update(done - bar.n)
            bar.set_postfix({name: f"{value:.3f}" for name, value in record.items()})

        history = train(system, clips, settings, show, mixed=way.mixed, checkpoint=checkpoint)
    if way.curves is not None:
        held = [(i + 1, record[settings.metric]) for i, record in enumerate(history)]
        losses = [record["loss"] for record in history]
        curves.write(way.curves, name, losses, held, step="epoch", metric=settings.metric)
        curves.plot(way.curves, way.curves / "curves.svg")
    test = clips.of("test")
    scores = predict(system, clips, test, settings.chunks)
    record = about | {
        "way": way.changes(),
        "settings": asdict(settings),
        "labels": clips.labels,
        "parameters_trained": system.method.parameters_trained(),
        "parameters_run": system.method.parameters_run(),
        "q": float(system.filterbank.q.detach()),
        "history": history,
        "test": {name: metric(clips.truth(test), scores) for name, metric in METRICS.items()},
        "seconds": time.monotonic() - start_s,
    }
    if write is not None:
        write(system, record)
    if checkpoint is not None:
        checkpoint.remove()
    return system, record


def embedder_of(feature: Feature, model: str | None, layer: str | None) -> fa.Pipeline:
    """Return the pipeline of a feature's rows."""
    if model is None:
        if feature.name not in MODELS:
            raise ValueError(f"--feature {feature.name}: expected --model with its network, got none")
        model, default = MODELS[feature.name]
        layer = layer or default
    pipeline = fa.Pipeline.load(model)
    return pipeline if layer is None else pipeline.layer(layer)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is asked for, and write its record and the weights beside it."""
    options = parse(arguments)
    try:
        work(options)
    except (OSError, ValueError) as error:  # no sound, a checkpoint of another run, a full disk
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        goes_on = "the same command goes on"
        print(f"stopped; {'' if options.checkpoints else 'with --checkpoints '}{goes_on}", file=sys.stderr)
        return 130
    return 0


def work(options: argparse.Namespace) -> None:
    """Read, train and write."""
    settings = Settings(epochs=options.epochs, chunks=options.chunks, metric=options.metric)
    way = way_of(options)
    feature, embedder, kept = NO_FEATURE, None, None
    if options.method != "none":
        feature = FEATURES[options.feature]
        embedder = embedder_of(feature, options.model, options.layer)
        kept = EmbeddingCache(options.embeddings, embedder) if options.embeddings else None
    clips = read_clips(options.data, feature, embedder, kept=kept)

    def write(system: System, record: dict[str, Any]) -> None:
        torch.save(system.state_dict(), options.output.with_suffix(".pt"))
        options.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    how = {"width": options.width, "seed": options.seed, "way": way, "write": write}
    _, record = run(clips, options.method, settings, **how)
    title = "none" if options.method == "none" else f"{options.method} on {feature.name}"
    print(f"{title}: " + ", ".join(f"{k} {v:.3f}" for k, v in record["test"].items()))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder of clips with its manifest.csv, or other labelled sound: a manifest, tables of labels, "
        "a published collection",
    )
    parser.add_argument(
        "--method", choices=list(METHODS), required=True, help="none is the harmonic CNN alone"
    )
    parser.add_argument("--feature", choices=list(FEATURES), help="all methods but none need one")
    parser.add_argument("--model", help="the feature's network: a card; musicnn and aisfx need none")
    parser.add_argument("--layer", help="its output")
    parser.add_argument(
        "--output", type=output_file, required=True, help="record as JSON; weights are put beside it, as .pt"
    )
    parser.add_argument(
        "--embeddings", type=output_folder, metavar="FOLDER", help="keep the feature's rows for other methods"
    )
    parser.add_argument(
        "--metric", choices=list(METRICS), default="f1", help="chooses the epoch (%(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=200, metavar="N", help="(%(default)s)")
    parser.add_argument("--chunks", type=int, default=16, metavar="N", help="windows of a clip (%(default)s)")
    parser.add_argument("--width", type=int, default=128, metavar="N", help="filters (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    add_way(parser)
    options = parser.parse_args(arguments)
    if options.output.suffix == ".pt":
        parser.error(f"--output: expected a record's name, such as {options.output.stem}.json, got .pt")
    if options.method != "none" and options.feature is None:
        parser.error(f"--method {options.method}: expected --feature beside it, got none")
    return options


if __name__ == "__main__":
    sys.exit(main())
