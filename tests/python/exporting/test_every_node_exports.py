"""The law of export: each node becomes a graph that gives its numbers, or says why it can't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from export_cases import run_graph
from fastaudio.exporting.model import build
from fastaudio.exporting.refusing import ExportError
from fastaudio.exporting.registry import exportable
from helpers import by_name
from node_cases import CLASSES, node_of, rows_of, spec_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

REFUSED = {"Events"}
LENGTHS = (0, 1, 2, 37, 512, 513, 2500)

# Options beside the defaults, for each the expression that makes the node.
VARIANTS: list[tuple[str, fa.Node]] = [
    ("Chroma", fa.Chroma(norm="l2", n_chroma=24, base_c=False)),
    ("Chroma", fa.Chroma(norm="none", octwidth=None)),
    ("Delta", fa.Delta(width=5, order=2, mode="nearest")),
    ("Delta", fa.Delta(width=5, order=2, mode="htk")),
    ("EnergyPatch", fa.EnergyPatch(length=5, hop=3, last="pad", pad_value=-2.0)),
    ("EnergyPatch", fa.EnergyPatch(length=40, last="repeat")),
    ("Gate", fa.Gate(threshold_db=-25, hysteresis_db=6, hold_s=0.05, window_s=0.07)),
    ("Gate", fa.Gate(threshold_db=-22, mark=True, window_s=0.03)),
    ("Gate", fa.Gate(threshold_db=-22, value=-1.5, hold_s=0.02)),
    ("Gate", fa.Gate(threshold_db=-25, window_s=60)),
    ("HarmonicSpectrogram", fa.HarmonicSpectrogram(n_fft=513, power=1.0)),
    ("LinearSoftmaxPooling", fa.LinearSoftmaxPooling(window=9, hop=4)),
    ("Log", fa.Log(kind="dB", scale=3.0, offset=0.1, reference=2.0)),
    ("MFCC", fa.MFCC(n_mfcc=7, lifter=22.0, norm="none")),
    ("MinMaxScale", fa.MinMaxScale([-0.01], [0.02], clip=True)),
    ("Mono", fa.Mono(channels=2, channel=1)),
    ("Normalize", fa.Normalize(kind="max", over="clip")),
    ("Normalize", fa.Normalize(kind="standard", over="clip")),
    ("Normalize", fa.Normalize(kind="min_max")),
    ("Normalize", fa.Normalize(kind="mean")),
    ("Normalize", fa.Normalize(kind="rms")),
    ("Normalize", fa.Normalize(kind="rms", over="clip")),
    ("Normalize", fa.Normalize(kind="energy", eps=0.05)),
    ("Normalize", fa.Normalize(kind="energy", over="clip")),
    ("PCEN", fa.PCEN(time_constants_s=[0.06, 0.4], initial="first", power=0.25)),
    ("PCEN", fa.PCEN(power=0.0, gain=0.8)),
    ("PCEN", fa.PCEN(bias=0.0)),
    ("Patches", fa.Patches(length=7, hop=3, last="repeat", context=2, pad_value=1.5)),
    ("Patches", fa.Patches(length=3, hop=8, last="pad")),
    ("Patches", fa.Patches(length=3, hop=8, last="repeat")),
    ("Patches", fa.Patches(length=3, hop=4, last="repeat", context=3)),
    ("Patches", fa.Patches(length=90, hop=1, last="drop")),
    ("Patches", fa.Patches(length=600, hop=7, last="repeat")),
    ("Preemphasis", fa.Preemphasis(advanced=True)),
    ("Quantize", fa.Quantize(min=-0.02, max=0.02, bits=3, rounding="nearest")),
    ("RMS", fa.RMS(frame_length=100, hop_length=30, pad_mode="reflect")),
    ("RMS", fa.RMS(frame_length=101, hop_length=230, center=False)),
    ("Resample", fa.Resample(input_rate=48_000, output_rate=16_000)),
    ("Resample", fa.Resample(input_rate=16_000, output_rate=48_000, quality="best")),
    ("Resample", fa.Resample(input_rate=44_100, output_rate=11_025, quality="fast")),
    ("SpectralBandwidth", fa.SpectralBandwidth(p=3.0, norm=False)),
    ("SpectralContrast", fa.SpectralContrast(part="valley", quantile=0.2, n_bands=3, linear=True)),
    ("SpectralFlatness", fa.SpectralFlatness(power=1.0)),
    ("SpectralFlux", fa.SpectralFlux(lag=3, max_size=2, aggregate="sum")),
    ("SpectralFlux", fa.SpectralFlux(lag=50, max_size=9)),
    ("SpectralFlux", fa.SpectralFlux(aggregate="l2")),
    ("SpectralFlux", fa.SpectralFlux(aggregate="l2", rectify=False, lag=2)),
    ("SpectralFlux", fa.SpectralFlux(aggregate="sum", rectify=False, max_size=3)),
    ("Spectrogram", fa.Spectrogram(n_fft=400, hop_length=160, pad_mode="reflect", power=None)),
    ("Spectrogram", fa.Spectrogram(n_fft=127, hop_length=200, center=False, power=0.7)),
    ("Spectrogram", fa.Spectrogram(n_fft=16_384, hop_length=500)),  # the turns are operators of their own
    ("Spectrogram", fa.Spectrogram(n_fft=16_384, hop_length=900, power=None, window="hamming")),
    ("Spectrogram", fa.Spectrogram(n_fft=6, hop_length=9, pad_mode="kaldi", power=1.0)),
    ("StackChannels", fa.StackChannels(axis="first")),
    ("Statistics", fa.Statistics(kinds=["std", "min", "max", "p97.5", "mean", "p0"])),
    ("Statistics", fa.Statistics(kinds=["p50", "std", "min", "max"], window=45, hop=20)),
    ("TopDb", fa.TopDb(top_db=0.01, over="clip", relative=True)),
    ("TopDb", fa.TopDb(top_db=0.01)),
    ("ZeroCrossingRate", fa.ZeroCrossingRate(frame_length=64, hop_length=16, center=False)),
    (
        "MelSpectrogram",
        fa.MelSpectrogram(
            sample_rate=16_000, n_fft=512, win_length=400, hop_length=160, window="povey_symmetric",
            window_at="start", pad_mode="kaldi", remove_dc=True, preemphasis=0.97, sample_scale=32768.0,
            n_mels=80, f_min=20.0, mel_scale="htk", triangles="mel", norm="none",
        ),
    ),
    ("MelSpectrogram", fa.MelSpectrogram(n_fft=96, hop_length=1, n_mels=5, power=1.0)),
]  # fmt: skip

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32)
SLOW, FAST = MEL >> fa.Statistics(window=7), MEL >> fa.Statistics(kinds=["max"], window=3)
GAINS: dict[str, fa.Node] = {"gamma": fa.L2Normalize(), "beta": fa.Log()}
COMPOSED: list[fa.Node] = [
    fa.Concat(SLOW, FAST, MEL >> fa.Log()),
    fa.Concat(SLOW, FAST, rate_of=0, align="average"),
    fa.Concat(MEL >> fa.Mean(), MEL >> fa.Max()),
    fa.Film(MEL >> fa.Patches(length=4), MEL >> fa.Patches(length=4) >> GAINS, align="average"),
    fa.Film(FAST, MEL >> fa.Statistics(kinds=["max"], window=3, hop=1) >> GAINS, align="average"),
    fa.Each(MEL >> fa.PCEN() >> fa.Delta(), 3000, hop=700, last="repeat", context=100, length=5),
    fa.Each(fa.Each(MEL >> fa.Mean(), 1024), 4096, last="pad"),
    MEL >> fa.Gate(threshold_db=0, hysteresis_db=3, hold_s=0.03, window_s=0.05) >> fa.Mean(),
    MEL >> fa.Log(kind="dB") >> fa.Gate(threshold_db=0, value=-80, mark=True),
    MEL >> fa.Patches(length=3) >> fa.Gate(threshold_db=0),
    fa.MelSpectrogram(sample_rate=16_000, power=1.0, n_mels=20) >> fa.Gate(threshold_db=-10, window_s=0.1),
    fa.Preemphasis(sample_rate=16_000, advanced=True) >> MEL >> fa.Log() >> fa.Patches(length=9, last="pad"),
    MEL >> {"a": fa.Log() >> {"x": fa.Mean(), "y": fa.Max()}, "b": fa.Patches(length=3) >> fa.Normalize()},
]


def heard_by(name: str) -> NDArray[np.float32]:
    """Real sound with faint noise: it leaves no band empty, where a logarithm would show rounding alone."""
    rows = rows_of(name)
    if rows.ndim > 1:
        return rows
    return rows + np.random.default_rng(3).normal(0, 1e-4, len(rows)).astype(np.float32)


def rows_out(node: fa.Node, rows: NDArray[np.float32], spec: fa.StreamSpec) -> list[NDArray[np.float32]]:
    stream = node.open(spec)
    parts = [by_name(stream.push(rows)), by_name(stream.flush())]
    return [np.concatenate([part[name] for part in parts]) for name in parts[0]]


def agrees(node: fa.Node, rows: NDArray[np.float32], spec: fa.StreamSpec) -> None:
    """Check a graph against its node, over parts of several lengths."""
    session = run_graph(build(node, spec))
    for n in (*LENGTHS, len(rows)):
        part = np.ascontiguousarray(rows[:n])
        for got, want in zip(session(part), rows_out(node, part, spec), strict=False):
            assert got.shape == want.shape, (n, got.shape, want.shape)
            scale = max(1.0, float(np.abs(want).max(initial=0)))
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * scale, err_msg=f"{n} rows")


def input_of(node: fa.Node, rows: NDArray[np.float32]) -> fa.StreamSpec:
    return node.input_spec or spec_of(node) or fa.StreamSpec(rate_hz=100, shape=list(rows.shape[1:]), unit="")


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_node_exports_and_agrees_or_is_refused(name: str) -> None:
    node, rows = node_of(name), heard_by(name)
    spec = input_of(node, rows)
    if name in exportable():
        assert name not in REFUSED
        agrees(node, rows, spec)
        return
    with pytest.raises(ExportError, match=rf"^export_onnx: expected .*, got {name}: .*; export "):
        build(node, spec)


def test_what_is_refused_is_known() -> None:
    assert {name for name in CLASSES if name not in exportable()} <= REFUSED


def test_sound_beside_a_short_window_leaves_no_trace() -> None:
    """Where a window is 0, what stands there doesn't reach the bands, however low a logarithm goes."""
    mel = fa.MelSpectrogram(n_fft=2048, win_length=660, hop_length=220, n_mels=16) >> fa.Log(floor=1e-30)
    click = np.zeros(6000, dtype=np.float32)
    click[3000] = 0.5
    assert mel.input_spec is not None
    agrees(mel, click, mel.input_spec)
    session = run_graph(build(mel, mel.input_spec))
    assert (session(click)[0].min(axis=1) == np.log(np.float32(1e-30))).sum() > len(session(click)[0]) // 2


@pytest.mark.parametrize(("name", "node"), VARIANTS, ids=[repr(node)[:60] for _, node in VARIANTS])
def test_other_options_agree(name: str, node: fa.Node) -> None:
    rows = heard_by(name)
    agrees(node, rows, input_of(node, rows))


@pytest.mark.parametrize("node", COMPOSED, ids=[repr(node)[:60] for node in COMPOSED])
def test_compositions_agree(node: fa.Node) -> None:
    assert node.input_spec is not None
    agrees(node, heard_by("MelSpectrogram"), node.input_spec)
