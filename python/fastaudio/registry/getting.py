"""Getting a model: its files are fetched and checked; its card comes last, so it is whole or not here."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError, ModelError
from fastaudio._system.growing import kept
from fastaudio._system.reading import pieces
from fastaudio._system.writing import OutputError, check_folder, full_disk, writing
from fastaudio.registry.address import shown
from fastaudio.registry.asking import FetchError
from fastaudio.registry.entries import Entry, Remote, entry, list_named
from fastaudio.registry.home import CARD, folder_of
from fastaudio.registry.notice import NOTICE, notice
from fastaudio.registry.transfer import transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def get(
    name: str,
    *,
    sha256: str | None = None,
    url: str | None = None,
    progress: Callable[[int, int | None], None] = lambda _, __: None,
) -> Path:
    """Fetch a model over the network unless it is here, and return the path of its card.

    It is loaded once before it gets its name; `Pipeline.load(name)` loads it then. Its files lie in a folder
    of their own below `home()`, with a LICENSE that says whose the weights are. What came of a file before
    the connection was cut is kept there under another name, and the next call goes on from it.

    Args:
        name: one of `entries()`.
        sha256: hash of the network, in hex, instead of the entry's; needed where the entry has none.
        url: address of the network, instead of the entry's.
        progress: called with the bytes of the present file that are here and its total, None if unknown.

    Raises:
        FetchError: a file can't be fetched, or hasn't the hash or the size that it should have; or the extra
            [get] isn't installed.
        ModelError: no such entry, no hash, an address that isn't taken, or a network that doesn't fit the
            card: what was here before stays.
        OutputError: the folder can't be written, its disk is full, or another run fetches the model.
    """
    return fetch(entry(name).chosen(sha256=sha256, url=url), progress, check=loads)


def loads(card: Path) -> None:
    """Load a model, to find out whether its network fits its card.

    Raises:
        ModelError: it doesn't.
    """
    package = import_module("fastaudio")  # this room lies below what loads models
    package.Pipeline.load(card)


def fetch(
    chosen: Entry,
    progress: Callable[[int, int | None], None] = lambda _, __: None,
    *,
    check: Callable[[Path], None] = lambda _: None,
) -> Path:
    """Do what `get` does, for an entry with a hash or an address of your own.

    `check` is called with the card of what came, before it gets its names; if it raises, what was here stays.
    """
    require_hash(chosen)
    folder = folder_of(chosen.name)
    absent = missing(chosen)
    if absent:
        pooch = require_extra()
        check_folder(folder)
    with _new_in(folder) as new:
        for file in chosen.files:
            if file in absent:
                _fetch_file(pooch, file, folder, new, progress)
            else:
                with _refused(new / file.path):
                    _share(folder / file.path, new / file.path)
        content = json.dumps(_card(chosen, new), indent=2, ensure_ascii=False).encode("utf-8") + b"\n"
        card = folder / CARD
        written = {NOTICE: notice(chosen), CARD: content}
        if not absent and all(_holds(folder / name, text) for name, text in written.items()):
            return card
        for name, text in written.items():
            with writing(new / name, force=True) as out:
                out.write(text)
        _try(chosen, new, check)
        names = [*(file.path for file in absent), *written]
        for name in names:  # they were their owner's alone while they grew
            shutil.copymode(new / CARD, new / name)
        for name in names:
            with _refused(folder / name):
                (new / name).replace(folder / name)
    return card


@contextmanager
def _new_in(folder: Path) -> Iterator[Path]:
    """Give a folder for what comes, within the model's; neither is left if nothing came."""
    with _refused(folder, "a folder"):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            held = tempfile.TemporaryDirectory(dir=folder, prefix=".new-")
        except FileNotFoundError:  # another run that failed removed the folder meanwhile
            folder.mkdir(parents=True, exist_ok=True)
            held = tempfile.TemporaryDirectory(dir=folder, prefix=".new-")
    try:
        with held as text:
            yield Path(text)
    finally:
        with suppress(OSError):  # there is something in it
            folder.rmdir()


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _share(path: Path, new: Path) -> None:
    """Have a file under another name too, without a copy where the disk can."""
    try:
        new.hardlink_to(path.resolve())
    except (OSError, NotImplementedError):
        shutil.copyfile(path, new)


def _try(chosen: Entry, new: Path, check: Callable[[Path], None]) -> None:
    """Check what came."""
    try:
        check(new / CARD)
    except ModelError as error:
        got = str(error).replace(f"{new}{os.sep}", "")
        raise ModelError(
            f"get {chosen.name}: expected a network that fits the model's card, got: {got}; "
            "what was here before stays; give another file by --url and --sha256"
        ) from error


def require_hash(chosen: Entry) -> None:
    """Raise ModelError, with the line to run, if nothing says which bytes the network has."""
    if chosen.files[0].sha256 is None:
        raise ModelError(
            f"get {chosen.name}: expected the file's hash, got none, since no page is known that states it; "
            f"read it at {chosen.files[0].page or chosen.page}, then run: {chosen.command}"
        )


