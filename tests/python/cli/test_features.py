"""fastaudio features writes what the preset gives, with its times, however long the sound is."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio import presets
from fastaudio.cli import row_spool
from fastaudio.cli.features import SCHEMA
from fastaudio.cli.row_spool import clips_of, spool
from fastaudio.importing.fronts import front_of
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two sounds and one that can't be read."""
    samples, rate = decode(GUITAR)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    soundfile.write(tmp_path / "in" / "a.wav", samples[: 3 * rate], rate)
    soundfile.write(tmp_path / "in" / "sub" / "c, ♪.flac", samples[2 * rate : 4 * rate], rate)
    return tmp_path / "in"


def files_of(folder: Path) -> list[Path]:
    return [folder / "a.wav", folder / "sub" / "c, ♪.flac"]


@pytest.mark.parametrize("preset", ["vggish", "kaldi_fbank", "mfcc_statistics", "harmonic_cnn"])
def test_rows_and_times_are_those_of_the_preset(
    preset: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.npz"
    status, said, err = run(capsys, "features", folder, "--preset", preset, "--output", out)
    pipeline = fa.Pipeline(front_of(preset, {}))
    want = [pipeline(path) for path in files_of(folder)]
    got = load(out)
    shape = list(want[0].shape[1:])
    assert (status, said, err) == (0, f"{out}: {sum(map(len, want))} rows {shape} of 2 files\n", "")
    assert got["rows"].dtype == np.float32
    assert got["rows"].tobytes() == np.concatenate(want).tobytes()
    assert got["paths"].tolist() == list(map(str, files_of(folder)))
    assert np.bincount(got["path"]).tolist() == list(map(len, want))
    times = np.concatenate([pipeline.times(rows, duration_s=s) for rows, s in zip(want, (3, 2), strict=True)])
    assert (
        np.stack([got["start_s"], got["end_s"]], axis=1).tolist()
        == np.minimum(times, np.where(got["path"] == 0, 3.0, 2.0)[:, None]).tolist()
    )
    assert [str(got[key]) for key in ("schema", "preset", "options")] == [SCHEMA, preset, "{}"]


def test_options_hop_mean_and_channel_are_those_of_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.npz"
    call = ["features", GUITAR, "--output", out, "--force", "--preset"]
    assert run(capsys, *call, "kaldi_fbank", "--option", "n_mels=40", "--mean", "--channel", 1)[0] == 0
    want = (fa.Pipeline(presets.kaldi_fbank(n_mels=40), channel=1) >> fa.Mean())(GUITAR)
    got = load(out)
    assert got["rows"].tobytes() == want.tobytes()
    assert json.loads(str(got["options"])) == {"n_mels": 40}
    assert run(capsys, *call, "vggish", "--hop", 0.25, "--jobs", 2)[0] == 0
    assert load(out)["rows"].tobytes() == fa.Pipeline(presets.vggish()).with_hop(0.25)(GUITAR).tobytes()


def test_csv_and_parquet_hold_the_same_numbers(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("out.npz", "out.csv"):
        assert run(capsys, "features", folder, "--preset", "vggish", "--output", tmp_path / name)[0] == 0
    got = load(tmp_path / "out.npz")
    head, *rows = csv.reader(io.StringIO((tmp_path / "out.csv").read_text("utf-8")))
    assert head[:5] == ["path", "start_s", "end_s", "x0_0", "x0_1"]
    assert head[-1] == "x95_63"
    assert [row[0] for row in rows] == got["paths"][got["path"]].tolist()
    assert [[float(x) for x in row[1:3]] for row in rows] == pytest.approx(
        np.stack([got["start_s"], got["end_s"]], axis=1), abs=1e-6
    )
    numbers = np.array([row[3:] for row in rows]).astype(np.float32)
    assert numbers.tobytes() == got["rows"].tobytes()
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install '.[parquet]'")
    assert run(capsys, "features", folder, "--preset", "vggish", "--output", tmp_path / "out.parquet")[0] == 0
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["path", "start_s", "end_s", "row"]
    flat = np.array(table["row"].combine_chunks().flatten())
    assert flat.astype(np.float32).tobytes() == got["rows"].tobytes()
    assert table.schema.metadata[b"preset"] == b"vggish"


def test_rows_are_read_in_blocks_whose_size_changes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ["features", folder, "--preset", "kaldi_fbank", "--output"]
    for ending in ("npz", "csv"):
        whole, parts = tmp_path / f"whole.{ending}", tmp_path / f"parts.{ending}"
        assert run(capsys, *call, whole)[0] == 0
        with monkeypatch.context() as patch:
            patch.setattr(row_spool, "_BLOCK_BYTES", 7 * 4 * 80)
            assert run(capsys, *call, parts)[1] == run(capsys, *call, whole, "--force")[1].replace(
                "whole", "parts"
            )
        assert parts.read_bytes() == whole.read_bytes()


def test_a_long_recording_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    import subprocess

    peaks = []
    for minutes in (1, 20):
        soundfile.write(tmp_path / "long.wav", np.zeros(minutes * 60 * 16_000, np.int16), 16_000)
        words = ["features", str(tmp_path / "long.wav"), "--preset", "kaldi_fbank", "--quiet", "--force"]
        words += ["--output", str(tmp_path / "out.npz")]
        code = f"import resource; from fastaudio import cli; cli.main({words!r})\n"
        code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        peaks.append(int(result.stdout.split()[-1]) / (1024 if sys.platform == "linux" else 2**20))
    n_mb = (tmp_path / "out.npz").stat().st_size / 2**20
    assert n_mb > 35
    assert peaks[1] - peaks[0] < n_mb / 2, peaks
    assert resource is not None


def test_files_that_fail_are_named_kept_out_and_run_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, bad = tmp_path / "out.csv", folder / "b.wav"
    bad.write_bytes(b"no sound")
    call = ["features", folder, "--preset", "kaldi_fbank", "--output", out]
    status, said, err = run(capsys, *call)
    assert status == 1
    assert f"fastaudio: {bad}: expected audio" in err
    assert "1 of 3 files failed" in err
    assert "of 2 files" in said
    shutil.copy(folder / "a.wav", bad)

    def only(pipeline: fa.Pipeline, source: Any, *args: Any, **how: Any) -> Any:
        assert source == str(bad)
        return spool(pipeline, source, *args, **how)

    monkeypatch.setattr("fastaudio.cli.features.spool", only)
    status, said, err = run(capsys, *call, "--resume")
    assert (status, "2 of 3 files are done already" in err) == (0, True)
    monkeypatch.undo()
    whole = tmp_path / "whole.csv"
    assert run(capsys, *call[:-1], whole)[0] == 0
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.part"))
    status, _, err = run(capsys, *call[:-1], tmp_path / "new.csv", "--option", "n_mels")
    assert (status, "features: expected --option NAME=VALUE, got 'n_mels'" in err) == (2, True)


def test_a_record_that_the_preset_cannot_have_given_is_refused(tmp_path: Path) -> None:
    pipeline = fa.Pipeline(presets.kaldi_fbank())
    (spec,) = pipeline.output_specs.values()
    spooled = spool(pipeline, str(GUITAR), str(tmp_path), progress=None)
    with spooled.file as file:
        good = file.read()
    assert sum(len(clip.rows) for clip in clips_of("a", io.BytesIO(good), spec)) == len(pipeline(GUITAR))
    head = json.loads(good[:256])
    many = json.dumps(head | {"rows": 10**9}).encode().ljust(256)
    nan = good[:256] + np.float32([np.nan]).tobytes() + good[260:]
    wrong = [b"", b"{}", good[:-4], good + b"x", many + good[256:], nan]
    for name, value in (
        ("duration_s", "1"),
        ("duration_s", 1e400),
        ("rows", -1),
        ("rows", 1.5),
        ("truncated", 1),
    ):
        wrong.append(json.dumps(head | {name: value}).encode().ljust(256) + good[256:])
    for content in wrong:
        with pytest.raises(ValueError, match="rows"):
            list(clips_of("a", io.BytesIO(content), spec))


def test_rows_go_to_stdout_too(folder: Path, tmp_path: Path) -> None:
    import subprocess

    command = [
        sys.executable,
        "-m",
        "fastaudio",
        "features",
        str(folder),
        "--preset",
        "kaldi_fbank",
        "-o",
        "-",
    ]
    result = subprocess.run(command, capture_output=True, check=True)
    (tmp_path / "out.npz").write_bytes(result.stdout)
    assert len(load(tmp_path / "out.npz")["paths"]) == 2
    assert b"rows [80] of 2 files" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
@pytest.mark.parametrize("n_bytes", [20_000, 100, 0])
@pytest.mark.parametrize("where", ["temporary", "beside"])
def test_room_that_is_missing_for_rows_ends_the_run_once(
    folder: Path, tmp_path: Path, where: str, n_bytes: int
) -> None:
    import os
    import subprocess

    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({n_bytes}, {n_bytes}))\n"
        "from fastaudio.cli import program; program()"
    )
    out = "-" if where == "temporary" else str(tmp_path / "out.npz")
    full = tmp_path / "temporary" if where == "temporary" else tmp_path
    full.mkdir(exist_ok=True)
    command = [sys.executable, "-c", limited, "features", str(folder), "--preset", "kaldi_fbank", "-o", out]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": str(full)}
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    if n_bytes == 0 and where == "temporary":
        assert done.stderr.startswith("fastaudio: TMPDIR: expected a folder for temporary files with room")
    else:
        assert done.stderr.startswith(f"fastaudio: {full}")
        assert done.stderr.endswith(
            ": expected room to write, got: File too large; free some, and try again\n"
        )


def test_wrong_usage_is_told_before_the_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, said in (
        (["--preset", "vgish", "-o", "x.npz"], "did you mean vggish?"),
        (
            ["--preset", "vggish", "-o", "x.txt"],
            "expected a file that ends in .npz, .parquet or .csv, got 'x.txt'",
        ),
        (
            ["--preset", "vggish", "-o", "x.npz", "--option", "mels=3"],
            "preset vggish: expected options among",
        ),
        (["--preset", "kaldi_fbank", "-o", "x.npz", "--hop", "1"], "with_hop: expected"),
    ):
        status, out, err = run(capsys, "features", folder, *options)
        assert (status, out, said in err) == (2, "", True), err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
