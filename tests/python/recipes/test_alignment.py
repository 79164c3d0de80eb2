"""The alignment loss against NumPy written out; the tag encoder's and the autoencoder's properties."""

from __future__ import annotations

import fastaudio as fa
import numpy as np
import pytest

torch = pytest.importorskip("torch")

import linear  # noqa: E402
from alignment import Alignment, Autoencoder, ContrastOnly, cosines, embed, same  # noqa: E402
from alignment_networks import Aligned, AudioDecoder, AudioEncoder, TagEncoder, pad  # noqa: E402
from contrastive_losses import alignment_loss, generalised_kl, nt_xent  # noqa: E402
from instruments import Notes  # noqa: E402
from mel_notes import TaggedBatch, decibels, front, mel_spectrum  # noqa: E402
from tag_words import Vocabulary, drop_some, words_of  # noqa: E402
from trainer import Settings, train  # noqa: E402

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
    """Return equations (3) and (4), computed by loops over heads and tags."""
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
    """An embedding is contextual: that of two tags isn't the sum of each alone."""
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


def test_dropped_tags_leave_the_family() -> None:
    rng = np.random.default_rng(0)
    lists = [drop_some(rng, [4, 5, 6], 0.5) for _ in range(200)]
    assert {tuple(row) for row in lists} == {(4,), (4, 5), (4, 6), (4, 5, 6)}
    assert drop_some(rng, [4, 5, 6], 0) == [4, 5, 6]


@pytest.fixture(scope="module")
def notes() -> Notes:
    """Return forty-eight made-up notes of two families, with energy in the lower or the upper bands."""
    torch.manual_seed(0)
    power = 1e-4 * torch.rand(48, 64, 64)
    target = torch.arange(48) % 2
    for row, family in enumerate(target.tolist()):
        start = 36 * family + row % 5
        power[row, :, start : start + 12] += 1 + torch.rand(64, 12)
    words = torch.stack([1 + target, 3 + torch.arange(48) // 2 % 3], dim=1)
    batch = TaggedBatch(power, torch.randn(48, 8), target, words)
    return Notes(batch, ["high", "low"], torch.arange(48) // 6, torch.arange(48) >= 36)


def test_a_few_steps_bring_sounds_to_their_tags(notes: Notes) -> None:
    """Held-out notes are named by the cosine to their family's word, which no classifier was trained for."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    method = Alignment(5)
    losses = train(method, notes.batch[torch.arange(36)], 40, Settings(batch=16)).losses
    assert losses[-1] < 0.8 * losses[0]
    _, projection = embed(method, notes.batch)
    with torch.no_grad():
        bank = torch.nn.functional.normalize(method.net.tags(pad([[1], [2]])), dim=1)
    named = cosines(projection[36:], bank).argmax(1)
    assert (named == notes.batch.target[36:]).double().mean() > 0.9


def test_equal_lists_of_tags_are_one_group() -> None:
    assert same(torch.tensor([[3, 1], [2, 0], [3, 1]])).tolist() == [1, 0, 1]


def test_baselines_leave_out_a_term_each(notes: Notes) -> None:
    for kind, without in ((Autoencoder, "tags"), (ContrastOnly, "decoder")):
        torch.manual_seed(0)
        method = kind(5)
        method.loss(notes.batch[torch.arange(8)], lambda batch: batch).backward()
        grads = {name.split(".")[1] for name, p in method.named_parameters() if p.grad is not None}
        assert "encoder" in grads
        assert without not in grads


def test_sounds_without_tags_are_reconstructed_too(notes: Notes) -> None:
    method = Autoencoder(5)
    method.pool = torch.full((4, 64, 64), torch.nan)
    assert torch.isnan(method.loss(notes.batch[torch.arange(8)], lambda batch: batch))


def test_cosines_are_those_of_our_similarity(notes: Notes) -> None:
    method = Alignment(5).eval()
    _, projection = embed(method, notes.batch[torch.arange(6)])
    bank = torch.randn(2, projection.shape[1])
    bank = torch.nn.functional.normalize(bank, dim=1)
    got = fa.Similarity(bank.ravel().tolist(), notes.families)(projection.numpy())
    np.testing.assert_allclose(got, cosines(projection, bank), atol=1e-6)


def test_the_mel_front_is_what_networks_were_trained_on(guitar_16k: np.ndarray) -> None:
    clip = guitar_16k[:32_000]
    power = torch.from_numpy(mel_spectrum()(clip)[:64])[None]
    (patch,) = front()(clip)
    np.testing.assert_allclose(patch, decibels(power)[0], atol=1e-3)


def test_the_classifier_is_scikit_learns() -> None:
    """Both find the same minimum: scikit-learn's C is 1 / (2 n decay), and intercepts are free in both."""
    logistic = pytest.importorskip("sklearn.linear_model").LogisticRegression
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 5, generator=generator)
    y = (x[:, 0] + 0.5 * torch.randn(60, generator=generator) > 0).long() + (x[:, 1] > 0.5)
    layer = linear.fit(x, y, 3, 0.01)
    want = logistic(C=1 / (2 * 60 * 0.01), tol=1e-8, max_iter=1000).fit(x.numpy(), y.numpy())
    got = layer(x).softmax(1).detach().numpy()
    np.testing.assert_allclose(got, want.predict_proba(x.numpy()), atol=2e-3)


def test_rows_are_scaled_by_training_rows_alone() -> None:
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * 3 + 7
    scaling = linear.Scaling(x, unit_length=False)
    np.testing.assert_allclose(scaling(x).mean(dim=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaling(x).std(dim=0, correction=0), 1, atol=1e-5)
    other = torch.randn(3, 4)
    long = linear.Scaling(x, unit_length=True)(other)
    np.testing.assert_allclose(long.norm(dim=1), 2, atol=1e-5)


def test_the_decay_is_the_best_on_programs_left_out() -> None:
    """Leaving out notes wouldn't do: a program's notes are alike, and a weak decay learns each by heart."""
    generator = torch.Generator().manual_seed(0)
    program = torch.arange(96) // 12
    y = program % 2
    timbre = torch.randn(8, 40, generator=generator)[program]
    x = timbre + 0.1 * torch.randn(96, 40, generator=generator)
    x[:, 0] = y + torch.randn(96, generator=generator)
    right = dict.fromkeys((1e-6, 1.0), 0)
    for fold in range(4):
        score = program % 4 == fold
        scaling = linear.Scaling(x[~score], unit_length=False)
        for decay in right:
            layer = linear.fit(scaling(x[~score]), y[~score], 2, decay)
            right[decay] += int((layer(scaling(x[score])).argmax(1) == y[score]).sum())
    assert right[1e-6] != right[1.0]
    best = max(right, key=right.__getitem__)
    assert linear.choose_decay(x, y, program, 2, unit_length=False, decays=tuple(right)) == best
