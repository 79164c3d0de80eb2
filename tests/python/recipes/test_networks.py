"""Networks of the recipes against their originals: sizes, weights of other frameworks, and orders of axes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import ae_w2v  # noqa: E402
import export  # noqa: E402
import openl3  # noqa: E402
import recipe as recipes  # noqa: E402
import resnet50v2  # noqa: E402
import vggish  # noqa: E402

torch.set_num_threads(1)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.mark.parametrize(
    ("build", "trained", "running"),
    [
        (ae_w2v.AudioEncoder, 2_381_952, 5 * 256),  # the paper says "approximately 2.4 M"
        (resnet50v2.Trunk, 23_519_360, 45_440),  # Keras: 23,564,800 in all
        (vggish.Vggish, 72_141_184, 0),
        (openl3.OpenL3, 4_687_042, 2_818),
    ],
)
def test_a_network_has_the_parameters_of_its_original(build: Any, trained: int, running: int) -> None:
    with torch.device("meta"):
        net = build()
    assert recipes.count_parameters(net) == trained
    assert sum(b.numel() for name, b in net.named_buffers() if "running" in name) == running


@pytest.mark.filterwarnings("ignore")
def test_resnet_is_keras_resnet50v2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    theirs = keras.applications.ResNet50V2(
        include_top=False, weights=None, pooling="avg", input_shape=(96, 64, 3)
    )
    rng = np.random.default_rng(0)
    for layer in theirs.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            spread = (rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights())
            layer.set_weights(list(spread))
    ours = resnet50v2.Trunk().eval()
    ours.load_keras({layer.name: layer.get_weights() for layer in theirs.layers})
    images = rng.normal(size=(2, 96, 64, 3)).astype(np.float32)
    with torch.no_grad():
        got = ours(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
        want = keras.ops.convert_to_numpy(theirs(images, training=False))
    np.testing.assert_allclose(got, want, atol=1e-5, rtol=0)


def test_resnets_first_pool_counts_the_zeros_around_it() -> None:
    trunk = resnet50v2.Trunk(width=4).eval()
    seen: list[Any] = []
    trunk.stacks[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        trunk.stem.weight.zero_()
        trunk.stem.bias.fill_(-1)
        trunk(torch.zeros(1, 3, 32, 32))
    want = np.full((8, 8), -1.0)
    want[0], want[:, 0] = 0, 0  # the stride doesn't reach the last padding of 16 x 16 values
    assert np.array_equal(seen[0][0, 0].numpy(), want)


def test_a_projection_has_length_1_and_scores_sum_to_1() -> None:
    recipe = resnet50v2.RESNET50V2
    patches = recipe.patches(recipe.sound(patches=2))
    scores, projection, features = recipes.run(recipes.start(recipe, recipes.SMALL), patches)
    np.testing.assert_allclose(np.linalg.norm(projection, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    assert features.shape == (2, 2048 // recipes.SMALL)


@pytest.mark.parametrize("which", ["vggish", "openl3"])
def test_maps_are_flattened_with_the_channels_last_as_tensorflow_does(which: str) -> None:
    maps = torch.arange(1 * 8 * 6 * 4, dtype=torch.float32).reshape(1, 8, 6, 4)
    if which == "vggish":
        net: Any = vggish.Vggish(width=1)
        net.features = torch.nn.Identity()
        net.embeddings = torch.nn.Identity()
        flat = net(maps)
    else:
        net = openl3.OpenL3(width=1)
        net.layers = torch.nn.Identity()
        large = maps.repeat_interleave(4, dim=2).repeat_interleave(8, dim=3)  # the pool undoes this
        net.whole = torch.nn.MaxPool2d((24, 32))
        whole, flat = net(large)
        assert np.array_equal(whole[0], maps.amax(dim=(0, 2, 3)))
    assert np.array_equal(flat[0], maps[0].numpy().transpose(1, 2, 0).ravel())


def test_vggish_embeddings_become_audiosets_8_bits(tmp_path: Path, guitar_16k: NDArray[np.float32]) -> None:
    recipe = vggish.VGGISH
    net = recipes.start(recipe, recipes.SMALL)
    export.write_model(recipe, net, tmp_path / "model.onnx")
    rng = np.random.default_rng(0)  # the published matrix comes with the weights
    matrix, means = np.linalg.qr(rng.normal(size=(128, 128)))[0].astype(np.float32), rng.normal(size=128) / 9
    network = fa.OnnxModel(str(tmp_path / "model.onnx"), outputs=["embedding"], layout=recipe.layout)
    got = (recipe.front() >> network >> presets.vggish_postprocess(matrix, means))(guitar_16k)
    (_, embedding) = recipes.run(net, recipe.patches(guitar_16k))
    whitened = (embedding - means) @ matrix.T.astype(np.float64)
    want = (np.clip(whitened, -2, 2) + 2) * (255 / 4)
    assert got.shape == (len(embedding), 128)
    assert got.std() > 20
    assert (np.abs(got - np.floor(want)) <= (np.abs(want - np.round(want)) < 1e-3)).all()


def test_openl3s_embeddings_are_as_long_as_published() -> None:
    with torch.no_grad():
        small, large = openl3.OpenL3(width=64 // 16).eval()(torch.zeros(1, 1, 128, 199))
    assert (small.shape, large.shape) == ((1, 512 // 16), (1, 6144 // 16))
