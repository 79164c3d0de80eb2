"""Every file gives a result, or a DecodeError that names it and says why; never anything else."""

from __future__ import annotations

import io
import pickle
import shutil
import sys
import threading
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio.decoding.audio_file import BLOCK, AudioFile
from fastaudio.tags import Tags
from helpers import GUITAR, MODEL_NAMES, decode, musicnn_front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

FRONT = fa.Pipeline(musicnn_front())
BANDS = [f"band {k}" for k in range(96)]


@pytest.fixture(scope="module")
def bands() -> fa.Pipeline:
    """Return a pipeline that has tags without a network: what is read is what counts here."""
    return fa.Pipeline(musicnn_front() >> fa.Sigmoid() >> fa.Tags(BANDS))


@pytest.fixture(autouse=True)
def no_word_on_stdout(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Assert that nothing was printed, not even by C libraries, which write past sys.stdout."""
    yield
    assert capfd.readouterr().out == ""


def attempt(bands: fa.Pipeline, path: Path) -> Tags | fa.DecodeError:
    """Return tags whose numbers hold, or an error whose words do."""
    try:
        tags: Tags = bands(path)
    except fa.DecodeError as error:
        return checked(error, path)
    assert tags.path == str(path)
    assert tags.scores.dtype == np.float32
    assert tags.scores.shape == (len(tags.times), len(tags.labels))
    assert np.isfinite(tags.scores).all()
    assert ((tags.scores >= 0) & (tags.scores <= 1)).all()
    assert (len(tags) > 0) == (tags.duration_s > 0)
    assert (np.diff(tags.times, axis=1) >= 0).all()
    assert tags.times.max(initial=0) <= tags.duration_s
    return tags


def checked(error: fa.DecodeError, path: Path) -> fa.DecodeError:
    """Return the error if it names the file and says why."""
    assert error.path == str(path)
    assert str(error) == f"{path}: {error.reason}"
    assert "expected " in error.reason
    assert ", got" in error.reason
    return error


def assert_as_expected(bands: fa.Pipeline, path: Path, expect: str) -> None:
    """Assert that a file is read or refused as its row in the manifest says."""
    result = attempt(bands, path)
    kind = "error"
    if isinstance(result, Tags):
        kind = "partial" if result.truncated else "ok"
    allowed = {
        "ok": {"ok"},
        "partial": {"partial"},
        "error": {"error"},
        "partial-or-error": {"partial", "error"},
        "ok-or-error": {"ok", "partial", "error"},
        "error-or-skipped": {"error"},
        "reject-or-sanitise": {"ok", "error"},
    }
    assert kind in allowed[expect], result


def test_edge_files_are_read(tagger: fa.Pipeline, edge_file: tuple[Path, str]) -> None:
    assert_as_expected(tagger, *edge_file)


def test_malformed_files_are_refused_or_read_in_part(
    bands: fa.Pipeline, malformed_file: tuple[Path, str]
) -> None:
    assert_as_expected(bands, *malformed_file)


def test_clips_are_read(bands: fa.Pipeline, clip: tuple[Path, str]) -> None:
    assert_as_expected(bands, *clip)


def test_a_format_that_libsndfile_does_not_know_is_a_decode_error(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(fa.DecodeError, match=r"\.m4a: expected audio that libsndfile decodes, got"):
        FRONT(shared / "audio" / "clips" / "aircraft_44k_mono.m4a")


def test_a_result_knows_its_file(tagger: fa.Pipeline) -> None:
    tags = attempt(tagger, GUITAR)
    assert isinstance(tags, Tags)
    assert tags.model == MODEL_NAMES[0]
    assert not tags.truncated
    samples, rate = decode(GUITAR)
    assert tags.duration_s == pytest.approx(len(samples) / rate)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_file_gives_what_decodes_and_says_so_or_is_refused(
    bands: fa.Pipeline, tmp_path: Path, suffix: str, kept: float
) -> None:
    samples, rate = decode(GUITAR)
    whole = tmp_path / f"whole.{suffix}"
    soundfile.write(whole, samples, rate)
    data = whole.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(data[: int(kept * len(data)) | 1])
    result = attempt(bands, cut)
    if suffix in ("wav", "aiff"):
        assert isinstance(result, Tags)
    if isinstance(result, Tags):
        assert result.truncated
        assert 0 < result.duration_s < len(samples) / rate
    assert not bands(whole).truncated


def test_a_lying_header_costs_no_memory(bands: fa.Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "lying.wav"
    soundfile.write(path, np.zeros(20_000, dtype=np.int16), 44_100)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = (0xFFFF_FFF0).to_bytes(4, "little")
    path.write_bytes(data)
    result = attempt(bands, path)
    assert isinstance(result, Tags)
    assert result.truncated
    assert result.duration_s == pytest.approx(20_000 / 44_100)
    with AudioFile(path) as file:
        assert {block.size <= BLOCK for block in file.blocks()} == {True}


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_format_is_read_to_the_last_bit(tmp_path: Path, subtype: str) -> None:
    samples, rate = decode(GUITAR)
    path = tmp_path / "guitar.wav"
    soundfile.write(path, samples[:100_000], rate, subtype=subtype)
    want = FRONT(decode(path)[0], sample_rate=rate, layout="samples_channels")
    assert np.array_equal(FRONT(path), want)


def test_any_kind_of_source_gives_the_same_rows() -> None:
    with GUITAR.open("rb") as file:
        assert np.array_equal(FRONT(file), FRONT(GUITAR))
        assert not file.closed
    assert np.array_equal(FRONT(str(GUITAR)), FRONT(GUITAR))


def test_a_buffer_in_memory_gives_the_same_rows_and_stays_open(bands: fa.Pipeline) -> None:
    buffer = io.BytesIO(GUITAR.read_bytes())
    tags = bands(buffer)
    assert np.array_equal(tags.scores, bands(GUITAR).scores)
    assert tags.path is None  # it has none
    assert not buffer.closed


def test_a_name_outside_ascii_is_read(bands: fa.Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "naïve name ♪.flac"
    shutil.copy(GUITAR, path)
    assert isinstance(attempt(bands, path), Tags)


def test_folders_missing_files_text_and_empty_files_are_decode_errors(
    bands: fa.Pipeline, tmp_path: Path
) -> None:
    (tmp_path / "text.wav").write_text("not a sound\n" * 50, encoding="utf-8")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "folder.wav").mkdir()
    for name, reason in (
        ("text.wav", "libsndfile"),
        ("empty.wav", "an empty file"),
        ("empty.mp3", "an empty file"),
        ("folder.wav", "a folder"),
        ("missing.wav", "no such file"),
        ("a\0b.wav", ""),
    ):
        error = attempt(bands, tmp_path / name)
        assert isinstance(error, fa.DecodeError)
        assert reason in error.reason


def test_values_that_are_not_finite_are_refused_by_name(bands: fa.Pipeline, tmp_path: Path) -> None:
    samples = np.zeros((80_000, 1), dtype=np.float32)
    samples[77_777] = np.nan
    path = tmp_path / "nan.wav"
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    error = attempt(bands, path)
    assert isinstance(error, fa.DecodeError)
    assert "finite" in error.reason


@pytest.mark.parametrize("source", [None, 3, ["a.wav"], {"a": 1}])
def test_what_is_no_source_is_a_type_error(source: Any) -> None:
    with pytest.raises(TypeError, match=r"^source: expected a path, a binary file object or samples"):
        FRONT(source)


def test_a_decode_error_is_an_os_error_and_travels_between_processes() -> None:
    error = fa.DecodeError("a.wav", "expected sound, got none")
    assert isinstance(error, OSError)
    assert isinstance(error, fa.FastaudioError)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (again.path, again.reason, str(again)) == (error.path, error.reason, str(error))


def blocks_of(path: Path) -> NDArray[np.float32]:
    with AudioFile(path) as file:
        return np.concatenate([block.copy() for block in file.blocks()])


def test_blocks_are_the_file_and_leaving_early_ends_the_thread() -> None:
    assert np.array_equal(blocks_of(GUITAR), decode(GUITAR)[0])
    with AudioFile(GUITAR) as file:
        blocks = file.blocks()
        assert next(blocks).size == BLOCK
        blocks.close()
    assert file.samples_read >= BLOCK // 2
    assert not any(thread.name == "fastaudio-decode" for thread in threading.enumerate())
