"""Results appear under their names whole or not at all, and never in the place of an input."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import fastaudio as fa
import pytest
from fastaudio._system.writing import (
    Output,
    OutputError,
    _Named,
    check_folder,
    check_writable,
    is_stream,
    writing,
    writing_all,
)

needs_links = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes of POSIX")


def held(folder: Path) -> dict[str, bytes]:
    """The files of a folder, hidden ones as well."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write(path: Path | str, content: bytes, *, force: bool = False) -> None:
    with writing(path, force=force) as file:
        file.write(content)


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with writing(tmp_path / "a", force=False) as file:
        file.write(b"half")
        file.flush()
        assert not (tmp_path / "a").exists()
        file.write(b", whole")
    assert held(tmp_path) == {"a": b"half, whole"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("before", [{}, {"a": b"dear"}])
def test_after_an_error_what_was_there_stays(
    tmp_path: Path, error: type[BaseException], before: dict[str, bytes]
) -> None:
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error), writing(tmp_path / "a", force=True) as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert held(tmp_path) == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_is_named_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "a").write_bytes(b"dear")

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    said = f"a: expected room to write, got: {os.strerror(number)}"
    with pytest.raises(OutputError, match=said) as caught:
        write(tmp_path / "a", b"new", force=True)
    assert caught.value.errno == number
    assert held(tmp_path) == {"a": b"dear"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_each_write_names_the_file_by_itself() -> None:
    said = r"^a: expected room to write, got: No space left"
    with _Named(os.open("/dev/full", os.O_WRONLY), "a") as file, pytest.raises(OutputError, match=said):
        file.write(b"new")


def test_a_fault_is_the_outputs_only_where_writing_meets_it(tmp_path: Path) -> None:
    fault = OSError(errno.EIO, os.strerror(errno.EIO))
    with pytest.raises(OSError, match="Input/output error") as caught, writing(tmp_path / "a", force=False):
        raise fault  # as an input that is read may
    assert caught.value is fault
    assert not held(tmp_path)


def test_a_file_that_is_there_needs_force(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"dear")
    with pytest.raises(OutputError, match=r"a: expected no file there, got one; .*--force"):
        write(tmp_path / "a", b"new")
    assert held(tmp_path) == {"a": b"dear"}
    write(tmp_path / "a", b"new", force=True)
    assert held(tmp_path) == {"a": b"new"}


def test_of_two_runs_at_once_the_second_replaces_nothing(tmp_path: Path) -> None:
    with (  # noqa: PT012
        pytest.raises(OutputError, match="got one that came meanwhile"),
        writing(tmp_path / "a", force=False) as slow,
    ):
        slow.write(b"slow")
        write(tmp_path / "a", b"fast")
    assert held(tmp_path) == {"a": b"fast"}


@pytest.mark.parametrize("taken", [False, True])
def test_without_hard_links_it_still_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", refuse)
    if taken:
        with pytest.raises(OutputError, match="came meanwhile"), writing(tmp_path / "a", force=False):
            (tmp_path / "a").write_bytes(b"dear")
        assert held(tmp_path) == {"a": b"dear"}
    else:
        write(tmp_path / "a", b"new")
        assert held(tmp_path) == {"a": b"new"}


@needs_links
def test_a_mode_is_handed_on_and_a_new_files_is_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "old").chmod(0o640)
    write(tmp_path / "old", b"new", force=True)
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640
    (tmp_path / "usual").touch()
    write(tmp_path / "new", b"new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="a folder is opened to be read here")
@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_cannot_be_listed_is_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    opened, really_open = [], os.open

    def refuse(path: str, flags: int, *rest: int, **where: int) -> int:  # root may list anything
        opened.append(flags)
        if flags & os.O_DIRECTORY and not flags & os.O_PATH:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return really_open(path, flags, *rest, **where)

    monkeypatch.setattr(os, "open", refuse)
    (tmp_path / "dropbox").mkdir(0o300)
    write(tmp_path / "dropbox" / "a", b"new", force=force)
    assert any(flags & os.O_DIRECTORY for flags in opened)
    (tmp_path / "dropbox").chmod(0o700)
    assert held(tmp_path / "dropbox") == {"a": b"new"}


@needs_links
def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to("there/a")
    with pytest.raises(OutputError, match="expected no file there"):
        write(tmp_path / "link", b"new")
    write(tmp_path / "link", b"new", force=True)
    assert (tmp_path / "link").is_symlink()
    assert held(tmp_path / "there") == {"a": b"new"}
    (tmp_path / "dangling").symlink_to("there/b")
    with pytest.raises(OutputError, match="expected no file there"):
        check_writable(tmp_path / "dangling", force=False)
    write(tmp_path / "dangling", b"b", force=True)
    assert held(tmp_path / "there") == {"a": b"new", "b": b"b"}


@needs_links
def test_an_input_is_never_an_output_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.wav").write_bytes(b"sound")
    (tmp_path / "soft.wav").symlink_to("a.wav")
    os.link(tmp_path / "a.wav", tmp_path / "hard.wav")
    monkeypatch.chdir(tmp_path)
    for name in (
        "a.wav",
        "./a.wav",
        "sub/../a.wav",
        "missing/../a.wav",
        "soft.wav",
        "hard.wav",
        tmp_path / "a.wav",
    ):
        for force in (False, True):
            with pytest.raises(OutputError, match=r"expected another file than the inputs, got .*wav"):
                check_writable(name, force=force, inputs=["other.wav", tmp_path / "a.wav"])
            if "missing" not in str(name):  # that is no file that could be read
                with pytest.raises(OutputError, match="expected another file than the inputs"):
                    check_writable("a.wav", force=force, inputs=[name])
    with pytest.raises(OutputError, match="expected another file"):  # it isn't there yet
        check_writable("sub/../new.wav", force=True, inputs=["new.wav"])
    check_writable("sub/a.wav", force=False, inputs=["a.wav"])


@needs_links
def test_what_cannot_be_written_is_found_out_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name, said in (
        (tmp_path, "expected the name of a file to write, got a folder's"),
        (f"{tmp_path}/new/", "expected the name of a file to write, got a folder's"),
        (tmp_path / "no" / "a", "expected a folder .*no, got none; create it first"),
        (tmp_path / "file" / "a", "expected a folder .*file, got a file"),
        ("", "expected the name of a file to write"),
    ):
        with pytest.raises(OutputError, match=said):
            check_writable(name, force=True)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="expected"):
        write(tmp_path / "loop", b"", force=False)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # noqa: ARG005  # root may write anywhere
    with pytest.raises(OutputError, match="expected a folder that can be written into"):
        check_writable(tmp_path / "new", force=False)
    with pytest.raises(OutputError, match="got a read-only one"):
        check_writable(tmp_path / "file", force=True)


