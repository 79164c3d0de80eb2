"""Hung and Lerch's five methods at full size: Table II, features of several rates, training, pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import export  # noqa: E402
import informed  # noqa: E402
import informed_compose  # noqa: E402
import informed_data  # noqa: E402
import informed_training as training  # noqa: E402
import openl3  # noqa: E402
import recipe as recipes  # noqa: E402
import vggish  # noqa: E402
from harmonic_cnn import HarmonicCnn  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch")

# The paper's Table II: training with VGGish, OpenL3 and both, then inference.
TABLE = {
    "feature-only": "38k 136k 169k 72.2M 4.8M 77.0M",
    "concat": "3.7M 3.8M 3.8M 75.8M 8.4M 80.6M",
    "film": "3.7M 3.9M 4.0M 75.8M 8.6M 80.8M",
    "con-reg": "3.7M 3.8M 3.8M 3.6M 3.6M 3.6M",
    "dis-reg": "3.6M 3.6M 3.6M 3.6M 3.6M 3.6M",
}
SMALL = 4  # filters
LABELS = ["car", "siren"]
NAMES = list(informed.METHODS)
FEATURES = list(informed.FEATURES.values())


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Use one thread: the last digits depend on it."""
    torch.set_num_threads(1)


def rounded(n: int) -> str:
    """Return a number as the table has it."""
    return f"{n / 1e3:.0f}k" if n < 1e6 else f"{n / 1e6:.1f}M"


def test_all_thirty_numbers_of_table_2_are_the_papers() -> None:
    found = informed.table_2()
    for method, line in TABLE.items():
        numbers = [found[method, feature] for feature in ("vggish", "openl3", "combined")]
        assert " ".join(rounded(n[side]) for side in (0, 1) for n in numbers) == line, method


def test_the_exact_numbers_follow_from_the_layers() -> None:
    found = informed.table_2()
    assert found["feature-only", "combined"][0] == 640 * 256 + 256 + 2 * 256 + 256 * 17 + 17
    assert found["film", "vggish"] == (3_689_117, 3_689_117 + 72_141_184)
    assert found["con-reg", "openl3"] == (3_623_069 + 512 * 256 + 256, 3_623_069)
    with torch.device("meta"):
        assert recipes.count_parameters(vggish.Vggish()) == informed.VGGISH.parameters
        assert recipes.count_parameters(openl3.OpenL3()) == informed.OPENL3.parameters
    for model, feature in (("musicnn-mtt", informed.MUSICNN), ("aisfx", informed.AISFX)):
        assert fa.Pipeline.load(model).card["parameters"] == feature.parameters


def test_rows_are_repeated_or_averaged_to_an_embeddings_frames() -> None:
    rows = torch.arange(50.0)[None, :, None]
    assert informed.align(rows, 2)[0, :, 0].tolist() == [12.0, 37.0]
    assert informed.align(rows, 50) is rows
    few = torch.tensor([[[1.0], [2.0], [3.0]]])
    assert informed.align(few, 7)[0, :, 0].tolist() == [1, 1, 1, 2, 2, 3, 3]
    assert informed.align(few, 2)[0, :, 0].tolist() == [1.5, 3.0]
    assert informed.align(few[:, :1], 4)[0, :, 0].tolist() == [1, 1, 1, 1]


def test_regularisers_over_frames_are_equations_2_and_3() -> None:
    torch.manual_seed(0)
    frames, feature = torch.randn(3, 2, 8), torch.randn(3, 2, 5)

    def distance(a: Any, b: Any) -> float:
        return 1 - float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    method = informed.ConReg(2, informed.Feature("five", 5, 1.0, 0), SMALL)
    projected = feature.numpy() @ method.project.weight.detach().numpy()[:, :, 0].T
    projected = projected + method.project.bias.detach().numpy()
    want = [distance(frames[i, t].numpy(), projected[i, t]) for i in range(3) for t in range(2)]
    assert method.regulariser(frames, feature).item() == pytest.approx(np.mean(want), abs=1e-6)
    apart = informed.DisReg(2, informed.Feature("five", 5, 1.0, 0), SMALL)
    want = [
        abs(distance(*frames[[i, j], t].numpy()) - distance(*feature[[i, j], t].numpy()))
        for i in range(3)
        for j in range(i + 1, 3)
        for t in range(2)
    ]
    assert apart.regulariser(frames, feature).item() == pytest.approx(np.mean(want), abs=1e-6)
    assert not any("project" in name for name, _ in apart.named_parameters())