def missing(chosen: Entry) -> list[Remote]:
    """Return the files of a model that aren't here, or aren't those that are meant."""
    folder = folder_of(chosen.name)
    return [file for file in chosen.files if _hash_at(folder / file.path) != file.sha256]


def _hash_at(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        for piece in pieces(path):
            digest.update(piece)
    except OSError:
        return None
    return digest.hexdigest()


def _fetch_file(
    pooch: Any, file: Remote, folder: Path, new: Path, progress: Callable[[int, int | None], None]
) -> None:
    """Have a whole file in `new`; what came of it stays in the folder."""
    target = folder / file.path
    part = folder / f".{file.path}-{str(file.sha256)[:12]}.part"

    def download(_: str, output: str | Path, __: object) -> None:
        with kept(str(part), str(target)) as growing:
            try:
                _whole(file, growing, target, progress)
            except BaseException:
                with suppress(OSError):  # no room for the last of it
                    growing.flush()
                if os.fstat(growing.fileno()).st_size == 0:  # nothing to go on from
                    with suppress(OSError):
                        part.unlink()
                raise
            if os.name != "nt":  # while no other run can take it up
                os.replace(part, output)  # noqa: PTH105
        if os.name == "nt":
            os.replace(part, output)  # noqa: PTH105

    log = pooch.get_logger()
    level = log.level
    log.setLevel("WARNING")  # it would say on stderr what it does
    try:
        with _refused(target):
            _check_room(file, target, part)
            pooch.retrieve(file.url, f"sha256:{file.sha256}", fname=file.path, path=new, downloader=download)
    finally:
        log.setLevel(level)


def _whole(file: Remote, growing: Any, target: Path, progress: Callable[[int, int | None], None]) -> None:
    """Fetch all of a file, and check its hash; if its pieces don't fit together, fetch it anew, once."""
    for last in (False, True):
        joined = transfer(file, growing, progress)
        growing.seek(0)
        digest = hashlib.sha256()
        while piece := growing.read(1 << 20):
            digest.update(piece)
        if digest.hexdigest() == file.sha256:
            with full_disk(str(target)):
                growing.flush()
                os.fsync(growing.fileno())
            return
        growing.seek(0)
        growing.truncate()
        if last or not joined:
            raise FetchError(
                f"{shown(file.url)}: expected sha256 {file.sha256}, got {digest.hexdigest()}; it is another "
                "file, or was changed on the way: nothing is kept"
            )


def _card(chosen: Entry, folder: Path) -> dict[str, Any]:
    """Return the card as it lies beside the files: with hashes, labels, and where all came from."""
    card = json.loads(json.dumps(chosen.card))
    network = chosen.files[0]
    for node in card["pipeline"]:
        if node["node"] == "OnnxModel":
            node["sha256"] = network.sha256
    labels = card.pop("labels", None)
    if labels is not None:
        card["pipeline"].append({"node": "Tags", "labels": _labels(labels, folder)})
    card["fetched"] = [
        {"path": file.path, "url": shown(file.url), "sha256": file.sha256, "hash_read": file.hash_read}
        for file in chosen.files
    ]
    return dict(card)


def _labels(how: dict[str, Any], folder: Path) -> list[str]:
    if "file" in how:
        lines = (folder / how["file"]).read_text(encoding="utf-8").splitlines()
        return [line.strip().strip('"') for line in lines[1 if how.get("header") else 0 :] if line.strip()]
    without = set(how.get("without", ()))
    return [label for label in list_named(how["list"])["labels"] if label not in without]


def require_extra() -> Any:
    """Return the package that fetches; FetchError, with the line that installs it, if it isn't here."""
    try:
        import pooch  # noqa: PLC0415  # of the extra [get], which only this needs
    except ModuleNotFoundError as error:
        raise FetchError("get: expected pooch, got none; pip install 'fastaudio-toolkit[get]'") from error
    return pooch


@contextmanager
def _refused(path: Path, what: str = "a file") -> Iterator[None]:
    """Name a file in the system's errors."""
    try:
        with full_disk(str(path)):
            yield
    except OSError as error:
        if isinstance(error, FastaudioError):
            raise
        raise OutputError(
            f"{path}: expected {what} that can be written, got: {error.strerror or error}; "
            "set FASTAUDIO_HOME to another folder"
        ) from error


def _check_room(file: Remote, target: Path, part: Path) -> None:
    """Raise OutputError before anything is fetched if the disk has no room for it."""
    have = part.stat().st_size if part.is_file() else 0
    free = shutil.disk_usage(target.parent).free
    if file.n_bytes is not None and file.n_bytes - have > free:
        error = OutputError(
            f"{target}: expected room for {file.n_bytes:,} bytes, got {free + have:,}; "
            "free some, and try again"
        )
        error.errno = errno.ENOSPC
        raise error
