"""The alignment loss against NumPy written out; the tag encoder's and the autoencoder's properties."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers import ROOT

torch = pytest.importorskip("torch")
sys.path.insert(0, str(ROOT / "models" / "recipes" / "train"))

from alignment_networks import Aligned, AudioDecoder, AudioEncoder, TagEncoder, pad  # noqa: E402
from contrastive_losses import alignment_loss, generalised_kl, nt_xent  # noqa: E402
from tag_words import Vocabulary, drop_some, words_of  # noqa: E402

NOTE = {"family": "keyboard", "gm_name": "Electric Piano 2", "pitch": "55", "velocity": "120"}


def test_generalised_kl_is_the_formula() -> None:
    x = np.array([[0.2, 0.9], [0.5, 0.0]])
    y = np.array([[0.3, 0.6], [0.5, 0.4]])
    terms = [a * np.log(a / b) - a + b if a > 0 else b for a, b in zip(x.flat, y.flat, strict=True)]
    got = generalised_kl(torch.from_numpy(x), torch.from_numpy(y))
    assert got.item() == pytest.approx(np.mean(terms), rel=1e-12)


def test_generalised_kl_is_zero_only_where_equal_and_finite_at_the_edges() -> None:
    x = torch.rand(4, 8, generator=torch.Generator().manual_seed(0))
    assert generalised_kl(x, x).item() == pytest.approx(0, abs=1e-7)
    for other in (x * 0.9, x * 1.1, x.roll(1)):
        assert generalised_kl(x, other) > 1e-4
    ends = torch.tensor([0.0, 1.0])
    assert torch.isfinite(generalised_kl(ends, 1 - ends))


def test_the_alignment_loss_is_both_terms_weighed() -> None:
    generator = torch.Generator().manual_seed(0)
    audio, tags = torch.randn(2, 6, 5, generator=generator)
    x, x_hat = torch.rand(2, 9, 3, 3, generator=generator)
    got = alignment_loss(audio, tags, x=x, x_hat=x_hat, temperature=0.1)
    torch.testing.assert_close(got, 5 * generalised_kl(x, x_hat) + 10 * nt_xent(audio, tags, 0.1))


def attention_written_out(encoder: TagEncoder, ids: list[int]) -> np.ndarray:
    """Equations (3) and (4) with loops over heads and tags."""
    weights = {k: v.detach().double().numpy() for k, v in encoder.state_dict().items()}
    words = weights["words.weight"][ids]
    d = encoder.word_width
    total = np.zeros(weights["output.weight"].shape[0])
    for head in range(encoder.heads):
        part = slice(head * d, (head + 1) * d)
        q, k, v = (words @ weights[f"{name}.weight"][part].T for name in ("query", "key", "value"))
        scores = np.exp(q @ k.T / np.sqrt(d))
        attended = scores / scores.sum(axis=1, keepdims=True) @ v
        total += (attended @ weights["output.weight"].T).sum(axis=0)
    return (total - total.mean()) / np.sqrt(total.var() + encoder.normalise.eps)


@pytest.mark.parametrize("heads", [1, 4])
def test_the_tag_encoder_is_the_equations_whatever_the_padding_and_the_order(heads: int) -> None:
    torch.manual_seed(0)
    encoder = TagEncoder(20, 12, word_width=8, heads=heads).eval()
    ids = [3, 17, 5, 9]
    with torch.no_grad():
        got = encoder(pad([ids, [9, 3, 5, 17], [1, 2, 3, 4, 5, 6]]))
    want = attention_written_out(encoder, ids)
    np.testing.assert_allclose(got[0], want, atol=1e-5)
    np.testing.assert_allclose(got[1], want, atol=1e-5)
    assert not np.allclose(got[2], want, atol=0.1)


def test_a_tag_changes_with_its_company() -> None:
    """What makes an embedding contextual: the sum of two tags isn't that of each alone."""
    torch.manual_seed(0)
    encoder = TagEncoder(20, 12, word_width=8).eval()
    with torch.no_grad():
        one, other, both = encoder(pad([[3], [17], [3, 17]]))
    apart = torch.nn.functional.layer_norm(one + other, (12,))
    assert (both - apart).abs().max() > 1e-3


def test_a_list_without_tags_has_no_direction() -> None:
    encoder = TagEncoder(20, 12, word_width=8).eval()
    with torch.no_grad():
        assert not encoder(pad([[]])).any()


def test_encoder_and_decoder_fit_each_other() -> None:
    encoder, decoder = AudioEncoder(), AudioDecoder()
    patches = torch.rand(3, 64, 64)
    z = encoder.eval()(patches)
    assert z.shape == (3, encoder.width)
    np.testing.assert_allclose(z.detach().mean(dim=1), 0, atol=1e-5)
    x_hat = decoder.eval()(z)
    assert x_hat.shape == patches.shape
    assert 0 <= x_hat.min() < 0.5 < x_hat.max() <= 1


def test_all_parts_learn_from_the_loss() -> None:
    torch.manual_seed(0)
    net = Aligned(9, heads=2)
    patches = torch.rand(4, 64, 64)
    z, phi_audio = net(patches)
    tags = net.tags(pad([[1, 2], [3], [4, 5, 6], [7]]))
    alignment_loss(phi_audio, tags, x=patches, x_hat=net.decoder(z)).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_a_note_has_the_words_of_its_family_name_register_and_dynamic() -> None:
    assert words_of(NOTE) == ["keyboard", "electric", "piano", "middle", "loud"]
    bass = {"family": "bass", "gm_name": "Acoustic Bass", "pitch": "41", "velocity": "50"}
    assert words_of(bass) == ["bass", "acoustic", "low", "soft"]


def test_a_vocabulary_leaves_out_what_it_does_not_know() -> None:
    vocabulary = Vocabulary([NOTE])
    assert vocabulary.ids(["piano", "kazoo"]) == [1 + vocabulary.words.index("piano")]
    assert 0 not in vocabulary.ids(vocabulary.words)


def test_dropped_tags_leave_at_least_one() -> None:
    rng = np.random.default_rng(0)
    lists = [drop_some(rng, [4, 5, 6], 0.9) for _ in range(200)]
    assert min(map(len, lists)) == 1
    assert {i for row in lists for i in row} == {4, 5, 6}
    assert drop_some(rng, [4, 5, 6], 0) == [4, 5, 6]
