"""The papers' systems have the parameters stated, to the last one, and give PyTorch's numbers here."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets
from helpers import GUITAR, decode

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import export  # noqa: E402
import make  # noqa: E402
import recipe as recipes  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

labelled = [recipe for recipe in make.RECIPES if recipe.labels]
free = [recipe for recipe in make.RECIPES if export.INPUT in recipe.free]


def over(chosen: list[recipes.Recipe]) -> pytest.MarkDecorator:
    """Run a test over some of the recipes only."""
    return pytest.mark.parametrize("exported", chosen, ids=lambda recipe: recipe.name, indirect=True)


@dataclass(frozen=True)
class Exported:
    """A recipe at the small scale, and what was exported."""

    recipe: recipes.Recipe
    net: Any
    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def card(self) -> dict[str, Any]:
        return json.loads((self.folder / "card.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=make.RECIPES, ids=lambda recipe: recipe.name)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Export each recipe once."""
    torch.set_num_threads(1)
    net = recipes.start(request.param, recipes.SMALL)
    folder = tmp_path_factory.mktemp("recipes") / request.param.name
    export.export(request.param, net, folder)
    return Exported(request.param, net, folder)


def recorded(recipe: recipes.Recipe) -> NDArray[np.float32]:
    """Return the guitar clip at the front end's rate."""
    samples, rate = decode(GUITAR)
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    return fa.Resample(input_rate=rate, output_rate=round(recipe.front().input_spec.rate_hz))(mono)


def assert_near(found: NDArray[np.float32], wanted: NDArray[np.float32], recipe: recipes.Recipe) -> None:
    """Assert that rows are no further apart than the recipe allows."""
    limit = recipe.tolerance * max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(found, wanted, atol=limit, rtol=0)


@pytest.mark.parametrize("recipe", make.RECIPES, ids=lambda recipe: recipe.name)
def test_parameters_at_full_size_are_those_stated_to_the_last_one(recipe: recipes.Recipe) -> None:
    assert recipes.full_size(recipe) == recipe.parameters


def test_every_output_is_pytorchs_on_made_up_and_on_recorded_sound(exported: Exported) -> None:
    made_up = exported.recipe.sound(seed=9, patches=2)
    for samples in (made_up, recorded(exported.recipe)):
        found = export.differences(exported.recipe, exported.net, exported.model, samples)
        assert list(found) == list(exported.recipe.outputs)
        export.require_close(exported.recipe, found)


def test_every_output_tells_one_sound_from_another(exported: Exported) -> None:
    node = export.all_outputs(exported.recipe, exported.model)
    one, other = node(exported.recipe.sound(seed=1)), node(exported.recipe.sound(seed=2))
    pairs = [(one[name], other[name]) for name in one] if isinstance(one, dict) else [(one, other)]
    for a, b in pairs:  # they differ by far more than the tolerance; else agreement would say nothing
        assert np.abs(a[0] - b[0]).max() > 100 * exported.recipe.tolerance


def test_a_network_of_other_weights_is_told_from_the_exported_one(exported: Exported) -> None:
    other = recipes.start(exported.recipe, recipes.SMALL)
    with torch.no_grad():
        for weights in other.parameters():
            weights.mul_(1.01)
    found = export.differences(exported.recipe, other, exported.model, exported.recipe.sound())
    with pytest.raises(ValueError, match=f"{exported.recipe.name}: expected .* of PyTorch, got"):
        export.require_close(exported.recipe, found)


@over(free)
def test_patches_of_another_length_go_through_where_time_is_free(exported: Exported) -> None:
    recipe = exported.recipe
    patches = recipe.patches(recipe.sound())[:1]
    axis = recipe.free[export.INPUT]
    longer = np.concatenate([patches, patches], axis=axis)
    network = fa.OnnxModel(str(exported.model), outputs=list(recipe.outputs))
    found = network(longer)
    wanted = recipes.run(exported.net, longer)
    for ours, theirs in zip(found.values(), wanted, strict=True):
        assert ours.shape == theirs.shape
        assert_near(ours, theirs, recipe)


def test_the_card_says_untrained_and_whose_work_it_is(exported: Exported) -> None:
    card, recipe = exported.card, exported.recipe
    assert card["weights"] == "untrained"
    assert card["parameters"] == recipes.count_parameters(exported.net)
    assert card["citation"] == recipe.citation
    assert {name: (out["purpose"], out["unit"]) for name, out in card["outputs"].items()} == recipe.outputs
    assert bool(recipe.labels) == bool(card.get("label_source")), "labels say where they are from"


def test_samples_become_tags_or_rows_by_the_card(exported: Exported) -> None:
    recipe = exported.recipe
    samples = recorded(recipe)
    result = fa.Pipeline.load(exported.folder, untrained=True)(
        samples, sample_rate=round(recipe.front().input_spec.rate_hz)
    )
    rows = recipes.run(exported.net, recipe.patches(samples))[0]
    if recipe.after is not None:
        rows = recipe.after()(rows)
    if recipe.labels:
        assert tuple(result.labels) == tuple(recipe.labels)
        result = result.scores
    assert_near(result, rows, recipe)


