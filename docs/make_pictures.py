"""Draw the pictures of the documentation from what the package gives: python docs/make_pictures.py."""
# ruff: noqa: INP001  # a script

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

import fastaudio as fa
import soundfile
from fastaudio import plot
from matplotlib import pyplot as plt
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = Path(__file__).resolve().parent
GUITAR = DOCS.parent / "examples" / "guitar.flac"
INK = "#24292f"
N_TAGS = 8
N_COLOURS = 192
STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw_waveform(axes: Axes) -> None:
    """Draw the samples, the mean of both channels."""
    samples, rate = soundfile.read(GUITAR, dtype="float32", always_2d=True)
    times = [i / rate for i in range(len(samples))]
    axes.plot(times, samples.mean(axis=1), linewidth=0.4, color="#1f6feb")
    axes.set(ylabel="samples", ylim=(-0.75, 0.75))


def draw_log_mel(axes: Axes, duration_s: float) -> None:
    """Draw what the default model's network sees: 96 mel bands, log10."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect")
    rows = fa.Pipeline(mel >> fa.Log(kind="log10", scale=10_000, offset=1))(GUITAR)
    axes.imshow(rows.T, origin="lower", aspect="auto", cmap="magma", extent=(0, duration_s, 0, rows.shape[1]))
    axes.set(ylabel="mel band")


def draw_tags(axes: Axes, tagger: fa.Pipeline) -> None:
    """Draw the scores of the best tags, each window's at its centre."""
    tags = tagger(GUITAR)
    best = [label for label, _ in tags.top(N_TAGS)]
    scores = tags.scores[:, [tags.labels.index(label) for label in best]]
    centres = tags.times.mean(axis=1)
    half = (centres[1] - centres[0]) / 2
    image = axes.imshow(
        scores.T,
        aspect="auto",
        cmap="viridis",
        vmin=0,
        extent=(centres[0] - half, centres[-1] + half, len(best) - 0.5, -0.5),
    )
    axes.set(xlabel="seconds", yticks=range(len(best)), yticklabels=best)
    bar = axes.inset_axes((1.01, 0, 0.012, 1))
    axes.figure.colorbar(image, cax=bar, label="score")


def draw_tagging(path: Path) -> None:
    """Draw waveform, log-mel spectrogram and tags of the example over one time axis."""
    duration_s = soundfile.info(GUITAR).duration
    with plt.rc_context(STYLE):
        figure, (top, middle, bottom) = plt.subplots(
            3, 1, sharex=True, figsize=(9, 5.6), height_ratios=(1, 2, 2.4), layout="constrained"
        )
        draw_waveform(top)
        draw_log_mel(middle, duration_s)
        draw_tags(bottom, fa.Pipeline.load("musicnn-mtt").with_hop(0.25))
        top.set(xlim=(0, duration_s), title="examples/guitar.flac, tagged by musicnn-mtt")
        figure.align_ylabels()
        drawn = io.BytesIO()
        # An opaque background is legible on light and dark pages alike.
        figure.savefig(drawn, dpi=110, facecolor="white")
        plt.close(figure)
    # A palette makes the file a third as large.
    Image.open(drawn).convert("RGB").quantize(N_COLOURS).save(path, optimize=True)


def draw_recording(path: Path) -> None:
    """Draw the example as `fastaudio plot` does."""
    tagger = fa.Pipeline.load("musicnn-mtt").with_hop(0.25)
    drawn = io.BytesIO()
    plot.recording(GUITAR, tagger >> fa.Events(onset=[0.2]), dark=True).savefig(drawn)
    palette = Image.Quantize.MAXCOVERAGE  # keeps the shades of the colour bars
    Image.open(drawn).convert("RGB").quantize(256, method=palette).save(path, optimize=True)


def draw_confusion(path: Path) -> None:
    """Draw what `instruments` takes notes for, from its card: recorded ones, and of programs never heard."""
    metrics = fa.Pipeline.load("instruments").card["metrics"]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(12, 5.6), layout="constrained")
        for ax, key in zip(axes, ("real_notes", "unheard_programs"), strict=True):
            rows = metrics[key]["confusion"]
            labels = list(dict.fromkeys([*rows, *(name for row in rows.values() for name in row)]))
            counts = [[rows.get(family, {}).get(name, 0) for name in labels] for family in labels]
            plot.confusion(counts, labels, ax)
            reached = metrics[key]["balanced_accuracy"]
            ax.set_title(f"{key.replace('_', ' ')}: balanced accuracy {reached:.2f}")
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=100, facecolor="white")
        plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(N_COLOURS).save(path, optimize=True)


def main() -> None:
    """Draw all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DOCS / "pictures", help="folder (%(default)s)")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    plt.switch_backend("agg")
    draw_tagging(folder / "tagging.png")
    draw_recording(folder / "recording.png")
    draw_confusion(folder / "instruments.png")


if __name__ == "__main__":
    main()