def test_without_a_feature_it_is_the_harmonic_cnn() -> None:
    method = informed.Method(2, informed.VGGISH, SMALL).eval()
    net = HarmonicCnn(2, SMALL, last=2).eval()
    net.load_state_dict(method.net.state_dict())
    patches = torch.randn(2, 6, 128, 313)
    assert torch.equal(method(patches, torch.zeros(2, 5, 128)).sigmoid(), net(patches)[0])
    assert net.frames(patches).shape == (2, 2, 2 * SMALL), "5 s end as two frames"
    assert HarmonicCnn(2, SMALL).frames(patches).shape == (2, 1, 2 * SMALL), "and as one for music"


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@pytest.mark.parametrize("name", NAMES)
def test_every_method_learns_from_a_feature_of_any_rate(name: str, feature: informed.Feature) -> None:
    torch.manual_seed(0)
    method = informed.METHODS[name](2, feature, SMALL)
    rows = max(1, round(5 * feature.rate_hz))
    patches, values = torch.randn(2, 6, 128, 313), torch.randn(2, rows, feature.size)
    truth = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert method(patches, values).shape == (2, 2)
    method.loss(patches, values, truth).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.parameters())


def test_the_loss_is_binary_cross_entropy_of_each_label() -> None:
    method = informed.Method(2, informed.VGGISH, SMALL).eval()
    patches, values = torch.randn(3, 6, 128, 313), torch.zeros(3, 5, 128)
    truth = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    scores = method(patches, values).sigmoid().detach().numpy().astype(np.float64)
    t = truth.numpy()
    want = -(t * np.log(scores) + (1 - t) * np.log(1 - scores)).mean()
    assert method.loss(patches, values, truth).item() == pytest.approx(want, rel=1e-5)


def test_patches_in_training_are_those_of_the_preset(guitar_16k: NDArray[np.float32]) -> None:
    system = training.System(informed.Method(2, informed.VGGISH, SMALL))
    with torch.no_grad():
        system.filterbank.q.fill_(1.3)
        got = system.patches(torch.from_numpy(guitar_16k[None, :80_000]))[0].permute(2, 0, 1).numpy()
    want = presets.harmonic_cnn(q=[1.3])(guitar_16k[:80_000])[0]
    assert got.shape == want.shape == (313, 6, 128)
    heard = want > want.max() - 60
    np.testing.assert_allclose(got[heard], want[heard], atol=5e-3)


TEN = informed.Feature("ten", 16, 10.0, 0)


