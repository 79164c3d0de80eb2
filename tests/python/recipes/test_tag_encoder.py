"""The tag encoder gives the authors' numbers from their weights, and makes banks of tags for sound."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, decode

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
onnx = pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import export  # noqa: E402
import recipe as recipes  # noqa: E402
import tag_encoder as tags  # noqa: E402
from ae_w2v import AE_W2V_128  # noqa: E402

torch.set_num_threads(1)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

WORDS = ["dog", "bark", "rain", "thunder", "guitar", "acoustic", "siren", "drum", "loop", "voice"]
VOCABULARY = {word: index for index, word in enumerate(WORDS, start=1)}
VARIANTS = [(128, 4), (128, 1), (128, 0), (96, 1)]  # size, heads; 0 for the mean
every_variant = pytest.mark.parametrize(("size", "heads"), VARIANTS)


@pytest.fixture(scope="module")
def theirs(shared: Path) -> Path:
    """Return the authors' encoder with 128 values and 4 heads, as others exported it."""
    path = shared / "models" / "tag_encoder" / "tag_encoder.onnx"
    if not path.is_file():
        pytest.skip("the shared models have no tag encoder")
    return path


@pytest.fixture(scope="module")
def vocabulary(theirs: Path) -> dict[str, int]:
    return tags.read_vocabulary(theirs.with_name("id2token.json"))


