"""The command `fastaudio search`: the best stretches of a scan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastaudio.cli.arguments import OK, Commands, add_command, add_verbose, positive, refuse_idle
from fastaudio.cli.progress import stages
from fastaudio.cli.stretches import add_forms, write
from fastaudio.searching.neighbours import Neighbours
from fastaudio.searching.query import vector_of
from fastaudio.searching.search import best_of_label, nearest
from fastaudio.searching.store import about_scan, opened

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from fastaudio.searching.store import Store

_HELP = """\
search in what a scan has written

Find the stretches of a scan that are most like another sound, or that a label fits best.

examples:
  fastaudio scan archive/ --layer penultimate --windows --output embeddings    first
  fastaudio search embeddings call.wav                     most like a file
  fastaudio search embeddings --like archive/7.flac@12.5   most like what is heard there, at 12.5 s
  fastaudio search embeddings call.wav --top 50 --per-file --csv > found.csv
  fastaudio search embeddings call.wav --index    by an index (pip install 'fastaudio-toolkit[search]')
  fastaudio search scanned --label guitar                  in a scan of scores: where guitar is highest
  fastaudio search scanned --label guitar --raven > guitar.txt    a selection table, with the files' names

Each line has the score (the cosine between the embeddings, or the label's score), the place and the file. All
rows are looked at; --index looks at few of them, and may miss some of the best.

exit status: 0 done, 1 the file can't be read, 2 wrong usage, 130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    search = add_command(commands, "search", _run, _HELP)
    search.add_argument("scan", metavar="SCAN", help="a folder that fastaudio scan has written")
    what = search.add_mutually_exclusive_group(required=True)
    what.add_argument("query", nargs="?", metavar="FILE", help="a sound to look for")
    what.add_argument("--like", metavar="PATH@S", help="a file of the scan, and a moment in it in seconds")
    what.add_argument("--label", metavar="TEXT", help="a label of the scan's model")
    search.add_argument(
        "--top", type=positive, default=20, metavar="K", help="how many to show (%(default)s)"
    )
    search.add_argument("--per-file", action="store_true", help="show the best of each file only")
    search.add_argument(
        "--index", action="store_true", help="search by an index, which is made first if need be"
    )
    search.add_argument("--model", help="where the scan's model is now, for FILE")
    add_forms(search)
    search.add_argument("--quiet", action="store_true", help="show no progress bar")
    add_verbose(search)


def _run(args: argparse.Namespace) -> int:
    folder = Path(args.scan)
    how = {"top": args.top, "per_file": args.per_file}
    if args.query is None:
        refuse_idle(args, "without FILE, got one; leave it out", "model")
    if args.label is not None:
        refuse_idle(args, "with --label, which looks at all scores, got one; leave it out", "index")
        found = best_of_label(folder, args.label, **how)
    else:
        with stages(quiet=args.quiet) as show:
            store = opened(folder, lambda done, of: show("gathering embeddings", done, of))
            vector = vector_in(args, folder, store)
            if args.index:
                found = Neighbours(store, folder, lambda done, of: show("index", done, of)).nearest(
                    vector, **how
                )
            else:
                found = nearest(store, vector, **how)
    write(found, args.form, args.label or "found")
    return OK


def vector_in(args: argparse.Namespace, folder: Path, store: Store) -> NDArray[np.float32]:
    """Return the embedding that the arguments ask for: of a file, or of a moment of the scan."""
    if args.like is None:
        return vector_of(args.query, about_scan(folder), args.model)
    path, sign, moment = args.like.rpartition("@")
    try:
        at_s = float(moment)
    except ValueError:
        sign = ""
    if not sign:
        raise ValueError(f"--like: expected PATH@S, such as archive/7.flac@12.5, got {args.like!r:.200}")
    return np.asarray(store.vectors[store.row_of(path, at_s)], np.float32)