def ten() -> fa.Node:
    """Return a feature of 16 values every 0.1 s."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=16)
    return (
        mel >> fa.Log(kind="log10") >> fa.Statistics(kinds=["mean"], window=10) >> fa.Concat(fa.Normalize())
    )


@pytest.fixture(scope="module")
def clips(clips_folder: Path) -> informed_data.Clips:
    return informed_data.read_clips(clips_folder, TEN, fa.Pipeline(ten()))


def test_a_window_has_the_features_rows_of_its_time(clips: informed_data.Clips) -> None:
    assert clips.labels == LABELS
    assert [len(clips.of(split)) for split in informed_data.SPLITS] == [3, 1, 2]
    assert clips.truth([0, 1, 2]).tolist() == [[True, False], [False, True], [True, True]]
    assert len(clips.clips[0].samples) == 80_000, "filled up"
    batch = clips.windows([1, 3], [0, 8_000])
    assert batch.samples.shape == (2, 80_000)
    assert torch.equal(batch.samples[1], clips.clips[3].samples[8_000:88_000])
    assert torch.equal(batch.feature[1], clips.clips[3].feature[5:55])
    spread = clips.spread(1, 4)
    assert torch.equal(spread.samples[2], clips.clips[1].samples[8_000:88_000])


@pytest.mark.parametrize("name", ["musicnn", "aisfx", "yamnet"])
def test_real_features_are_read_at_their_rates(name: str, clips_folder: Path, request: Any) -> None:
    feature = informed.FEATURES[name]
    if name == "yamnet":
        path = request.getfixturevalue("shared") / "models" / "yamnet" / "yamnet.onnx"
        embedder = fa.Pipeline(presets.yamnet() >> fa.OnnxModel(str(path), outputs=["embedding"]))
    else:
        embedder = training.embedder_of(feature, None, None)
    (spec,) = embedder.output_specs.values()
    assert spec.rate_hz == pytest.approx(feature.rate_hz)
    clips = informed_data.read_clips(clips_folder, feature, embedder)
    settings = training.Settings(epochs=1, batch=3, chunks=1)
    _, record = training.run(clips, "con-reg", settings, width=SMALL, seed=0)
    assert np.isfinite(record["history"][0]["loss"])
    assert record["parameters_run"] < record["parameters_trained"]


def test_a_folder_that_cant_be_learnt_from_is_refused(clips_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "0.wav").write_bytes((clips_folder / "0.wav").read_bytes())
    manifest = tmp_path / "manifest.csv"
    for line, said in (
        ("0.wav,learn,car", "0.wav: expected labels and a split of train, validation, test, got"),
        ("0.wav,train,;", "0.wav: expected labels and a split"),
        ("0.wav,train,car", "expected clips of each split, got none of validation, test"),
    ):
        manifest.write_text(f"file,split,labels\n{line}\n", encoding="utf-8")
        with pytest.raises(ValueError, match=said):
            informed_data.read_clips(tmp_path, TEN, fa.Pipeline(ten()))
    with pytest.raises(ValueError, match=r"expected rows \[n, 128\] of vggish, got \(40, 16\)"):
        informed_data.read_clips(tmp_path, informed.VGGISH, fa.Pipeline(ten()))
    with pytest.raises(ValueError, match="--feature vggish: expected --model with its network, got none"):
        training.embedder_of(informed.VGGISH, None, None)


def settled(method: Any) -> Any:
    """Return a method whose normalisations know made-up patches, and whose scores differ."""
    torch.manual_seed(1)
    for module in method.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    rows = max(1, round(5 * method.feature.rate_hz))
    sound = recipes.notes(16_000, 15.0)
    patches = presets.harmonic_cnn()(sound).transpose(0, 2, 3, 1).copy()
    feature = torch.randn(3, rows, method.feature.size)
    if method.feature is TEN:
        feature = torch.from_numpy(ten()(sound).reshape(3, rows, -1).copy())
    with torch.no_grad():
        method.train()(torch.from_numpy(patches), feature)
        method.net.decoder[-1].weight.mul_(3)
    return method.eval()


@pytest.mark.parametrize("name", NAMES)
def test_a_method_runs_here_as_in_torch(name: str, guitar_16k: NDArray[np.float32], tmp_path: Path) -> None:
    method = settled(informed.METHODS[name](2, TEN, SMALL))
    samples = np.tile(guitar_16k, 2)[: 2 * 80_000]
    patches = torch.from_numpy(presets.harmonic_cnn()(samples).transpose(0, 2, 3, 1).copy())
    feature = torch.from_numpy(ten()(samples)[:100].reshape(2, 50, 16).copy())
    with torch.no_grad():
        logits = method(patches, feature)
        last = method.net.decoder[-1]
        last.weight /= logits.std(dim=0)[:, None]  # so that scores are neither 0 nor 1
        last.bias.copy_((last.bias - logits.mean(dim=0)) / logits.std(dim=0))
        want = method(patches, feature).sigmoid().numpy()
    assert want.std() > 0.1
    node = informed_compose.compose(method, LABELS, tmp_path, ten())
    got = fa.Pipeline(node)(samples, sample_rate=16_000)
    assert list(got.labels) == LABELS
    np.testing.assert_allclose(got.scores, want, atol=1e-4)


def test_vggish_and_openl3_and_the_harmonic_cnn_run_as_one_from_48_khz(
    guitar_16k: NDArray[np.float32], tmp_path: Path
) -> None:
    samples = fa.Resample(input_rate=16_000, output_rate=48_000)(guitar_16k)[: 6 * 48_000]
    nets = {}
    branches = {}
    for recipe in (vggish.VGGISH, openl3.OPENL3):
        net = recipes.start(recipe, recipes.SMALL)
        path = tmp_path / f"{recipe.name}.onnx"
        export.write_model(recipe, net, path)
        network = fa.OnnxModel(str(path), outputs=["embedding"], layout=recipe.layout)
        branches[recipe.name] = recipe.front() >> network
        nets[recipe.name] = (recipe, net)
    down = fa.Resample(input_rate=48_000, output_rate=16_000)
    both = informed_compose.combined(down >> branches["vggish-transfer"], branches["openl3-mel128"])
    fa.Pipeline(both).save(tmp_path / "both" / "card.json")  # as --model takes it
    again = training.embedder_of(informed.COMBINED, str(tmp_path / "both"), None)
    np.testing.assert_allclose(again(samples, sample_rate=48_000), both(samples), atol=1e-5)
    size = 128 + 512 // recipes.SMALL
    method = settled(informed.Concat(2, informed.Feature("small", size, 10.0, 0), SMALL))
    node = informed_compose.compose(method, LABELS, tmp_path, both, rate_hz=48_000)
    got = fa.Pipeline(node)(samples, sample_rate=48_000)

    low = down(samples)
    rows = {}
    for key, at in (("vggish-transfer", low), ("openl3-mel128", samples)):
        recipe, net = nets[key]
        at_output = list(recipe.outputs).index("embedding")
        rows[key] = recipes.run(net, recipe.patches(at))[at_output]
    beside = [int(k * 0.1 / 0.96 + 1e-9) for k in range(50)]  # VGGish's last row that began by then
    combined = np.concatenate([rows["vggish-transfer"][beside], rows["openl3-mel128"][:50]], axis=1)
    patches = torch.from_numpy(presets.harmonic_cnn()(low)[:1].transpose(0, 2, 3, 1).copy())
    with torch.no_grad():
        want = method(patches, torch.from_numpy(combined[None])).sigmoid().numpy()
    assert got.scores.shape == (1, 2)
    np.testing.assert_allclose(got.scores, want, atol=1e-4)
