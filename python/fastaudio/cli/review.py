"""The command `fastaudio review`: which stretches to label next, and their labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio._core import FastaudioError
from fastaudio._system.text import printable
from fastaudio.cli.arguments import OK, Commands, add_command, add_verbose, positive, refuse_idle
from fastaudio.cli.playing import play
from fastaudio.cli.progress import stages
from fastaudio.cli.search import vector_in
from fastaudio.cli.stretches import add_forms, place, write
from fastaudio.cli.terminal import complain, tell
from fastaudio.reviewing.candidates import Candidate, by_example, by_uncertainty
from fastaudio.reviewing.labels import Label, LabelError, LabelFile
from fastaudio.searching.store import about_scan, opened

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_HELP = """\
choose what to label next in a scan, and label it

List the stretches of a scan that are worth a label: those most like an example, or those about which a model
is least sure. With --labels, ask for the label of each, and append it to a CSV.

examples:
  fastaudio scan archive/ --layer penultimate --windows --output embeddings    first
  fastaudio review embeddings call.wav --labels labels.csv --names owl,other   most like a file
  fastaudio review embeddings --like archive/7.flac@12.5 --labels labels.csv --names owl,other
  fastaudio train --from embeddings --labels labels.csv -o owls                a model of these labels
  fastaudio scan --from embeddings --model owls --windows --output scored      its scores, without any sound
  fastaudio review scored --uncertain --labels labels.csv                      what it is least sure about
  fastaudio review scored --uncertain --per-file --csv > list.csv              a list only

Each answer is a line: the number of a label (or a new label's name), nothing to leave the stretch out, p to
play it (pip install 'fastaudio-toolkit[mic]'), u to take the last label back, q to end. Stretches that have a
label aren't asked for again. The CSV has the columns path, start_s, end_s, label, when and by; it may be
edited, and several people may write into it at once.

exit status: 0 done, 1 a file can't be read, 2 wrong usage, 130 interrupted
"""
_MOST_KEYS = 9
_COMMANDS = frozenset({"", "p", "u", "q"})


def add(commands: Commands) -> None:
    """Add the command."""
    review = add_command(commands, "review", _run, _HELP)
    review.add_argument("scan", metavar="SCAN", help="a folder that fastaudio scan has written")
    what = review.add_mutually_exclusive_group(required=True)
    what.add_argument("query", nargs="?", metavar="FILE", help="a sound to look for")
    what.add_argument("--like", metavar="PATH@S", help="a file of the scan, and a moment in it in seconds")
    what.add_argument(
        "--uncertain", action="store_true", help="what a model is least sure about, in a scan of its scores"
    )
    review.add_argument(
        "--top", type=positive, default=20, metavar="K", help="how many at most (%(default)s)"
    )
    review.add_argument("--per-file", action="store_true", help="the first of each file only")
    review.add_argument("--labels", metavar="FILE.csv", help="where labels are, and where they go")
    review.add_argument(
        "--names", metavar="A,B,...", help="the labels to choose from (those in the CSV, then the scan's)"
    )
    review.add_argument("--by", default="", metavar="NAME", help="who labels, for the column by")
    review.add_argument("--model", help="where the scan's model is now, for FILE")
    add_forms(review)
    review.add_argument("--quiet", action="store_true", help="show no progress bar")
    add_verbose(review)


def _run(args: argparse.Namespace) -> int:
    if args.query is None:
        refuse_idle(args, "without FILE, got one; leave it out", "model")
    if args.labels is None:
        refuse_idle(args, "without --labels, got some; add --labels FILE.csv", "names", "by")
    labels = None if args.labels is None else LabelFile(args.labels)
    found = _candidates(args, labels)
    if labels is None or args.form is not None:
        write(found, args.form, "candidate")
        return OK
    n = _Asking(found, labels, _names(args, labels), args.by).ask()
    complain(f"{args.labels}: {n} new labels, {len(labels.current())} in all")
    return OK


def _candidates(args: argparse.Namespace, labels: LabelFile | None) -> list[Candidate]:
    folder = Path(args.scan)
    done = [] if labels is None else labels.current()
    if args.uncertain:
        return by_uncertainty(folder, done, args.top, per_file=args.per_file)
    with stages(quiet=args.quiet) as show:
        store = opened(folder, lambda n, of: show("gathering embeddings", n, of))
    return by_example(store, vector_in(args, folder, store), done, args.top, per_file=args.per_file)


def _names(args: argparse.Namespace, labels: LabelFile) -> list[str]:
    if args.names:
        return list(dict.fromkeys(filter(None, map(str.strip, args.names.split(",")))))
    scans: list[str] = about_scan(Path(args.scan))["labels"]
    names = labels.names()
    return list(dict.fromkeys([*names, *(scans if len(scans) <= _MOST_KEYS else [])]))


class _Asking:
    """Asks for one label after the other, on stdin, with the question on stderr."""

    def __init__(self, found: Sequence[Candidate], labels: LabelFile, names: list[str], by: str) -> None:
        self._found, self._labels, self._names, self._by = found, labels, names, by
        self._labelled: list[tuple[int, Label]] = []  # numbers of candidates, and their labels, in order

    def ask(self) -> int:
        """Return how many labels there are more than before."""
        i = 0
        while i < len(self._found):
            answer = self._answer(i)
            if answer is None or answer == "q":
                break
            try:
                i = self._do(i, answer)
            except LabelError as error:
                complain(str(error))
        return len(self._labelled)

    def _do(self, i: int, answer: str) -> int:
        """Do what an answer says; return which candidate is the next."""
        one = self._found[i]
        if answer == "p":
            try:
                play(one.path, one.start_s, one.end_s)
            except FastaudioError as error:
                complain(str(error))
            return i
        if answer == "u":
            if not self._labelled:
                complain("expected a label of this run to take back, got none; remove others in the CSV")
                return i
            number, label = self._labelled.pop()
            if not self._labels.undo(label):
                complain(
                    f"{self._labels.path}: expected {label.label} at {label.start_s:.2f} s of {label.path}, "
                    "got another or none, as somebody has changed it meanwhile; look into that file"
                )
            return number
        if answer:
            name = self._name(answer)
            self._labelled.append((i, self._labels.add(one.path, one.start_s, one.end_s, name, by=self._by)))
            if name not in self._names:
                self._names.append(name)
        return i + 1

    def _name(self, answer: str) -> str:
        if not answer.isdecimal():
            return answer
        if not 1 <= int(answer) <= len(self._names):
            raise LabelError(
                f"{answer}: expected the number of a label from 1 to {len(self._names)}, or a new label's "
                "name; answer again"
            )
        return self._names[int(answer) - 1]

    def _answer(self, i: int) -> str | None:
        one = self._found[i]
        keys = "  ".join(f"{k} {printable(name)}" for k, name in enumerate(self._names, start=1))
        guess = "" if one.guess is None else f"  {printable(one.guess)}? {one.guess_score:.2f}"
        tell(f"{i + 1}/{len(self._found)} {place(one)}{guess}\n  {keys}{'  ' if keys else ''}p u q > ")
        line = sys.stdin.readline()
        if not line:
            tell("\n")
            return None
        text = line.strip()
        return text.lower() if text.lower() in _COMMANDS else text
