"""Sound at the scale of integers is noticed, once, and nothing else is."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from helpers import musicnn_front

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PIPELINE = fa.Pipeline(musicnn_front())
SOUND = np.random.default_rng(3).uniform(-0.5, 0.5, 48_000).astype(np.float32)
LOUD = SOUND * 32768


def warned(call: Callable[[], object]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return caught


def test_an_array_is_named_with_what_to_do(recwarn: pytest.WarningsRecorder) -> None:
    (warning,) = warned(lambda: PIPELINE(LOUD, sample_rate=16_000))
    assert str(warning.message) == (
        "samples: expected samples with a full scale of +-1, got some beyond +-4; "
        "if their scale is that of int16, use samples / 32768"
    )
    assert warning.filename == __file__
    quiet = PIPELINE(LOUD / 32768, sample_rate=16_000)  # as it says
    assert np.array_equal(quiet, PIPELINE(SOUND, sample_rate=16_000))
    assert not recwarn


def test_a_stream_warns_once_however_many_blocks_it_takes() -> None:
    with PIPELINE.open(sample_rate=16_000) as stream:
        blocks = [SOUND[:1000], *np.split(LOUD, 100)]
        assert len(warned(lambda: [stream.push(block) for block in blocks])) == 1


def test_rows_that_a_warning_loses_are_missed() -> None:
    with PIPELINE.open(sample_rate=16_000) as stream, warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="full scale"):
            stream.push(LOUD)
        with pytest.raises(fa.StateError, match="expected no call after one that was interrupted"):
            stream.push(SOUND)
        stream.reset()
        assert len(stream.push(SOUND)) > 0


def test_every_channel_is_heard() -> None:
    for channels in (2, 3, 4, 6, 8):
        for channel in range(channels):
            sound = np.zeros((16_000, channels), np.float32)
            sound[:, channel] = LOUD[:16_000]
            call = lambda s=sound: PIPELINE(s, sample_rate=16_000, layout="samples_channels")  # noqa: E731
            assert len(warned(call)) == 1, (channels, channel)


def test_a_file_is_warned_of_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, LOUD, 16_000, subtype="FLOAT")
    (warning,) = warned(lambda: PIPELINE(path))
    assert str(warning.message).startswith(f"{path}: expected samples with a full scale of +-1")


def test_sound_that_is_only_too_loud_is_let_be() -> None:
    damaged = SOUND.copy()
    damaged[::1000] = 1e5
    integers = (SOUND * 32767).astype(np.int16)
    for sound in (SOUND, SOUND * 7.9, integers, damaged, np.zeros(0, np.float32)):
        assert not warned(lambda s=sound: PIPELINE(s, sample_rate=16_000))  # type: ignore[misc]


def test_live_sound_is_warned_of_once() -> None:
    with PIPELINE.live(16_000, overflow="drop_oldest") as live:
        (warning,) = warned(lambda: [live.push(block) for block in np.split(LOUD, 100)])
    assert str(warning.message).startswith("samples: expected samples with a full scale of +-1")


def test_sound_that_begins_in_silence_is_noticed() -> None:
    late = np.concatenate([np.zeros(100_000, np.float32), LOUD])
    assert len(warned(lambda: PIPELINE(late, sample_rate=16_000))) == 1


def test_a_node_takes_any_scale() -> None:
    assert not warned(lambda: fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=32)(LOUD))


def loud_and_short(end: Callable[[fa.PipelineStream], object]) -> Callable[[], None]:
    """Return a call that pushes a block too loud within the tenth of a second after a look, and ends."""

    def call() -> None:
        stream = PIPELINE.open(sample_rate=16_000)
        stream.push(SOUND[:1])
        stream.push(np.full(1500, 100, np.float32))
        end(stream)

    return call


@pytest.mark.parametrize(
    "end",
    [
        lambda stream: stream.flush(),
        lambda stream: stream.reset(),
        lambda stream: stream.close(),
        lambda stream: (stream.push(SOUND[:3200]), stream.flush()),
    ],
)
def test_a_short_loud_block_is_told_however_the_stream_ends(
    end: Callable[[fa.PipelineStream], object],
) -> None:
    assert len(warned(loud_and_short(end))) == 1