@over(labelled)
def test_untrained_tags_are_refused_but_layers_are_not(exported: Exported) -> None:
    recipe = exported.recipe
    samples, rate_hz = recorded(recipe), round(recipe.front().input_spec.rate_hz)
    pipeline = fa.Pipeline.load(exported.folder)
    with pytest.raises(fa.ModelError, match=f"{recipe.name}: expected trained weights, got untrained ones"):
        pipeline(samples, sample_rate=rate_hz)
    rows = recipes.run(exported.net, recipe.patches(samples))
    for name, wanted in zip(recipe.outputs, rows, strict=True):
        found = pipeline.layer(name)(samples, sample_rate=rate_hz)
        assert_near(found, wanted, recipe)


def test_the_learned_width_of_the_harmonic_filters_is_kept_by_the_card(tmp_path: Path) -> None:
    recipe = next(recipe for recipe in make.RECIPES if recipe.name == "harmonic-cnn")
    net = recipes.start(recipe, recipes.SMALL)
    learned = replace(recipe, front=lambda: presets.harmonic_cnn(q=[1.5]))
    export.export(learned, net, tmp_path)
    samples = recipe.sound()
    ours = fa.Pipeline.load(tmp_path).layer("embedding")(samples, sample_rate=16_000)
    assert_near(ours, recipes.run(net, learned.patches(samples))[1], recipe)
    assert np.abs(ours - recipes.run(net, recipe.patches(samples))[1]).max() > 100 * recipe.tolerance


def test_talnets_recording_is_its_frames_by_the_pooling_node(tmp_path: Path) -> None:
    recipe = next(recipe for recipe in make.RECIPES if recipe.name == "talnet")
    export.export(recipe, recipes.start(recipe, recipes.SMALL), tmp_path)
    rows = export.all_outputs(recipe, tmp_path / "model.onnx")(recipe.sound(patches=2))
    for recording, frames in zip(rows["recording"], rows["frames"], strict=True):
        np.testing.assert_allclose(fa.LinearSoftmaxPooling()(frames)[0], recording, atol=1e-6, rtol=0)


def by_name(name: str) -> recipes.Recipe:
    return next(recipe for recipe in make.RECIPES if recipe.name == name)


def test_talnets_frames_are_rows_in_time_with_audiosets_names(tmp_path: Path) -> None:
    recipe = by_name("talnet")
    export.export(recipe, recipes.start(recipe, recipes.SMALL), tmp_path)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert "Google, CC BY 4.0" in card["label_source"]
    assert (recipe.labels[0], recipe.labels[-1], len(set(recipe.labels))) == (
        "Speech",
        "Field recording",
        527,
    )
    pipeline = fa.Pipeline.load(tmp_path)
    samples = recipe.sound(patches=2)
    frames = pipeline.layer("frames")(samples, sample_rate=16_000)
    rows = (pipeline.layer("frames") >> fa.Unroll())(samples, sample_rate=16_000)
    assert frames.shape == (2, 100, 527)
    assert np.array_equal(rows, frames.reshape(200, 527))
    spec = next(iter((pipeline.layer("frames") >> fa.Unroll()).output_specs.values()))
    assert spec.rate_hz == pytest.approx(10), "ten times per second, as the paper has it"


def test_talnets_normaliser_is_given_to_its_front_end() -> None:
    plain = presets.talnet()(recipes.notes(16_000, 10.0))
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=64), rng.uniform(0.5, 2, 64)
    got = presets.talnet(mean=mean.tolist(), std=std.tolist())(recipes.notes(16_000, 10.0))
    np.testing.assert_allclose(got, (plain - mean) / std, atol=1e-4)


def test_weanets_embedding_is_pooled_by_its_maximum_and_has_length_1(tmp_path: Path) -> None:
    recipe = by_name("weanet-style")
    net = recipes.start(recipe, recipes.SMALL)
    export.export(recipe, net, tmp_path)
    samples = recipe.sound(patches=2)
    layer = fa.Pipeline.load(tmp_path).layer("embedding")
    pooled = (layer >> fa.Unroll() >> fa.Max() >> fa.L2Normalize())(samples, sample_rate=16_000)
    rows = recipes.run(net, recipe.patches(samples))[2]
    want = rows.reshape(-1, rows.shape[-1]).max(axis=0)
    assert pooled.shape == (1, 2048 // recipes.SMALL)
    np.testing.assert_allclose(pooled[0], want / np.linalg.norm(want), atol=1e-5)


def test_loudness_is_no_matter_to_resnet_if_clips_are_scaled_by_their_energy() -> None:
    front = presets.resnet_contrastive(unit_rms=True)
    samples = recipes.notes(22_500, 6.0)
    got = front(samples)
    np.testing.assert_allclose(front(samples * np.float32(0.125)), got, atol=1e-3)
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2))
    scaled = (samples / level).astype(np.float32)
    np.testing.assert_allclose(got, presets.resnet_contrastive()(scaled), atol=1e-3)
    assert got.shape == (2, 480, 128, 3)


def test_the_command_exports_one_and_lists_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make.main(["harmonic-cnn", "--scale", "small", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "15,830 parameters" in printed
    assert "embedding    within" in printed
    assert (tmp_path / "harmonic-cnn-small" / "card.json").is_file()
    assert make.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{recipe.parameters:,}" in listed for recipe in make.RECIPES)
    with pytest.raises(SystemExit):
        make.main(["talnet"])
