"""A whole recording over one axis of time, read once, whatever its length."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import plot
from fastaudio.plot.reading import mel_for, read
from helpers import GUITAR, SOUNDS, decode, sine
from pictures import label_texts, read_png

if TYPE_CHECKING:
    from pathlib import Path

RATE = 8000


def hears(labels: tuple[str, ...] = ("low", "middle", "high"), *, rate: int = RATE) -> fa.Pipeline:
    """Return a pipeline that tells bands apart, ten times per second, without a network."""
    mel = fa.MelSpectrogram(sample_rate=rate, n_fft=512, hop_length=rate // 10, n_mels=len(labels))
    return fa.Pipeline(mel >> fa.Softmax() >> fa.Tags(list(labels)), silence_db=None)


def test_the_panels_share_their_time_and_hold_the_whole_file(tagger: fa.Pipeline) -> None:
    figure = plot.recording(GUITAR, tagger.with_hop(0.5))
    waves, mel, tags, *bars = figure.axes
    samples, rate = decode(GUITAR)
    duration_s = len(samples) / rate
    assert [ax.get_xlim() for ax in (waves, mel, tags)] == [(0, pytest.approx(duration_s))] * 3
    assert [ax.get_xlabel() for ax in (waves, mel, tags)] == ["", "", "time (s)"]
    assert waves.get_title(loc="left") == "guitar.flac  (10.0 s)  |  musicnn-mtt"
    outline = waves.collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(samples.max())
    assert outline[:, 1].min() == pytest.approx(samples.min())
    assert mel.images[0].get_extent()[1] == pytest.approx(duration_s, abs=0.1)
    assert set(label_texts(tags.yaxis)[:4]) == {"slow", "ambient", "guitar", "quiet"}
    assert [bar.get_ylabel() for bar in bars] == ["level (dB)", "score"]
    figure.draw_without_rendering()
    widths = {round(ax.get_position().x1, 3) for ax in (waves, mel, tags)}
    assert len(widths) == 1


def test_sound_that_the_model_does_not_hear_is_hatched(tagger: fa.Pipeline, tmp_path: Path) -> None:
    birds, rate = decode(SOUNDS / "birds_96k_mono.flac")
    guitar, guitar_rate = decode(GUITAR)
    at = round(9 * rate)
    guitar = fa.Resample(input_rate=guitar_rate, output_rate=rate)(guitar.mean(axis=1, dtype=np.float32))
    both = np.concatenate([np.resize(birds, at), guitar])
    soundfile.write(tmp_path / "both.wav", both, rate, subtype="FLOAT")
    for pipeline in (tagger, tagger >> fa.Events(onset=[0.01])):
        panel = plot.recording(tmp_path / "both.wav", pipeline).axes[2]
        span, *_ = [patch for patch in panel.patches if patch.get_hatch()]
        left, right = span.get_extents().transformed(panel.transData.inverted()).intervalx
        assert left == pytest.approx(0, abs=0.01)
        assert right == pytest.approx(9, abs=1.6)  # half a window
        assert panel.get_title(loc="left") == "hatched: not music"
        bare = plot.recording(tmp_path / "both.wav", pipeline, kind=False).axes[2]
        assert not [patch for patch in bare.patches if patch.get_hatch()]
        assert not bare.get_title(loc="left")
    clear = plot.recording(GUITAR, tagger).axes[2]  # its last second is faint, but no window hears that
    assert not clear.get_title(loc="left")


def test_what_a_file_holds_does_not_depend_on_how_it_is_cut(tagger: fa.Pipeline) -> None:
    samples, rate = decode(GUITAR)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    heard = read(file.getvalue(), tagger, None)
    mel = mel_for(rate)
    rows = mel(samples.mean(axis=1, dtype=np.float32))
    assert heard.mel_step_s == pytest.approx(1024 / rate)
    np.testing.assert_allclose(heard.mel, rows, rtol=1e-5, atol=1e-9)
    assert heard.duration_s == len(samples) / rate
    step = round(heard.envelope_step_s * rate)
    assert heard.envelope[0, 1] == samples[:step].max()
    assert heard.envelope[5, 0] == -samples[5 * step : 6 * step].min()
    assert np.array_equal(heard.result.scores, tagger(file.getvalue()).scores)


def long_file(path: Path, minutes: int) -> int:
    """Write silence with one click of 5 ms, and return the click's second."""
    rng = np.random.default_rng(0)
    at = 37 * minutes
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format="WAV") as file:
        for minute in range(minutes):
            x = np.zeros(60 * RATE, dtype=np.float32)
            if minute == at // 60:
                x[at % 60 * RATE :][:40] = rng.uniform(-0.9, 0.9, 40)
            file.write(x)
    return at


@pytest.mark.parametrize("minutes", [3, 40])
def test_a_click_in_a_long_file_is_seen_in_every_panel(tmp_path: Path, minutes: int) -> None:
    at = long_file(tmp_path / "long.wav", minutes)
    figure = plot.recording(tmp_path / "long.wav", hears())
    waves, mel, tags, *_ = figure.axes
    outline = waves.collections[0].get_paths()[0].vertices
    assert len(outline) < 5000
    span_s = 60 * minutes
    assert outline[outline[:, 1].argmax(), 0] == pytest.approx(at, abs=span_s / 1000)
    image = np.asarray(mel.images[0].get_array())
    assert image.shape[1] <= 2048
    left, right, _, _ = mel.images[0].get_extent()
    column = image.max(axis=0).argmax()
    assert left + (column + 0.5) * (right - left) / image.shape[1] == pytest.approx(at, abs=span_s / 500)
    (mesh,) = tags.collections
    assert np.asarray(mesh.get_array()).shape[1] <= 2048
    assert waves.get_title(loc="left").startswith("long.wav  (3:00)" if minutes == 3 else "long.wav  (40:00)")


