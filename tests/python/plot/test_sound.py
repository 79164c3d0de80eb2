"""Pictures of samples and of rows: what is drawn is there, at its time and its frequency."""

from __future__ import annotations

from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import plot
from fastaudio.plot.bands import centres_of
from helpers import sine
from pictures import label_texts

RATE = 16_000
MEL = fa.MelSpectrogram(sample_rate=RATE, n_fft=1024, hop_length=256, n_mels=64)


def drawn_wave(ax: Any) -> np.ndarray:
    """Times and values of the outline, [n, 2]."""
    (outline,) = ax.collections
    return outline.get_paths()[0].vertices


def test_a_short_waveform_passes_through_every_sample() -> None:
    x = np.array([0.1, -0.5, 0.25, 0.0], dtype=np.float32)
    ax = plot.waveform(x, 4)
    points = {(round(t, 6), round(v, 6)) for t, v in drawn_wave(ax).tolist()}
    assert points >= {(0, 0.1), (0.25, -0.5), (0.5, 0.25), (0.75, 0)}
    assert ax.get_xlim() == (0, 1)
    assert ax.get_ylim() == pytest.approx((-0.54, 0.54))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "amplitude")


def test_no_click_of_a_long_waveform_is_lost_in_either_channel() -> None:
    x = np.zeros((1_000_000, 2), dtype=np.float32)
    x[123_456, 0], x[765_432, 1] = 0.9, -0.8
    outline = drawn_wave(plot.waveform(x, 1000))
    assert len(outline) < 5000
    high, low = outline[outline[:, 1].argmax()], outline[outline[:, 1].argmin()]
    assert high.tolist() == pytest.approx([123.456, 0.9], abs=0.5)
    assert low.tolist() == pytest.approx([765.432, -0.8], abs=0.5)


@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_whole_numbers_have_full_scale_1(dtype: str) -> None:
    x = np.array([0, np.iinfo(dtype).min, 0], dtype=dtype)
    assert drawn_wave(plot.waveform(x, 3))[:, 1].min() == -1


def test_an_empty_waveform_says_so() -> None:
    ax = plot.waveform(np.zeros(0, dtype=np.float32), 16_000)
    assert [text.get_text() for text in ax.texts] == ["no sound"]


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (
            np.zeros((2, 5000), "f4"),
            100,
            r"expected \[n_samples, channels\], got \(2, 5000\); pass samples\.T",
        ),
        (np.array([0, np.nan], "f4"), 100, "expected finite samples"),
        (np.zeros(4, "f4"), 0, "expected a sample_rate above 0 Hz, got 0"),
        (np.zeros((2, 3, 4), "f4"), 100, r"got \(2, 3, 4\)"),
        (np.float32(1), 100, r"got \(\)"),
        (np.zeros(4, "uint8"), 100, "got uint8"),
        (["a"], 100, "got <U1"),
    ],
)
def test_samples_that_are_none_are_refused(samples: Any, rate: float, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^plot\.waveform: .*{message}"):
        plot.waveform(samples, rate)


def image_of(ax: Any) -> Any:
    (image,) = ax.images
    return image


@pytest.mark.parametrize("hz", [300.0, 2000.0, 3900.0])
def test_a_tone_lies_at_its_frequency_on_the_axis_of_mel_bands(hz: float) -> None:
    mel = fa.Pipeline(MEL >> fa.Log())
    ax = plot.spectrogram(mel(sine(hz, RATE, RATE), sample_rate=RATE), mel)
    image = np.asarray(image_of(ax).get_array())
    place = image[:, 30].argmax() + 0.5
    ticks = dict(zip(label_texts(ax.yaxis), ax.get_yticks().tolist(), strict=True))
    of_hz = {float(name.replace("k", "")) * (1000 if "k" in name else 1): at for name, at in ticks.items()}
    read = np.interp(place, list(of_hz.values())[::-1], list(of_hz)[::-1])
    assert read == pytest.approx(hz, rel=0.12)
    assert ax.get_ylabel() == "frequency (Hz)"
    assert ax.figure.axes[1].get_ylabel() == "ln"


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_the_centres_of_bands_are_where_a_band_is_loudest(scale: Any) -> None:
    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=4096, n_mels=32, mel_scale=scale, f_min=100, f_max=7000)
    centres = centres_of(mel)
    for k in (3, 16, 29):
        tone = sine(float(centres[k]), RATE, RATE)
        assert mel(tone)[10].argmax() == k


