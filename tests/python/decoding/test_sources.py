"""Whatever sound is given as is read, or an error says what is wrong with it."""

from __future__ import annotations

import errno
import http.server
import io
import os
import subprocess
import sys
import threading
import urllib.request
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.decoding.audio_file import AudioFile, DecodeError, is_file_like, name_of
from fastaudio.decoding.sources import Source
from sound_files import RATE, decoded, noise, written

if TYPE_CHECKING:
    from collections.abc import Iterator

WAV = written(noise(0.5, 2), "WAV", "PCM_16")
MP3 = written(noise(0.5), "MP3")
WANTED = decoded(WAV)[0]
posix = pytest.mark.skipif(sys.platform == "win32", reason="names and pipes are POSIX's")


@pytest.fixture(autouse=True)
def no_word_from_decoders(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


def refused(source: Any) -> str:
    with pytest.raises(DecodeError) as caught:
        AudioFile(source)
    assert "expected " in caught.value.reason
    assert ", got" in caught.value.reason
    return caught.value.reason


class OnlyReads:
    """As little of a file object as there may be; it gives less than it is asked for."""

    def __init__(self, data: bytes, at_most: int = 777) -> None:
        self.file = io.BytesIO(data)
        self.at_most = at_most

    def read(self, n: int = -1) -> bytes:
        return self.file.read(min(n, self.at_most) if n >= 0 else n)


class ShortRaw(io.RawIOBase):
    """A raw file, which may read less than it could."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer: Any) -> int:
        return self.file.readinto(memoryview(buffer)[:333])


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, io.BytesIO, OnlyReads, ShortRaw])
@pytest.mark.parametrize("data", [WAV, MP3, written(noise(0.5, 2), "OGG"), written(noise(0.5), "FLAC")])
def test_bytes_and_file_objects_of_every_kind_are_read_as_the_file(
    make: Any, data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "sound"
    path.write_bytes(data)
    assert np.array_equal(decoded(make(data))[0], decoded(path)[0])
    assert is_file_like(make(data))


def test_a_pipeline_takes_the_bytes_of_a_file() -> None:
    pipe = fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE))
    rows = pipe(WAV)
    assert np.array_equal(rows, pipe(io.BytesIO(WAV)))
    assert np.array_equal(next(pipe.map([memoryview(WAV)])), rows)


def test_the_output_of_a_process_is_read() -> None:
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    for bufsize in (-1, 0):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=bufsize
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(WAV)
            process.stdin.close()
            assert name_of(process.stdout) == "<file object>"  # its own is a number
            assert np.array_equal(decoded(process.stdout)[0], WANTED)


def test_an_http_response_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), partial(Silent, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/a.wav") as response:
            assert np.array_equal(decoded(response)[0], WANTED)
        thread.join()


@posix
def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    thread = threading.Thread(target=path.write_bytes, args=(WAV,))
    thread.start()
    assert np.array_equal(decoded(path)[0], WANTED)
    thread.join()


def test_a_file_object_is_read_from_its_position_on_and_stays_open() -> None:
    file = io.BytesIO(b"before" + WAV)
    file.seek(6)
    assert np.array_equal(decoded(file)[0], WANTED)
    assert not file.closed
    file.seek(0)
    file.read()
    assert "got its end; call its seek(0) first" in refused(file)
    file.seek(100)
    assert "it was read from byte 100 on" in refused(file)


def test_closed_and_text_mode_file_objects_are_said(tmp_path: Path) -> None:
    file = io.BytesIO(WAV)
    file.close()
    assert "got a closed one" in refused(file)
    assert "text mode; open it with 'rb'" in refused(io.StringIO("words"))
    (tmp_path / "a.wav").write_bytes(WAV)
    with (tmp_path / "a.wav").open(encoding="latin-1") as text:
        assert "text mode; open it with 'rb'" in refused(text)

    class Text:
        def read(self, n: int = -1) -> str:
            return "words"[:n]

    assert "text mode" in refused(Text())
    assert "an empty file" in refused(b"")
    assert "an empty file" in refused(OnlyReads(b""))


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), KeyboardInterrupt(), MemoryError(), OSError(5, "broken")]
)
@pytest.mark.parametrize("data", [WAV * 1, MP3, written(noise(0.5, 2), "OGG")])
def test_what_a_file_object_raises_comes_back_as_it_is(error: BaseException, data: bytes) -> None:
    class Breaks(io.BytesIO):
        left = 0

        def read(self, n: int | None = -1) -> bytes:
            if n:
                self.left -= 1
            if self.left < 0:
                raise error
            return super().read(n)

    n_reads = 0
    while True:
        file = Breaks(data)
        file.left = n_reads
        try:
            samples = decoded(file)[0]
        except type(error) as raised:
            assert raised is error  # noqa: PT017  # at whichever read
            n_reads += 1
        else:
            break
    assert n_reads > 2
    assert len(samples) > 0.4 * RATE


class Named(io.BytesIO):
    def __init__(self, **names: object) -> None:
        super().__init__(WAV)
        self.__dict__.update(names)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (Named(name="a.wav"), "a.wav"),
        (Named(name=b"a.wav"), "a.wav"),
        (Named(name=3), "<file object>"),
        (Named(name=""), "<file object>"),
        (Named(name=None, filename="upload.wav"), "upload.wav"),
        (Named(name="field", filename="upload.wav"), "upload.wav"),
        (Named(), "<file object>"),
        (WAV, "<bytes>"),
        (memoryview(WAV), "<bytes>"),
        ("a.wav", "a.wav"),
        (Path("a.wav"), "a.wav"),
    ],
)
def test_a_source_has_a_name_for_messages_and_results(source: Any, name: str) -> None:
    assert name_of(source) == name
    if not isinstance(source, str | Path):
        with AudioFile(source) as file:
            assert file.name == name


def test_an_upload_of_an_asynchronous_framework_is_read_by_its_file() -> None:
    class Upload:
        filename = "song.wav"
        file = io.BytesIO(WAV)

        async def read(self, n: int = -1) -> bytes:
            return self.file.read(n)

    with AudioFile(Upload()) as file:  # type: ignore[arg-type]
        assert file.name == "song.wav"
        assert sum(len(block) for block in file.blocks()) == len(WANTED)

    class Awaited:
        async def read(self, n: int = -1) -> bytes:
            return WAV[:n]

    assert "got one to await" in refused(Awaited())


@posix
@pytest.mark.parametrize("suffix", [b"wav", b"mp3", b"m4a"])
def test_a_name_that_is_not_utf_8_is_read_and_said(suffix: bytes, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9." + suffix
    try:
        Path(os.fsdecode(path)).write_bytes(MP3 if suffix == b"mp3" else WAV)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with AudioFile(os.fsdecode(path)) as file:
        assert os.fsencode(file.name) == path
        assert sum(len(block) for block in file.blocks()) > 0.4 * RATE


@posix
@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_a_name_outside_ascii_is_read_in_any_locale(locale: str, tmp_path: Path) -> None:
    (tmp_path / "naïve ♪.wav").write_bytes(WAV)
    code = (
        "import sys; from fastaudio.decoding.audio_file import AudioFile; "
        "print(sum(len(b) for b in AudioFile(sys.argv[1]).blocks()))"
    )
    environment = os.environ | {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "naïve ♪.wav"],
        capture_output=True,
        env=environment,
        check=True,
    )
    assert int(done.stdout) == len(WANTED)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "got permission denied; "),
        (errno.EMFILE, "got too many open files; close some, or raise the limit (ulimit -n)"),
        (errno.EIO, "got input/output error"),
        (errno.ENOENT, "got no such file"),
    ],
)
def test_what_the_system_refuses_is_said(
    number: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(WAV)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("builtins.open", refuse)
    reason = refused(path)
    monkeypatch.undo()
    assert said in reason
    assert "System error" not in reason


@posix
def test_the_last_descriptor_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    code = """
import os, resource, sys
from fastaudio.decoding.audio_file import AudioFile, DecodeError
list(AudioFile(sys.argv[1]).blocks())
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
try:
    AudioFile(sys.argv[1])
except DecodeError as error:
    print(error.reason)
os.close(taken.pop())
print(sum(len(block) for block in AudioFile(sys.argv[1]).blocks()))
"""
    command = [sys.executable, "-W", "ignore", "-c", code, tmp_path / "a.wav"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    reason, n_samples = done.stdout.splitlines()
    assert "got too many open files" in reason
    assert int(n_samples) == len(WANTED)


@posix
def test_devices_are_refused() -> None:
    assert "got a device" in refused(os.devnull)
    assert "got a device" in refused("/dev/zero")


def test_a_source_reads_no_more_than_there_is() -> None:
    source = Source(io.BytesIO(b"0123456789"))
    assert source.size == 10
    assert source.read(8, 5) == b"89"
    assert source.read(10, 5) == b""
    assert source.read(99, 5) == b""


@pytest.mark.parametrize("ahead", [1, 4])
def test_a_file_that_is_closed_while_it_is_decoded_ends(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastaudio.decoding.audio_file._BLOCKS_AHEAD", ahead)
    file = AudioFile(written(noise(40.0, 2), "WAV"))
    blocks = file.blocks()
    next(blocks)
    file.close()
    file.close()
    assert sum(1 for _ in blocks) <= ahead + 1
