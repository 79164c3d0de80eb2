"""fastaudio embed writes what the pipeline gives, and its times."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import cli
from fastaudio.cli import embedding_files
from fastaudio.cli.embedding_files import SCHEMA
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of `fastaudio embed`."""
    status = cli.main(["embed", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


def load(path: Path) -> dict[str, NDArray[Any]]:
    """Return all that an .npz holds; nothing in it is a pickle."""
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a tree with three clips, a hidden one, and a text that is no sound."""
    samples, rate = decode(GUITAR)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    soundfile.write(tmp_path / "in" / "a.wav", samples[: 7 * rate], rate)
    soundfile.write(tmp_path / "in" / "b.wav", samples[5 * rate :], rate)
    soundfile.write(tmp_path / "in" / "sub" / "c ♪.flac", samples[2 * rate : 4 * rate], rate)
    soundfile.write(tmp_path / "in" / ".hidden.wav", samples[:rate], rate)
    (tmp_path / "in" / "notes.txt").write_text("no sound", encoding="utf-8")
    return tmp_path / "in"


def files_of(folder: Path) -> list[Path]:
    return [folder / "a.wav", folder / "b.wav", folder / "sub" / "c ♪.flac"]


def test_rows_and_times_are_the_pipelines(
    capsys: pytest.CaptureFixture[str], tagger: fa.Pipeline, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    status, said, err = run(capsys, folder, "--output", out)
    assert (status, said) == (0, f"{out}: 4 rows [200] of 3 files\n")
    assert err == f"fastaudio: {folder}: skipped 2 files: 1 .wav (hidden), 1 .txt (not sound)\n"
    got = load(out)
    files = files_of(folder)
    assert got["paths"].tolist() == [str(path) for path in files]
    assert got["path"].tolist() == [0, 0, 1, 2]
    want = [tagger.layer("penultimate")(path) for path in files]
    assert got["embeddings"].dtype == np.float32
    assert got["embeddings"].tobytes() == np.concatenate(want).tobytes()
    times = np.concatenate([tagger(path).times for path in files])
    assert np.stack([got["start_s"], got["end_s"]], axis=1).tolist() == times.tolist()
    assert [str(got[key]) for key in ("schema", "model", "layer")] == [SCHEMA, "musicnn-mtt", "penultimate"]


def test_jobs_and_threads_change_no_bit(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    run(capsys, folder, "--output", tmp_path / "1.npz", "--jobs", 1)
    run(capsys, folder, "--output", tmp_path / "2.npz", "--jobs", 3, "--threads", 2)
    one, other = load(tmp_path / "1.npz"), load(tmp_path / "2.npz")
    assert {key: value.tobytes() for key, value in one.items()} == {
        key: value.tobytes() for key, value in other.items()
    }


def test_layer_model_hop_and_channel_are_chosen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    options = ["--model", "vgg-mtt", "--layer", "pool5", "--hop", 1, "--channel", 1]
    status, _, _ = run(capsys, GUITAR, "--output", out, *options)
    want = fa.Pipeline.load("vgg-mtt", channel=1).layer("pool5").with_hop(1)(GUITAR)
    got = load(out)
    assert status == 0
    assert got["embeddings"].shape == want.shape == (8, 2, 1, 128)
    np.testing.assert_allclose(got["embeddings"], want, rtol=0, atol=1e-5)
    assert np.diff(got["start_s"]) == pytest.approx(62 * 256 / 16_000)
    assert (str(got["model"]), str(got["layer"])) == ("vgg-mtt", "pool5")


@pytest.mark.parametrize(
    ("model", "layer"), [("musicnn-msd", "penultimate"), ("vgg-msd", "flat"), ("silero-vad", "output")]
)
def test_without_a_layer_it_is_the_models_embedding_and_said_so(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    model: str,
    layer: str,
) -> None:
    caplog.set_level("INFO", "fastaudio")
    run(capsys, GUITAR, "--output", tmp_path / "out.npz", "--model", model, "--verbose")
    assert str(load(tmp_path / "out.npz")["layer"]) == layer
    assert f"{model}: layer {layer} [" in caplog.text


def test_a_card_that_gives_rows_gives_them_as_they_are(
    capsys: pytest.CaptureFixture[str], tagger: fa.Pipeline, tmp_path: Path
) -> None:
    pipeline = tagger.layer("penultimate") >> fa.L2Normalize()
    pipeline.save(tmp_path / "unit.json")
    run(capsys, GUITAR, "--model", tmp_path / "unit.json", "--output", tmp_path / "out.npz")
    got = load(tmp_path / "out.npz")["embeddings"]
    assert got.tobytes() == pipeline(GUITAR).tobytes()
    fa.Pipeline(fa.MelSpectrogram(n_mels=40)).save(tmp_path / "mel.json")
    run(capsys, GUITAR, "--model", tmp_path / "mel.json", "--output", tmp_path / "mel.npz")
    got = load(tmp_path / "mel.npz")
    assert got["embeddings"].shape == (len(got["start_s"]), 40)
    assert got["end_s"].max() == pytest.approx(soundfile.info(GUITAR).duration, abs=1e-3)


def test_mean_gives_one_row_per_file_over_all_of_it(
    capsys: pytest.CaptureFixture[str], tagger: fa.Pipeline, folder: Path, tmp_path: Path
) -> None:
    run(capsys, folder, "--mean", "--output", tmp_path / "out.npz")
    got = load(tmp_path / "out.npz")
    want = [tagger.layer("penultimate")(path).mean(axis=0) for path in files_of(folder)]
    np.testing.assert_allclose(got["embeddings"], want, rtol=0, atol=1e-6)
    assert got["path"].tolist() == [0, 1, 2]
    assert got["start_s"].tolist() == [0, 0, 0]
    durations_s = [soundfile.info(path).duration for path in files_of(folder)]
    assert got["end_s"] == pytest.approx(durations_s, abs=1e-3)


def test_clips_are_standardized_by_their_own_and_others_by_theirs(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    plain, train, test = (tmp_path / name for name in ("plain.npz", "train.npz", "test.npz"))
    run(capsys, folder, "--mean", "--output", plain)
    run(capsys, folder, "--mean", "--standardize", "self", "--l2", "--output", train)
    rows = load(plain)["embeddings"].astype(np.float64)
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    std[std == 0] = 1  # a unit that never fires
    want = (rows - mean) / std
    want /= np.linalg.norm(want, axis=1, keepdims=True)
    got = load(train)
    np.testing.assert_allclose(got["mean"], mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got["std"], std, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got["embeddings"], want, rtol=0, atol=1e-5)
    run(capsys, folder / "b.wav", "--mean", "--standardize", train, "--l2", "--output", test)
    np.testing.assert_allclose(load(test)["embeddings"], got["embeddings"][1:2], rtol=0, atol=1e-5)
    assert load(test)["std"].tobytes() == got["std"].tobytes()  # this file gives the same again


def test_a_feature_that_never_changes_is_0(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    run(capsys, folder / "a.wav", "--mean", "--standardize", "self", "--output", out)
    got = load(out)
    assert (got["std"] == 1).all()
    assert (got["embeddings"] == 0).all()


def test_features_lie_along_the_last_axis(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    run(capsys, folder, "--layer", "cnn1", "--standardize", "self", "--output", tmp_path / "out.npz")
    got = load(tmp_path / "out.npz")
    assert got["embeddings"].shape == (4, 187, 64)
    assert got["mean"].shape == got["std"].shape == (64,)
    np.testing.assert_allclose(got["embeddings"].mean(axis=(0, 1)), 0, atol=1e-4)


def test_parquet_holds_the_same(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run(capsys, folder, "--layer", "cnn1", "--output", tmp_path / "out.npz")
    status, _, _ = run(capsys, folder, "--layer", "cnn1", "--output", tmp_path / "out.parquet")
    assert status == 0
    want = load(tmp_path / "out.npz")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["path", "start_s", "end_s", "embedding"]
    assert table["path"].to_pylist() == [str(want["paths"][i]) for i in want["path"]]
    assert table["start_s"].to_pylist() == want["start_s"].tolist()
    assert table["end_s"].to_pylist() == want["end_s"].tolist()
    about = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert (about["schema"], about["model"], about["layer"]) == (SCHEMA, "musicnn-mtt", "cnn1")
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[11968]"
    rows = np.array(table["embedding"].to_pylist(), dtype=np.float32)
    assert rows.reshape(-1, *json.loads(about["shape"])).tobytes() == want["embeddings"].tobytes()


def test_parquet_is_written_as_rows_come(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(embedding_files, "_GROUP_BYTES", 1)
    run(capsys, folder, "--output", tmp_path / "out.parquet")
    file = parquet.ParquetFile(tmp_path / "out.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [2, 1, 1]


def test_without_pyarrow_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    status, out, err = run(capsys, GUITAR, "--output", tmp_path / "out.parquet")
    assert (status, out) == (2, "")
    assert "expected pyarrow, got " in err
    assert "pip install 'fastaudio-toolkit[parquet]'" in err


@pytest.mark.parametrize("suffix", ["npz", "parquet"])
def test_failed_files_are_named_and_the_rest_is_done(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, suffix: str
) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"out.{suffix}"
    status, said, err = run(
        capsys, folder / "a.wav", folder / "no.wav", folder / "notes.txt", "--output", out
    )
    assert (status, said) == (1, f"{out}: 2 rows [200] of 1 file\n")
    lines = err.splitlines()
    assert lines[0] == f"fastaudio: {folder / 'no.wav'}: expected an audio file, got no such file"
    assert lines[1].startswith(f"fastaudio: {folder / 'notes.txt'}: expected audio that libsndfile decodes")
    assert "the same command with --resume runs only what failed (2)" in lines[2]
    assert lines[3] == "fastaudio: 2 of 3 files failed"
    assert out.is_file()


@pytest.mark.parametrize("options", [[], ["--standardize", "self"]])
def test_where_all_fail_what_was_there_stays(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str]
) -> None:
    out = tmp_path / "out.npz"
    out.write_bytes(b"dear")
    status, said, err = run(capsys, "no.wav", "--output", out, "--force", *options)
    assert (status, said) == (1, "")
    assert "no such file" in err
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]
    assert out.read_bytes() == b"dear"


def test_interrupted_what_was_there_stays_and_resume_goes_on(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(capsys, folder, "--output", tmp_path / "whole.npz")
    out = tmp_path / "out.npz"
    out.write_bytes(b"dear")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(embedding_files, "_write_npz", interrupt)
        status, _, err = run(capsys, folder, "--output", out, "--force")
    assert status == 130
    assert f"3 of 3 files are done and kept in {out}.part; the same command with --resume goes on" in err
    assert out.read_bytes() == b"dear"
    status, _, err = run(capsys, folder, "--output", out, "--force", "--resume")
    assert status == 0
    assert "fastaudio: 3 of 3 files are done already" in err
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert not out.with_name("out.npz.part").exists()


def test_a_truncated_file_is_told_once(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    data = (folder / "a.wav").read_bytes()
    (folder / "a.wav").write_bytes(data[: len(data) // 2])
    status, _, err = run(capsys, folder / "a.wav", "--output", tmp_path / "out.npz")
    assert (status, err) == (0, f"fastaudio: {folder / 'a.wav'}: the file is cut short, got 3.5 s\n")
    assert load(tmp_path / "out.npz")["end_s"].tolist() == pytest.approx([2.992])


def test_a_file_without_sound_has_no_rows(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    soundfile.write(folder / "empty.wav", np.zeros((0, 1)), 16_000)
    status, said, err = run(capsys, folder / "empty.wav", folder / "a.wav", "--output", out)
    assert (status, said) == (0, f"{out}: 2 rows [200] of 2 files\n")
    assert err == f"fastaudio: {folder / 'empty.wav'}: no sound, no rows\n"
    assert load(out)["path"].tolist() == [1, 1]
    status, _, err = run(capsys, folder / "empty.wav", "--standardize", "self", "--output", out, "--force")
    assert status == 2
    assert "--standardize self: expected rows, got none from any file" in err


def test_stdin_is_an_audio_file_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(GUITAR.read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    status, _, _ = run(capsys, "-", "--output", tmp_path / "stdin.npz")
    run(capsys, GUITAR, "--output", tmp_path / "file.npz")
    got, want = load(tmp_path / "stdin.npz"), load(tmp_path / "file.npz")
    assert status == 0
    assert got["paths"].tolist() == ["-"]
    assert got["embeddings"].tobytes() == want["embeddings"].tobytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "out.txt"], r"expected a file that ends in .npz, .parquet or .csv, got 'out.txt'"),
        (["--output", "no/such/folder/out.npz"], "no/such/folder, got none; create it first"),
        (["--layer", "nope"], "expected one of taggram, penultimate, "),
        (["--model", "nope"], "expected one of musicnn-mtt, "),
        (["--model", "silero-vad", "--layer", "stateN"], "expected one of output, got 'stateN'"),
        (["--standardize", "no.npz"], "No such file or directory"),
        (["--standardize", str(GUITAR)], "expected 'mean' and 'std' as a run with --standardize self"),
        (["--standardize", "plain.npz"], "expected 'mean' and 'std' as a run with --standardize self"),
        (["--standardize", "msd.npz"], "expected model musicnn-mtt, got musicnn-msd"),
        (["--standardize", "short.npz"], "got: 'mean' of shape (3,), not [200]"),
        (["--standardize", "zero.npz"], "expected std in "),
    ],
)
def test_wrong_usage_is_exit_status_2_and_says_why(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("plain.npz", embeddings=np.zeros((1, 200)))
    np.savez("msd.npz", mean=np.zeros(200), std=np.ones(200), model="musicnn-msd", layer="penultimate")
    np.savez("short.npz", mean=np.zeros(3), std=np.ones(3))
    np.savez("zero.npz", mean=np.zeros(200), std=np.zeros(200))
    status, out, err = run(capsys, GUITAR, "--output", "out.npz", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("arguments", [["a.wav"], [], ["a.wav", "--output", "o.npz", "--hop", "0"]])
def test_what_the_parser_refuses_is_exit_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        run(capsys, *arguments)
    assert exit_.value.code == 2
    assert "fastaudio embed" in capsys.readouterr().err