@pytest.fixture(scope="module")
def audio_encoder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Return the audio side, narrow and untrained, in PyTorch and as exported."""
    net = recipes.start(AE_W2V_128, recipes.SMALL)
    folder = tmp_path_factory.mktemp("audio")
    export.export(AE_W2V_128, net, folder)
    return net, folder


def made(size: int, heads: int) -> tags.TagEncoder:
    return tags.untrained(tags.TagEncoder(len(WORDS), size, heads))


def written(encoder: tags.TagEncoder, folder: Path) -> Callable[[Any], NDArray[np.float32]]:
    tags.write_encoder(encoder, folder / "tag_encoder.onnx")
    return tags.open_encoder(folder / "tag_encoder.onnx")


def some_ids(words: int) -> NDArray[np.int64]:
    """Return sets of every length, one without any tag; ids are 0 where there is no tag."""
    rng = np.random.default_rng(0)
    ids = np.stack([rng.permutation(np.resize(np.arange(1, words + 1), 10)) for _ in range(11)])
    return np.where(np.arange(10) < np.arange(11)[:, None], ids, 0).astype(np.int64)


def cosines(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    a, b = vectors.astype(np.float64), others.astype(np.float64)
    return a @ b.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)


def test_the_authors_weights_give_the_authors_numbers(theirs: Path) -> None:
    graph = onnx.load(theirs).graph
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    values = {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
    normalise = next(node for node in graph.node if node.op_type == "LayerNormalization")
    gain, offset = (onnx.numpy_helper.to_array(values[name]) for name in normalise.input[1:])
    products = [node.input[1] for node in graph.node if node.op_type == "MatMul"]
    q, k, v, out = (weights[name].T for name in products if name in weights)
    state = {"embeddings": weights["E.weight"], "w_qs": q, "w_ks": k, "w_vs": v, "fc": out}
    encoder = tags.TagEncoder(words=1000, size=128, heads=4)
    named = {f"{name}.weight": value for name, value in state.items()}
    named |= {"layer_norm.weight": gain, "layer_norm.bias": offset}
    encoder.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in named.items()})
    ids = some_ids(1000)
    with torch.no_grad():
        ours = encoder.eval()(torch.from_numpy(ids)).numpy()
    np.testing.assert_allclose(ours, tags.open_encoder(theirs)(ids), atol=1e-5, rtol=0)


def test_the_authors_encoder_hears_a_dog_in_its_bark(theirs: Path, vocabulary: dict[str, int]) -> None:
    embed = partial(tags.embed_words, tags.open_encoder(theirs), vocabulary)
    near, *far = cosines(embed([["dog", "bark"]]), embed([["barking"], ["rain"], ["guitar"]]))[0]
    assert near > 0.5 + max(far)


@every_variant
def test_an_exported_encoder_gives_pytorchs_numbers(tmp_path: Path, size: int, heads: int) -> None:
    encoder = made(size, heads)
    run = written(encoder, tmp_path)
    ids = some_ids(len(WORDS))
    with torch.no_grad():
        want = encoder(torch.from_numpy(ids)).numpy()
    assert want.shape == (11, size)
    np.testing.assert_allclose(run(ids), want, atol=1e-5, rtol=0)
    np.testing.assert_allclose(run(ids[3:4]), want[3:4], atol=1e-5, rtol=0)


@every_variant
def test_the_order_of_tags_and_empty_places_among_them_do_not_matter(size: int, heads: int) -> None:
    encoder, ids = made(size, heads), some_ids(len(WORDS))
    with torch.no_grad():
        want, got = (encoder(torch.from_numpy(x.copy())).numpy() for x in (ids, ids[:, ::-1]))
    np.testing.assert_allclose(got, want, atol=1e-5, rtol=0)


def test_a_mean_is_that_of_the_words_there_are() -> None:
    encoder = made(128, 0)
    embed = partial(tags.embed_words, encoder, VOCABULARY)
    assert cosines(embed([["dog"]]), embed([["dog", "dog", "dog"]]))[0, 0] == pytest.approx(1, abs=1e-6)
    vectors = (encoder.fc.weight @ encoder.embeddings.weight.T).T[[1, 2]].detach().numpy()
    want = vectors.mean(axis=0)
    got = embed([["dog", "bark"]])[0]
    np.testing.assert_allclose(got, (want - want.mean()) / np.sqrt(want.var() + 1e-6), atol=1e-5)


@pytest.mark.parametrize(
    ("size", "heads", "trained"),
    [(128, 4, 4 * 128 * 512 + 256), (1152, 1, 4 * 1152**2 + 2304), (128, 0, 128**2 + 256)],
)
def test_word_vectors_are_given_and_the_rest_is_trained(size: int, heads: int, trained: int) -> None:
    encoder = tags.TagEncoder(1000, size, heads)
    assert recipes.count_parameters(encoder) == trained
    assert encoder.embeddings.weight.numel() == 1001 * size


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dog", "meow", "purr"], "expected words of the vocabulary, got meow, purr"),
        ([], "expected 1 to 10 words in a set, got 0"),
        (["dog"] * 11, "expected 1 to 10 words in a set, got 11"),
    ],
)
def test_tags_that_cannot_be_embedded_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=f"^tags: {message}$"):
        tags.embed_words(made(128, 0), VOCABULARY, [words])


def test_sound_is_compared_with_tags_chosen_after_training(
    tmp_path: Path, audio_encoder: tuple[Any, Path]
) -> None:
    net, folder = audio_encoder
    audio = fa.Pipeline.load(folder, untrained=True).layer("aligned")
    run = written(made(128, 4), tmp_path)
    samples, rate = decode(GUITAR)
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    patches = AE_W2V_128.patches(fa.Resample(input_rate=rate, output_rate=22_000)(mono))
    (aligned, _) = recipes.run(net, patches)
    # Only the bank knows the tags: one network serves two sets of them.
    for names in (["guitar", "acoustic guitar", "rain"], ["dog bark", "siren", "drum loop", "thunder"]):
        bank = tags.embed_words(run, VOCABULARY, [name.split() for name in names])
        pipeline = audio >> fa.Similarity(bank.ravel(), names)
        pipeline.save(tmp_path / "model.json")
        found = fa.Pipeline.load(tmp_path / "model.json", untrained=True)(mono, sample_rate=rate)
        assert list(found.labels) == names
        np.testing.assert_allclose(found.scores, cosines(aligned, bank), atol=1e-5, rtol=0)


def test_sound_is_compared_with_the_authors_tags(
    theirs: Path, vocabulary: dict[str, int], audio_encoder: tuple[Any, Path]
) -> None:
    names = ["acoustic guitar", "dog bark", "rain"]
    bank = tags.embed_words(tags.open_encoder(theirs), vocabulary, [name.split() for name in names])
    net, folder = audio_encoder
    samples = AE_W2V_128.sound(seed=5)
    pipeline = fa.Pipeline.load(folder, untrained=True).layer("aligned") >> fa.Similarity(bank.ravel(), names)
    found = pipeline(samples, sample_rate=22_000)
    (aligned, _) = recipes.run(net, AE_W2V_128.patches(samples))
    np.testing.assert_allclose(found.scores, cosines(aligned, bank), atol=1e-5, rtol=0)


def test_the_command_prints_cosines(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--model", str(theirs), "--vocabulary", str(theirs.with_name("id2token.json"))]
    assert tags.main([*where, "dog,bark", "barking"]) == 0
    first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert first[0] == "dog,bark"
    assert first[1] == second[2] == "1.000"
    assert first[2] == second[1]
    assert tags.main([*where, "no such word"]) == 1
    assert "expected words of the vocabulary, got no such word" in capsys.readouterr().err