def test_a_spectrum_lies_at_its_frequencies_and_times_in_decibels() -> None:
    spectrum = fa.Pipeline(fa.Spectrogram(sample_rate=RATE, n_fft=512, hop_length=256))
    x = np.concatenate([np.zeros(RATE, "f4"), sine(4000, RATE, RATE)])
    ax = plot.spectrogram(spectrum(x, sample_rate=RATE), spectrum.output_specs[""])
    image = image_of(ax)
    left, right, bottom, top = image.get_extent()
    values = np.asarray(image.get_array())
    n_bins, n_rows = values.shape
    assert (left, right) == (0, pytest.approx(n_rows * 256 / RATE))
    k = int(values[:, -20].argmax())
    assert bottom + (k + 0.5) * (top - bottom) / n_bins == pytest.approx(4000)
    assert image.get_clim() == (pytest.approx(-80), pytest.approx(0, abs=1e-6))
    assert values[:, 20].max() < -80  # the silent second
    assert ax.get_ylim() == (0, top)
    assert ax.figure.axes[1].get_ylabel() == "level (dB)"


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_level_of_a_tone_at_a_tenth_is_20_db_lower(power: float) -> None:
    mel = fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=256, n_mels=32, power=power))
    x = np.concatenate([sine(1000, RATE, RATE, 0.5), sine(1000, RATE, RATE, 0.05)])
    values = np.asarray(image_of(plot.spectrogram(mel(x, sample_rate=RATE), mel)).get_array())
    assert values[:, 20].max() - values[:, -20].max() == pytest.approx(20, abs=0.1)


def test_a_click_in_a_long_spectrogram_is_not_lost() -> None:
    spec = fa.StreamSpec(rate_hz=10.0, shape=[4], unit="")
    rows = np.zeros((50_000, 4), dtype=np.float32)
    rows[33_333, 2] = 1
    ax = plot.spectrogram(rows, spec)
    values = np.asarray(image_of(ax).get_array())
    left, right, _, _ = image_of(ax).get_extent()
    band, column = np.unravel_index(values.argmax(), values.shape)
    assert values.max() == 1
    assert band == 2
    assert values.shape[1] <= 2048
    step_s = (right - left) / values.shape[1]
    assert column * step_s <= 3333.3 < (column + 1) * step_s
    assert ax.get_xlim() == (0, 5000)
    assert ax.get_ylabel() == "value"


def test_bands_that_a_network_has_mixed_have_no_frequencies() -> None:
    mfcc = fa.Pipeline(MEL >> fa.Log(kind="dB") >> fa.MFCC(n_mfcc=64))
    ax = plot.spectrogram(mfcc(sine(440, RATE, RATE), sample_rate=RATE), mfcc)
    assert ax.get_ylabel() == "value"


def test_silence_and_rows_that_are_no_numbers_can_be_drawn() -> None:
    mel = fa.Pipeline(MEL)
    rows = mel(np.zeros(RATE, "f4"), sample_rate=RATE)
    ax = plot.spectrogram(rows, mel)  # no level of silence is a number
    assert (len(ax.images), [text.get_text() for text in ax.texts]) == (0, ["silence"])
    assert plot.spectrogram(rows[:0], mel).texts[0].get_text() == "no sound"
    odd = np.full_like(rows, np.nan)
    assert plot.spectrogram(odd, mel).texts[0].get_text() == "no number is finite"
    odd[3, 3] = 1
    assert np.ma.getmaskarray(image_of(plot.spectrogram(odd, mel)).get_array()).sum() == odd.size - 1


@pytest.mark.parametrize(
    ("rows", "spec", "message"),
    [
        (np.zeros((64, 9), "f4"), MEL, r"expected rows \[n_rows, 64\], got \(64, 9\); pass rows\.T"),
        (np.zeros((9, 63), "f4"), MEL, r"got \(9, 63\)$"),
        (np.zeros((1, 64), "f4"), MEL >> fa.Mean(), "expected rows of one axis over time, got"),
        (np.zeros((3, 5, 64), "f4"), MEL >> fa.Patches(length=5), "expected rows of one axis over time"),
        ([[1.0]], MEL, "got list"),
        (np.zeros((9, 64), int), MEL, "got int64"),
        (
            np.zeros((9, 64), "f4"),
            MEL >> {"a": fa.Log(), "b": fa.Log()},
            r"pass pipeline\.output_specs\['a'\]",
        ),
    ],
)
def test_rows_that_the_pipeline_did_not_give_are_refused(rows: Any, spec: fa.Node, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^plot\.spectrogram: .*{message}"):
        plot.spectrogram(rows, fa.Pipeline(spec))


def test_a_picture_that_is_zoomed_has_finer_ticks() -> None:
    ax = plot.waveform(np.zeros(100_000, "f4"), 10)
    assert ax.get_xlabel() == "time (h:min:s)"
    assert "1:00:00" in [ax.xaxis.get_major_formatter()(tick) for tick in ax.get_xticks()]
    ax.set_xlim(3600, 3602)
    texts = [ax.xaxis.get_major_formatter()(tick) for tick in ax.get_xticks()]
    assert "1:00:00.5" in texts
