"""The command `fastaudio get`, which fetches a model after asking; what `models` says of those to fetch."""

from __future__ import annotations

import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastaudio import registry
from fastaudio._core import ModelError
from fastaudio._system.text import printable
from fastaudio.cards import MODELS, heard_at_once
from fastaudio.cli.arguments import FAILED, OK, Commands, add_command
from fastaudio.cli.listing import Listed, width
from fastaudio.cli.terminal import complain, tell
from fastaudio.registry.address import shown
from fastaudio.registry.getting import fetch, loads, missing, require_extra, require_hash
from fastaudio.registry.home import folder_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from fastaudio.registry import Entry

_HELP = """\
fetch a model over the network

Show a model's size, licence and address, ask, fetch it, check its hash, and keep it in the folder of fetched
models. Its name then works as --model. Nothing else fetches a model.

examples:
  fastaudio models                              which models are here, and which can be fetched
  fastaudio get efficientat-mn10                asks first
  fastaudio get efficientat-mn10 --yes          for scripts
  fastaudio get ast --sha256 HASH               a file of which no page states the hash: you say which it is
  fastaudio tag song.mp3 --model efficientat-mn10

It needs the extra [get]: pip install 'fastaudio-toolkit[get]'. Models lie in FASTAUDIO_HOME, or else in the
platform's folder for data, such as ~/.local/share/fastaudio; removing a model's folder there removes it. A
proxy is taken from HTTPS_PROXY. A cut connection is taken up again, now or when you run it the next time.
"""

UNKNOWN_HASH = "no page states its hash: get it with your own --sha256"
"""The note on a model to fetch whose hash isn't known."""


def add(commands: Commands) -> None:
    """Add the command."""
    get = add_command(commands, "get", _run, _HELP)
    get.add_argument("name", metavar="NAME", help="a model that `fastaudio models` lists to fetch")
    get.add_argument("--yes", action="store_true", help="don't ask")
    get.add_argument(
        "--sha256", metavar="HASH", help="hash of the network, in hex, instead of the one that is known"
    )
    get.add_argument(
        "--url", metavar="URL", help="another address of the network: https, or http on localhost"
    )
    get.add_argument("--quiet", action="store_true", help="show no progress bar")


def _run(args: argparse.Namespace) -> int:
    if args.name not in registry.entries() and _is_shipped(args.name):
        sys.stdout.write(f"{printable(args.name)} comes with the package\n")
        return OK
    chosen = registry.entry(args.name).chosen(sha256=args.sha256, url=args.url)
    require_hash(chosen)
    if missing(chosen):
        require_extra()
        if not args.yes and not _agreed(chosen):
            complain("nothing was fetched")
            return FAILED
        if args.yes:
            tell(printable(_about(chosen), lines=True))
    with _bar(quiet=args.quiet) as show:
        card = fetch(chosen, show, check=loads)
    sys.stdout.write(printable(f"{chosen.name} is in {card.parent}") + "\n")
    return OK


def _is_shipped(name: str) -> bool:
    return any(path.parent.name == name for path in MODELS.glob("*/card.json"))


def _agreed(chosen: Entry) -> bool:
    """Show what would be fetched, and ask."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise ModelError(
            f"get: expected --yes, or a terminal to ask on, got neither; run: {chosen.command} --yes"
        )
    tell(printable(_about(chosen), lines=True) + "Fetch it? [y/N] ")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _about(chosen: Entry) -> str:
    lines = [f"{chosen.name}: {chosen.card['description']}", f"  licence      {chosen.card['licence']}"]
    lines.append(f"  page         {chosen.page}")
    for file in chosen.files:
        lines += [
            f"  from         {shown(file.url)}",
            f"  size         {file.size}",
            f"  sha256       {file.sha256 or 'not known'}",
        ]
        lines += [f"               read at {file.hash_read}"] if file.hash_read.startswith("https:") else []
        lines += [f"               read in {file.hash_read}"] if "public" in file.hash_read else []
    lines.append(f"  into         {folder_of(chosen.name)}")
    return "\n".join(map(printable, lines)) + "\n"


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Give a function that shows how much of a file is here, on stderr if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _, __: None
        return
    from tqdm import tqdm  # noqa: PLC0415  # needed on a terminal only

    with tqdm(unit="B", unit_scale=True, file=sys.stderr, leave=False, dynamic_ncols=True) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def to_fetch() -> list[Listed]:
    """Return the models that aren't here but can be fetched."""
    there = [entry for name, entry in registry.entries().items() if name not in registry.fetched()]
    return [_listed(entry) for entry in there]


def _listed(entry: Entry) -> Listed:
    rate, window_s = heard_at_once(entry.card) or (None, None)
    sizes = [file.n_bytes for file in entry.files]
    return Listed(
        name=entry.name,
        hears=str(entry.card["task"]),
        sample_rate=rate,
        window_s=window_s,
        size_bytes=None if None in sizes else sum(filter(None, sizes)),
        about_size=entry.files[0].about,
        licence=str(entry.card["licence"]),
        here=False,
        note="" if entry.files[0].sha256 else UNKNOWN_HASH,
    )


def about_entry(name: str) -> str | None:
    """Return what is known of a model that isn't here but can be fetched; None for any other name."""
    entry = registry.entries().get(name)
    if entry is None or name in registry.fetched():
        return None
    card = entry.card
    lines = [f"{name} isn't here", f"  to fetch     {entry.command}", *_about(entry).splitlines()[1:]]
    for key in ("task", "description", "trained_on", "citation"):
        columns = min(max(width(110), 40), 110)
        told = f"{key:<12} {card[key]}"
        lines += textwrap.wrap(told, columns, initial_indent="  ", subsequent_indent=" " * 15)
    return "\n".join(lines) + "\n"
