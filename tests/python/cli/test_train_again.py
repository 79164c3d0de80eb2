"""Training again: embeddings are kept, and a run that broke off goes on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from cli_helpers import run
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.heads import rows

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_embeddings_are_kept_for_the_next_run(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", sounds, "--model", base, "--quiet"]
    status, first, err = run(capsys, *train, "-o", tmp_path / "a")
    assert (status, err) == (0, "")
    cache = tmp_path / "fastaudio-embeddings"
    assert len(list(cache.rglob("*.npz"))) == 8
    status, again, err = run(capsys, *train, "-o", tmp_path / "b")
    assert (status, err) == (0, f"fastaudio: 8 of 8 embeddings from {cache}\n")
    assert again.replace("/b", "/a") == first
    card = (tmp_path / "a" / "card.json").read_text(encoding="utf-8")
    assert (tmp_path / "b" / "card.json").read_text(encoding="utf-8").replace('"b"', '"a"') == card
    for k, how in enumerate((["--kind", "mlp"], ["--average", "--l2"], ["--penalty", 1])):
        _, _, err = run(capsys, *train, "-o", tmp_path / f"{k}", *how)
        assert err == f"fastaudio: 8 of 8 embeddings from {cache}\n"
    _, _, err = run(capsys, *train, "-o", tmp_path / "none", "--no-cache")
    assert err == ""
    _, _, err = run(capsys, *train, "-o", tmp_path / "other", "--cache", tmp_path / "cache")
    assert err == ""
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 8


def test_an_interrupted_run_goes_on(
    base: Path,
    sounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = ["train", sounds, "-o", tmp_path / "mine", "--model", base, "--jobs", 1]
    seen: list[str] = []

    class Interrupted(AudioFile):
        def __init__(self, source: str) -> None:
            seen.append(source)
            if len(seen) == 6:
                raise KeyboardInterrupt
            super().__init__(source)

    with monkeypatch.context() as patch:
        patch.setattr(rows, "AudioFile", Interrupted)
        status, out, err = run(capsys, *train)
    cache = tmp_path / "fastaudio-embeddings"
    assert (status, out) == (130, "")
    assert f"embeddings are kept in {cache}; the same command goes on from there\n" in err
    kept = len(list(cache.rglob("*.npz")))
    assert 5 <= kept <= 7
    assert not list(cache.rglob(".*"))
    status, _, err = run(capsys, *train)
    assert (status, err) == (0, f"fastaudio: {kept} of 8 embeddings from {cache}\n")


KILLED = """
import os, sys
from fastaudio import cli
from fastaudio.heads import rows

class Killed(rows.AudioFile):
    n_opened = 0

    def __init__(self, source):
        Killed.n_opened += 1
        if Killed.n_opened == 6:
            os._exit(9)  # at once, as SIGKILL does
        super().__init__(source)

rows.AudioFile = Killed
cli.main(sys.argv[1:])
"""


def test_a_run_that_was_killed_goes_on(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = [*map(str, ["train", sounds, "-o", tmp_path / "mine", "--model", base, "--jobs", 1])]
    killed = subprocess.run([sys.executable, "-c", KILLED, *train], check=False)
    assert killed.returncode == 9
    kept = len(list((tmp_path / "fastaudio-embeddings").rglob("*.npz")))
    assert kept == 5
    status, _, err = run(capsys, *train)
    assert (status, err) == (0, f"fastaudio: 5 of 8 embeddings from {tmp_path / 'fastaudio-embeddings'}\n")
