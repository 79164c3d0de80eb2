"""The standard streams: closed, full, of another encoding; and names that would control a terminal."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import cards, cli
from fastaudio.cli.terminal import complain, printable, put
from fastaudio.tags import Tags
from helpers import GUITAR

posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a shell of POSIX")


def shell(command: str, folder: Path, **environment: str) -> tuple[int, bytes, bytes]:
    """Run `fastaudio` with these words of a shell; return status, stdout and stderr."""
    line = f'"{sys.executable}" -m fastaudio {command}'
    result = subprocess.run(
        ["sh", "-c", line], cwd=folder, capture_output=True, check=False, env=os.environ | environment
    )
    assert b"Traceback" not in result.stderr
    assert b"Exception ignored" not in result.stderr
    return result.returncode, result.stdout, result.stderr


def damaged_mp3() -> bytes:
    """Return an MP3 with bits changed within frames, about which mpg123 writes to stderr."""
    buffer = io.BytesIO()
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * 44_100)
    soundfile.write(buffer, noise.astype(np.float32), 44_100, format="MP3")
    sound = bytearray(buffer.getvalue())
    frames = [match.start() for match in re.finditer(rb"\xff\xfb", sound)]
    for start in frames[3::3]:
        sound[start + 6 : start + 18] = b"\xff" * 12
    return bytes(sound)


def test_what_a_decoder_prints_by_itself_is_kept_away_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "damaged.mp3").write_bytes(damaged_mp3())
    quiet = shell("tag damaged.mp3 --quiet", tmp_path)[2]
    assert b"mpg123" not in quiet
    assert b"mpg123" in shell("tag damaged.mp3 --quiet --verbose", tmp_path)[2]


@pytest.mark.parametrize(
    "form", ["--json", "--jsonl", "--csv", "--json --output out.json", "--json --verbose"]
)
def test_what_a_decoder_prints_to_stdout_is_not_among_the_results(tmp_path: Path, form: str) -> None:
    soundfile.write(tmp_path / "a.sds", np.zeros(44_100, np.float32), 44_100, format="SDS", subtype="PCM_16")
    sound = bytearray((tmp_path / "a.sds").read_bytes())
    soundfile.write(tmp_path / "whole.wav", np.zeros(44_100, np.float32), 44_100)
    sound[21::127] = bytes(len(sound[21::127]))  # where each packet begins
    (tmp_path / "a.sds").write_bytes(sound)
    direct = [sys.executable, "-c", "import soundfile; soundfile.read('a.sds')"]
    printed = subprocess.run(direct, cwd=tmp_path, capture_output=True, check=False).stdout
    assert printed  # else this tests nothing
    out = shell(f"tag a.sds whole.wav {form}", tmp_path)[1]
    if "--output" in form:
        assert out == b""
        out = (tmp_path / "out.json").read_bytes()
    assert printed[:9] not in out
    if "--json " in form + " ":
        assert "whole.wav" in [one["path"] for one in json.loads(out)]


def test_streams_are_as_before_after_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "import os, sys; from fastaudio import cli\n"
        "before = sys.stdout, sys.stderr, os.fstat(1), os.fstat(2), len(os.listdir('/proc/self/fd'))\n"
        f"cli.main(['tag', {str(GUITAR)!r}]); cli.main(['models', 'no such model'])\n"
        "after = sys.stdout, sys.stderr, os.fstat(1), os.fstat(2), len(os.listdir('/proc/self/fd'))\n"
        "assert before[:2] == after[:2]\n"
        "assert list(map(os.path.samestat, before[2:4], after[2:4])) == [True] * 2\n"
        "assert before[4] == after[4], (before, after)\n"
        "print('still here'); sys.stderr.write('here too')"
    )
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc")
    del capfd
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(b"still here\n")
    assert done.stderr.endswith(b"here too")


@posix
def test_names_that_are_not_utf_8_do_no_harm_to_any_command(tmp_path: Path) -> None:
    try:
        shutil.copy(GUITAR, tmp_path / "caf\udce9.flac")
    except OSError:
        pytest.skip("a file system of UTF-8")
    bad = "\"$(printf 'caf\\351')\""
    for command, status, said in (
        (f"tag {bad}.flac", 0, b""),
        (f"embed {bad}.flac --output {bad}.npz", 0, b""),
        (f"pack musicnn-mtt -o {bad}.onnx", 0, b""),
        (f"unpack {bad}.onnx -o {bad}", 0, b""),
        (f"models {bad}.onnx", 2, rb"expected a path in UTF-8, got '"),
        (f"tag {bad}.flac --model {bad}", 2, rb"expected a path in UTF-8, got '"),
        (f"models none{bad}", 2, rb"got 'nonecaf\udce9'"),
        (f"models none{bad}.onnx", 2, b"got no file"),
        (f"tag none{bad}", 1, rb"nonecaf\xe9: expected an audio file"),
        (f"listen --realtime {bad}.flac --seconds 1 --jsonl", 0, b""),
        (f"evaluate musicnn-mtt {bad}", 2, b"expected audio files in sub-folders"),
        (f"tag {bad}.flac --{bad}", 2, rb"got --caf\xe9"),
        (f"{bad}", 2, b"expected one of tag"),
    ):
        got, out, err = shell(command, tmp_path)
        assert got == status, (command, err)
        assert said in err
        (out + err).decode("utf-8")
        assert b"udce9" not in out


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_closed_stream_keeps_no_result_from_a_file(tmp_path: Path, closed: str) -> None:
    assert shell(f"tag {GUITAR} --json --output tags.json {closed}", tmp_path) == (0, b"", b"")
    (tags,) = json.loads((tmp_path / "tags.json").read_text(encoding="utf-8"))
    assert len(tags["tags"]) == 5


@posix
@pytest.mark.parametrize("command", [f"tag {GUITAR}", f"tag {GUITAR} --json --output -", "models", "--help"])
def test_a_closed_stdout_is_told_where_the_result_goes_there(tmp_path: Path, command: str) -> None:
    status, out, err = shell(f"{command} >&-", tmp_path)
    assert (status, out) == (2, b"")
    assert b": expected a stream that is open, got a closed one; " in err
    assert shell(f"{command} >&- 2>&-", tmp_path) == (2, b"", b"")


@posix
def test_other_closed_streams_are_told_or_do_no_harm(tmp_path: Path) -> None:
    status, out, err = shell(f"tag {GUITAR} --top 1 2>&- <&-", tmp_path)
    assert (status, err, len(out.splitlines())) == (0, b"", 2)
    status, out, err = shell("tag - <&-", tmp_path)
    assert (status, out) == (2, b"")
    assert err == b"fastaudio: -: expected sound on stdin, got a closed stream; open it, or name a file\n"


@posix
@pytest.mark.parametrize(
    "command",
    ["tag - --output a.flac --force < a.flac", "tag a.flac >> a.flac", "tag a.flac --json 1<> a.flac"],
)
def test_what_the_shell_opened_is_an_input_or_an_output_too(tmp_path: Path, command: str) -> None:
    (tmp_path / "a.flac").write_bytes(GUITAR.read_bytes())
    status, out, err = shell(command, tmp_path)
    assert (status, out) == (2, b"")
    assert b"expected another file than the inputs" in err
    assert (tmp_path / "a.flac").read_bytes() == GUITAR.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("form", ["", "--json", "--csv"])
def test_a_full_disk_is_told_and_is_no_wrong_usage(tmp_path: Path, form: str) -> None:
    status, _, err = shell(f"tag {GUITAR} {form} > /dev/full", tmp_path)
    assert (status, err) == (1, b"fastaudio: stdout: expected room to write, got: No space left on device\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", ["tag", "embed", "plot", "features --preset vggish"])
def test_an_output_that_is_full_is_told_by_its_own_name(tmp_path: Path, command: str) -> None:
    status, out, err = shell(f"{command} {GUITAR} -o /dev/full", tmp_path)
    assert (status, out) == (1, b"")
    said = b"/dev/full: expected room to write, got: No space left on device; free some, and try again"
    assert said in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_stderr_that_takes_nothing_keeps_no_result_back(tmp_path: Path) -> None:
    status, out, _ = shell(f"tag {GUITAR} no.wav --json --output tags.json 2> /dev/full", tmp_path)
    assert (status, out) == (1, b"")
    assert len(json.loads((tmp_path / "tags.json").read_bytes())) == 1


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_data_is_utf_8_and_text_copes_with_any_terminal(tmp_path: Path, encoding: str) -> None:
    name = tmp_path / "é ♪.flac"
    name.write_bytes(GUITAR.read_bytes())
    for form in ("--json", "--jsonl", "--csv"):
        status, out, _ = shell(f'tag "{name}" {form}', tmp_path, PYTHONIOENCODING=encoding)
        assert status == 0
        assert name.name in out.decode("utf-8")
        if form != "--csv":
            data = json.loads(out)
            assert (data[0] if form == "--json" else data)["path"] == str(name)
    status, out, _ = shell(f'tag "{name}"', tmp_path, PYTHONIOENCODING=encoding)
    assert status == 0
    assert "\\u266a.flac" in out.decode(encoding)


def test_names_that_are_not_utf_8_are_spelled_in_valid_json(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.wav")
    found = fa.Pipeline.load()(GUITAR)
    monkeypatch.setattr(fa.Pipeline, "__call__", lambda *_, **__: found)
    for form in ("--json", "--jsonl", "--csv", None):
        output = tmp_path / f"out{form}"
        for where in ([], ["--output", str(output)]):
            assert cli.main(["tag", name, *([form] if form else []), *where]) == 0
        out = capsysbinary.readouterr().out
        assert out == output.read_bytes()
        text = out.decode("utf-8")
        if form in ("--json", "--jsonl"):
            data = json.loads(text)
            assert (data if form == "--jsonl" else data[0])["path"].encode("utf-8") == os.fsencode(
                tmp_path
            ) + b"/a\\xff.wav"
        else:
            assert "/a\\xff.wav" in text


def test_labels_and_names_cannot_control_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "\x1b]0;owned\x07\x9b2J\r\n\u202egnp"

    def spoil(*_: Any, **__: Any) -> Tags:
        tags = replace(found, labels=[evil + label for label in found.labels])
        assert isinstance(tags, Tags)
        return tags

    found = fa.Pipeline.load()(GUITAR)
    monkeypatch.setattr(fa.Pipeline, "__call__", spoil)
    cli.main(["tag", str(tmp_path / evil), "--top", "1"])
    cli.main(["tag", str(tmp_path / evil), "--top", "1", "--windows"])
    out, _ = capsys.readouterr()
    assert not set(out) & set(evil) - set("\n]0;owned2Jgnp")
    assert "\\x1b]0;owned\\x07\\x9b2J\\r\\n\\u202egnp" in out
    cards.save(tmp_path / "card.json", fa.Pipeline.load().node, {"description": evil})
    cli.main(["models", str(tmp_path / "card.json")])
    out, _ = capsys.readouterr()
    assert not set(out) & set("\x1b\x07\x9b\r\u202e")
    assert "owned" in out
    cli.main(["tag", str(tmp_path / evil), "--top", "1", "--json"])
    (data,) = json.loads(capsys.readouterr().out)
    assert data["tags"][0]["label"].startswith(evil)
    monkeypatch.undo()
    cli.main(["tag", str(tmp_path / evil), str(tmp_path / "no" / evil)])
    _, err = capsys.readouterr()
    assert "owned" in err
    assert not set(err) & set("\x1b\x07\x9b\r\u202e")


def test_a_message_is_at_most_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    complain("x: expected y, got " + "z" * 10**6 + "; do that")
    err = capsys.readouterr().err
    assert len(err) < 24 * 80
    assert err.startswith("fastaudio: x: expected y, got zzz")
    assert err.endswith("; do that\n")
    with pytest.raises(SystemExit):
        cli.main(["tag", "--" + "z" * 10**6])
    assert len(capsys.readouterr().err) < 24 * 80


def test_text_that_is_safe_stays_as_it_is() -> None:
    for text in ("guitar", "é ♪ 日本語 \u200d👩‍🎤\u3000", "C:\\music\\a.wav"):
        assert printable(text) == text
    assert printable("\udcc3\udca9 \udcff \ud800") == "\\udcc3\\udca9 \\udcff \\ud800"
    assert printable("\udcc3\udca9 \udcff") == "é \\xff"  # the locale didn't know UTF-8
    assert printable("a\nb") == "a\\nb"
    assert printable("a\nb", lines=True) == "a\nb"


def test_a_stdout_that_only_takes_text_gets_data_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert cli.main(["tag", str(GUITAR), "--json"]) == 0
    assert json.loads(out.getvalue())[0]["path"] == str(GUITAR)


def test_a_table_does_not_control_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    table = "a.wav\t\x1b]0;x\x07red\n"
    for kind, shown in ((Terminal, b"a.wav\t\\x1b]0;x\\x07red\n"), (io.TextIOWrapper, table.encode())):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", kind(raw, encoding="utf-8"))
        put(table)
        assert raw.getvalue() == shown
