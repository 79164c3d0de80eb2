"""Trains what three papers propose, and their baselines, and prints a table for each paper."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from alignment import Alignment, Autoencoder, ContrastOnly, cosines, embed, tag_bank
from contrastive import CrossEntropy, NtXent
from harmonic_network import count
from instruments import Notes
from intervals import by_program, over_programs
from linear import classifier
from mel_notes import read_mel_notes
from methods import FEATURE_PARAMETERS, Method
from output_paths import output_file
from tables import paired, table
from tag_words import Vocabulary
from torch import Tensor
from trainer import Settings, confusion, predict, scores, train
from transfer import LAYERS, read_layers

EXAMPLES = """examples:
  python models/recipes/train/compare.py contrastive --data notes --output contrastive.json
  python models/recipes/train/compare.py alignment --data notes --output alignment.json
  python models/recipes/train/compare.py transfer --data notes --output transfer.json

With --on validation the test notes stay untouched: the seed-th training program of each family is held out
and scored on, as choices should be made. Runs that the output file has already are not repeated."""

STEPS = 300
Record = dict[str, Any]


@dataclass(frozen=True)
class Share:
    """One entry of a table: which notes are labelled, which others may be heard, which are scored."""

    notes: Notes
    vocabulary: Vocabulary
    labelled: Tensor
    unlabelled: Tensor
    score: Tensor
    fraction: float
    seed: int
    settings: Settings

    @classmethod
    def draw(
        cls,
        notes: Notes,
        vocabulary: Vocabulary,
        fraction: float,
        seed: int,
        fold: int | None,
        *,
        settings: Settings = Settings(steps=STEPS),  # noqa: B008  # frozen
    ) -> "Share":
        """Draw the labelled notes; the same for every method."""
        learn, score = notes.split(fold)
        labelled = notes.sample(learn, fraction, seed)
        unlabelled = learn[~torch.isin(learn, labelled)]
        return cls(notes, vocabulary, labelled, unlabelled, score, fraction, seed, settings)

    @property
    def pool(self) -> Tensor | None:
        """Return the power of the notes without labels; none where all have labels."""
        return self.notes.batch.power[self.unlabelled] if len(self.unlabelled) else None

    @property
    def steps(self) -> int:
        """Return the number of training steps."""
        return self.settings.steps_for(self.fraction)

    def scored(self, logits: Tensor) -> Record:
        """Return accuracy and F1 of logits for the notes to be scored on, and what each program got."""
        predicted, target = logits.argmax(1), self.notes.batch.target[self.score]
        record: Record = dict(scores(confusion(predicted, target, len(self.notes.families))))
        return record | {"by_program": by_program(predicted, target, self.notes.program[self.score])}

    def linear(self, x: Tensor) -> Record:
        """Return the scores of a linear classifier on embeddings of all notes, trained on the labelled."""
        y, program = self.notes.batch.target[self.labelled], self.notes.program[self.labelled]
        module = classifier(x[self.labelled], y, program, len(self.notes.families))
        with torch.no_grad():
            return self.scored(module(x[self.score]))


def train_classifier(kind: type[CrossEntropy], share: Share) -> CrossEntropy:
    """Return a network trained on the labelled notes."""
    torch.manual_seed(share.seed)
    method = kind(len(share.notes.families))
    if isinstance(method, NtXent):
        method.pool = share.pool
    train(method, share.notes.batch[share.labelled], share.steps, share.settings)
    return method


def train_alignment(kind: type[Alignment], share: Share) -> Alignment:
    """Return encoders trained on the labelled notes' tags and all training notes' sound."""
    torch.manual_seed(share.seed)
    method = kind(len(share.vocabulary.words))
    method.pool = share.pool
    # A method as the trainer sees it: a module with a loss.
    train(method, share.notes.batch[share.labelled], share.steps, share.settings)  # type: ignore[arg-type]
    return method


def contrastive(share: Share) -> Iterator[Record]:
    """Lee & Lee: cross-entropy without and with contrastive regularisation."""
    for kind in (CrossEntropy, NtXent):
        start_s = time.process_time()
        method: Method = train_classifier(kind, share)
        record = share.scored(predict(method, share.notes.batch[share.score]))
        yield record | cost(kind.name, method.inference_parameters(), start_s)


def alignment(share: Share) -> Iterator[Record]:
    """Favory et al.: a linear classifier on embeddings, and the cosine to tags without a classifier."""
    start_s = time.process_time()
    yield share.linear(share.notes.batch.feature) | cost("mfcc + linear", 0, start_s)
    for kind in (Autoencoder, ContrastOnly, Alignment):
        start_s = time.process_time()
        method = train_alignment(kind, share)
        embedding, projection = embed(method, share.notes.batch)
        parameters = count(method.net.encoder)
        yield share.linear(embedding) | cost(f"{kind.name} + linear", parameters, start_s)
        if kind.contrast_weight:
            bank = tag_bank(method, share.vocabulary, share.notes.families)
            record = share.scored(cosines(projection[share.score], bank))
            yield record | cost(
                f"{kind.name}, cosine to tags", parameters + count(method.net.to_tags), start_s
            )


def transfer(share: Share) -> Iterator[Record]:
    """Kumar et al.: a linear classifier on a trained network's layers, here MusiCNN's."""
    for name in ("mfcc", *LAYERS):
        start_s = time.process_time()
        parameters = 0 if name == "mfcc" else FEATURE_PARAMETERS
        yield share.linear(_layers[name]) | cost(f"{name} + linear", parameters, start_s)


TABLES: dict[str, Callable[[Share], Iterator[Record]]] = {
    "contrastive": contrastive,
    "alignment": alignment,
    "transfer": transfer,
}
_layers: dict[str, Tensor] = {}  # of all notes; only `transfer` reads it


def cost(method: str, parameters: int, start_s: float) -> Record:
    """Return a record's name, parameters at inference before the linear classifier, processor time."""
    return {"method": method, "parameters": parameters, "processor_s": time.process_time() - start_s}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, write the results after every share, and print the table."""
    options = parse(arguments)
    torch.set_num_threads(1)  # the last digits of the numbers depend on it
    records: list[Record] = json.loads(options.output.read_text()) if options.output.exists() else []
    done = {(r["table"], r["on"], r["fraction"], r["seed"]) for r in records}
    wanted = [(options.table, options.on, f, s) for s in options.seeds for f in options.fractions]
    missing = [what for what in wanted if what not in done]
    if missing:
        notes, vocabulary = read_mel_notes(options.data)
        if options.table == "transfer":
            _layers.update(read_layers(options.data))
    for what in missing:
        fold = what[3] if options.on == "validation" else None
        share = Share.draw(notes, vocabulary, what[2], what[3], fold, settings=Settings(steps=options.steps))
        for record in TABLES[options.table](share):
            keys = dict(zip(("table", "on", "fraction", "seed"), what, strict=True))
            records.append(keys | record)
            print(*what, f"{record['method']}: {record['accuracy']:.3f}", file=sys.stderr, flush=True)
        lines = ",\n".join(json.dumps(record) for record in records)
        options.output.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    chosen = [r for r in records if (r["table"], r["on"], r["fraction"], r["seed"]) in wanted]
    methods = list(dict.fromkeys(r["method"] for r in chosen))
    print(table(chosen, methods))
    if len(methods) > 1 and len(options.seeds) > 1:
        print("\n" + paired(chosen, methods))
    print("\n" + over_programs(chosen, methods))
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=list(TABLES), help="what to compare")
    parser.add_argument("--data", type=Path, required=True, help="folder of notes with its manifest.csv")
    parser.add_argument(
        "--output", type=output_file, required=True, help="results as JSON; read first if there"
    )
    parser.add_argument("--on", choices=["test", "validation"], default="test", help="default: test")
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.1, 0.3, 1.0], metavar="F")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2")
    parser.add_argument(
        "--steps",
        type=int,
        default=STEPS,
        metavar="N",
        help="with all notes (%(default)s); few, to try it out",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