def test_a_folder_can_be_made_where_one_of_its_parents_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    check_folder(tmp_path)
    check_folder(tmp_path / "new" / "newer")
    for name in ("file", "file/new"):
        with pytest.raises(OutputError, match="expected the name of a folder, got a file's"):
            check_folder(tmp_path / name)
    assert held(tmp_path) == {"file": b""}


@needs_links
def test_pipes_and_devices_are_written_straight(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write(tmp_path / "pipe", b"flows")
    reader.join()
    assert got == [b"flows"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    write(os.devnull, b"gone")
    assert Path(os.devnull).is_char_device()
    assert is_stream(os.devnull)
    assert not is_stream(tmp_path / "new")


@needs_links
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_is_appended_to_even_where_it_is_a_file(tmp_path: Path, name: str) -> None:
    if name.startswith("/proc") and not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc")
    (tmp_path / "out").write_bytes(b"before ")
    code = (
        "import sys; from fastaudio._system.writing import writing\n"
        "sys.stdout.write('said ')\n"
        f"with writing({name!r}, force=False) as file: file.write(b'written')"
    )
    with (tmp_path / "out").open("ab") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert held(tmp_path) == {"out": b"before said written"}


@needs_links
def test_a_stream_that_is_an_input_or_closed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    code = (
        "import sys; from fastaudio._system.writing import OutputError, check_writable\n"
        "try: check_writable('-', force=False, inputs=[sys.argv[1]])\n"
        "except OutputError as error: sys.stderr.write(str(error))"
    )
    for shell, said in ((">> a.wav", "another file than the inputs"), (">&-", "got a closed one")):
        command = f'"$0" -c "$1" a.wav {shell}'
        result = subprocess.run(
            ["sh", "-c", command, sys.executable, code],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
        assert said in result.stderr


def test_an_output_error_is_an_os_error_and_one_of_ours() -> None:
    assert issubclass(OutputError, OSError)
    assert issubclass(OutputError, fa.FastaudioError)


def test_of_several_files_none_is_replaced_if_one_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [tmp_path / "network", tmp_path / "card"]
    for path in names:
        path.write_bytes(b"old")
    done = []

    def fsync(_: int) -> None:
        done.append(None)
        if len(done) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)

    def replace_both() -> None:
        with writing_all([Output(name, force=True) for name in names]) as files:
            for file in files:
                file.write(b"new")

    with pytest.raises(OutputError, match="expected room"):
        replace_both()
    assert held(tmp_path) == {"network": b"old", "card": b"old"}


def test_what_lies_below_a_folder_may_be_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("site").mkdir()
    home = Path("site")
    names = ("a", "deep/b")
    with writing_all(Output(home / name, force=True, below=home) for name in names) as files:
        for file in files:
            file.write(b"x")
    assert [(tmp_path / "site" / name).read_bytes() for name in names] == [b"x", b"x"]
