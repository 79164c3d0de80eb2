"""Any labelled sound as clips with several labels each, as the methods at full size learn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import clip_sources  # noqa: E402
import informed  # noqa: E402
import informed_data  # noqa: E402
import informed_training as training  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

RATE_HZ = 16_000
SMALL = 4  # filters
LABELS = ["car", "siren"]
TEN = informed.Feature("ten", 16, 10.0, 0)


def ten() -> fa.Node:
    """Return a feature of 16 values every 0.1 s."""
    mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=160, n_mels=16)
    return (
        mel >> fa.Log(kind="log10") >> fa.Statistics(kinds=["mean"], window=10) >> fa.Concat(fa.Normalize())
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with six noises of 4 s."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    for i in range(6):
        soundfile.write(folder / f"{i}.wav", 0.1 * rng.standard_normal(4 * RATE_HZ), RATE_HZ)
    return folder


def test_other_labelled_sound_is_read_with_several_labels_or_one(folder: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    lines = [
        f"{folder}/{i}.wav,{label},{i}" for i, label in enumerate(["car", "siren", "car;siren", "", "car"])
    ]
    manifest.write_text("path,labels,fold\n" + "\n".join(lines) + "\n", encoding="utf-8")
    clips = informed_data.read_clips(manifest, TEN, fa.Pipeline(ten()))
    assert clips.labels == LABELS
    assert [clip.split for clip in clips.clips] == ["train"] * 3 + ["validation", "test"]
    assert clips.truth([2, 3]).tolist() == [[True, True], [False, False]]
    settings = training.Settings(epochs=1, batch=3, chunks=1)
    _, record = training.run(clips, "concat", settings, width=SMALL, seed=0)
    assert np.isfinite(record["history"][0]["loss"])
    lines = [f"{folder}/{i}.wav,{i % 2},0.5,3,{i}" for i in range(6)]
    manifest.write_text("path,label,start_s,end_s,group\n" + "\n".join(lines) + "\n", encoding="utf-8")
    clips = informed_data.read_clips(manifest, TEN, fa.Pipeline(ten()))
    assert [len(clips.of(split)) for split in informed_data.SPLITS] == [4, 1, 1]
    samples, _ = soundfile.read(folder / "1.wav", dtype="float32")
    assert torch.equal(clips.clips[1].samples[:40_000], torch.from_numpy(samples[8_000:48_000]))


@pytest.mark.parametrize(
    ("folds", "want"),
    [
        (["train", "Valid", "test"], ["train", "validation", "test"]),
        (["1", "10", "2"], ["train", "test", "validation"]),
        (["a", "b"], ["validation", "test"]),
        (["a", "a"], ["test", "test"]),
    ],
)
def test_folds_are_splits(folds: list[str], want: list[str]) -> None:
    assert clip_sources.splits_of(folds, folds) == want


def test_a_fifth_of_the_groups_stands_for_a_split_that_is_missing() -> None:
    groups = [str(i // 2) for i in range(20)]
    dealt = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    assert clip_sources.splits_of(None, groups) == dealt * 2
    folds = ["train"] * 20 + ["test"] * 3
    splits = clip_sources.splits_of(folds, [*groups, "x", "y", "z"])
    assert splits == (["train"] * 6 + ["validation"] * 2 + ["train"] * 2) * 2 + ["test"] * 3


def test_a_published_collection_is_learnt_from(tmp_path: Path) -> None:
    """OpenMIC's layout, made up, with sound above 8 kHz, which a feature at 44.1 kHz hears."""
    rows, keys = ["sample_key,instrument,relevance,num_responses"], [f"00004{i}_{i}" for i in range(7)]
    rate = 44_100
    tone = 0.3 * np.sin(2 * np.pi * 12_000 * np.arange(6 * rate) / rate)
    for i, key in enumerate(keys):
        path = tmp_path / "audio" / key[:3] / f"{key}.ogg"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone, rate, format="OGG")
        rows += [f"{key},{name},{float(i % 2 == k)},3" for k, name in enumerate(("flute", "voice"))]
    (tmp_path / "openmic-2018-aggregated-labels.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "partitions").mkdir()
    for split, own in (("train", keys[:5]), ("test", keys[5:])):
        (tmp_path / "partitions" / f"split01_{split}.csv").write_text("\n".join(own), encoding="utf-8")
    mel = fa.MelSpectrogram(sample_rate=rate, n_fft=2048, hop_length=4410, n_mels=16)
    embedder = fa.Pipeline(mel >> fa.Log(kind="log10"))
    clips = informed_data.read_clips(tmp_path, TEN, embedder)
    assert clips.labels == ["flute", "voice"]
    assert [len(clips.of(split)) for split in informed_data.SPLITS] == [4, 1, 2]
    assert torch.equal(clips.clips[0].feature, torch.from_numpy(embedder(str(path))))