def test_hours_take_no_more_memory_than_minutes(tmp_path: Path) -> None:
    """What is kept of a file has a bound that its length doesn't change."""
    long_file(tmp_path / "long.wav", 12)
    heard = read(tmp_path / "long.wav", hears(), None)
    assert len(heard.envelope) <= 2048
    assert len(heard.mel) <= 2048
    assert len(heard.mel) * heard.mel_step_s == pytest.approx(720, abs=2 * heard.mel_step_s)
    assert heard.envelope.base is None or heard.envelope.base.nbytes < 1e6


@pytest.mark.parametrize("n", [0, 1, 5, 400])
def test_the_shortest_sounds_are_drawn(n: int) -> None:
    file = io.BytesIO()
    soundfile.write(file, sine(440, RATE, n), RATE, format="WAV")
    figure = plot.recording(file.getvalue(), hears())
    figure.draw_without_rendering()
    assert figure.axes[0].get_xlim()[1] == (n / RATE or 1)


@pytest.mark.parametrize("rate", [1000, 11_025, 192_000])
def test_sound_of_any_rate_is_drawn_up_to_its_own_highest_frequency(rate: int) -> None:
    file = io.BytesIO()
    hz = 0.4 * rate
    soundfile.write(file, sine(hz, rate, rate), rate, format="WAV", subtype="FLOAT")
    heard = read(file.getvalue(), hears(), None)
    band = heard.mel[len(heard.mel) // 2].argmax()
    assert heard.centres_hz[band] == pytest.approx(hz, rel=0.1)


def test_a_chosen_channel_is_the_one_that_is_drawn() -> None:
    x = np.stack([sine(300, RATE, RATE, 0.1), sine(3000, RATE, RATE, 0.5)], axis=1)
    file = io.BytesIO()
    soundfile.write(file, x, RATE, format="WAV", subtype="FLOAT")
    whole = hears()
    for channel, peak, hz in ((0, 0.1, 300), (1, 0.5, 3000)):
        heard = read(file.getvalue(), fa.Pipeline(whole.node, channel=channel), None)
        assert heard.envelope[:, 1].max() == pytest.approx(peak, abs=1e-3)
        assert heard.centres_hz[heard.mel[10].argmax()] == pytest.approx(hz, rel=0.1)


def test_a_dark_page_is_dark_and_its_text_light() -> None:
    file = io.BytesIO()
    soundfile.write(file, sine(440, RATE, RATE), RATE, format="WAV")
    pages = {}
    for dark in (False, True):
        figure = plot.recording(file.getvalue(), hears() >> fa.Events(onset=[0.3]), dark=dark)
        assert figure.get_size_inches().tolist() == [12, 8]
        out = io.BytesIO()
        figure.savefig(out)
        pixels = read_png(out.getvalue())
        assert pixels.shape[:2] == (800, 1200)
        pages[dark] = pixels[2, 2, :3].mean()
        text = figure.axes[0].title.get_color()
        assert (text == "#e6edf3") is dark
    assert pages[True] < 0.1
    assert pages[False] > 0.9


def test_each_output_has_a_panel_with_its_name() -> None:
    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=800, n_mels=3)
    tags = fa.Softmax() >> fa.Tags(["a", "b", "c"])
    two = fa.Pipeline(mel >> {"one": tags, "two": tags >> fa.Events(onset=[0.1])}, silence_db=None)
    file = io.BytesIO()
    soundfile.write(file, sine(440, RATE, RATE), RATE, format="WAV")
    figure = plot.recording(file.getvalue(), two)
    assert [ax.get_ylabel() for ax in figure.axes[2:4]] == ["one", "two"]


@pytest.mark.parametrize(
    ("pipeline", "how", "message"),
    [
        (fa.Pipeline(fa.MelSpectrogram()), {}, "expected a pipeline that gives tags or events, got"),
        (hears(), {"size_px": (10, 800)}, r"from 300 to 10000, got \(10, 800\)"),
        (hears(), {"size_px": (1200,)}, r"expected size_px as two numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_the_file_is_read(
    pipeline: fa.Pipeline, how: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=rf"^plot\.recording: .*{message}"):
        plot.recording("no such file.wav", pipeline, **how)


@pytest.mark.parametrize("n", [1, 50])
def test_the_labels_can_be_read_and_none_covers_another(n: int) -> None:
    file = io.BytesIO()
    soundfile.write(file, sine(440, 16_000, 16_000), 16_000, format="WAV")
    labels = tuple(f"label {k}" for k in range(n))
    figure = plot.recording(file.getvalue(), hears(labels, rate=16_000), top=50)
    figure.draw_without_rendering()
    names = figure.axes[2].get_yticklabels()
    boxes = [name.get_window_extent() for name in names]
    assert len(boxes) == n
    assert min(box.height for box in boxes) >= 7
    assert all(one.y0 >= other.y1 - 1 for one, other in pairwise(boxes))
    waves = figure.axes[0].get_window_extent()
    assert waves.height > 60


def test_a_recording_can_be_given_up() -> None:
    cancel = fa.Cancel()
    cancel.cancel()
    with pytest.raises(fa.Cancelled):
        plot.recording(GUITAR, hears(), cancel=cancel)
