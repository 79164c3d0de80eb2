"""pack and unpack: one file and back, byte for byte; nothing outside the folder, nothing replaced."""

from __future__ import annotations

import errno
import itertools
import json
import os
import posixpath
import shutil
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards, cli
from fastaudio.cards import pack as packing
from fastaudio.cards.licences import licence_of
from fastaudio.heads import embedders
from helpers import GUITAR, ONNX
from hypothesis import given
from hypothesis import strategies as st
from packed_models import double, entry, sealed, small

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A card of two networks, one in a folder of its own, and a licence."""
    path = tmp_path / "mine"
    double().save(path / "card.json")
    (path / "heads").mkdir()
    (path / "n1tf.onnx").rename(path / "heads" / "head ♪.onnx")
    text = (path / "card.json").read_text(encoding="utf-8")
    (path / "card.json").write_text(text.replace("n1tf.onnx", "heads/head ♪.onnx"), encoding="utf-8")
    (path / "LICENSE").write_text("Do what you like.", encoding="utf-8")
    return path


@pytest.fixture
def model(mine: Path, tmp_path: Path) -> cards.Card:
    """That card, packed."""
    packing.pack(cards.read_card(mine), tmp_path / "mine.onnx")
    return cards.read_card(tmp_path / "mine.onnx")


def tree(path: Path) -> dict[str, bytes]:
    """Every file below, with its content."""
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def named(path: Path, *names: str) -> cards.Card:
    """A packed card with as many networks, all one, by these names."""
    small().save(path / "card.json")
    data: dict[str, Any] = json.loads((path / "card.json").read_text(encoding="utf-8"))
    data["pipeline"][2:3] = [data["pipeline"][2] | {"path": name} for name in names]
    card = entry("fastaudio.card", json.dumps(data).encode())
    (path / "model.onnx").write_bytes(sealed((ONNX / "nft.onnx").read_bytes(), card))
    return cards.read_card(path / "model.onnx")


def test_pack_and_unpack_give_back_every_byte(mine: Path, model: cards.Card, tmp_path: Path) -> None:
    paths = packing.unpack(model, tmp_path / "deep" / "out")
    assert tree(tmp_path / "deep" / "out") == tree(mine)
    assert {p.name for p in paths} == {"card.json", "LICENSE", "nft.onnx", "head ♪.onnx"}
    want = fa.Pipeline.load(mine)(GUITAR).scores
    for place in (model.path, tmp_path / "deep" / "out"):
        assert np.array_equal(fa.Pipeline.load(place)(GUITAR).scores, want)


def test_a_card_that_loads_packs_however_it_spells_its_paths(mine: Path, tmp_path: Path) -> None:
    text = (mine / "card.json").read_text(encoding="utf-8")
    text = text.replace('"nft.onnx', '"./nft.onnx').replace("heads/", "heads//./../heads/")
    (mine / "card.json").write_text(text, encoding="utf-8")
    want = fa.Pipeline.load(mine)(GUITAR).scores
    packing.pack(cards.read_card(mine), tmp_path / "mine.onnx")
    packing.unpack(cards.read_card(tmp_path / "mine.onnx"), tmp_path / "out")
    assert tree(tmp_path / "out") == tree(mine)
    assert np.array_equal(fa.Pipeline.load(tmp_path / "out")(GUITAR).scores, want)


def test_a_packed_model_packs_to_itself(model: cards.Card, tmp_path: Path) -> None:
    packing.pack(model, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == model.path.read_bytes()


def test_pack_refuses_a_card_that_does_not_load(mine: Path, tmp_path: Path) -> None:
    (mine / "nft.onnx").write_bytes(b"damaged")
    with pytest.raises(fa.ModelError, match="expected sha256"):
        packing.pack(cards.read_card(mine), tmp_path / "mine.onnx")
    assert not (tmp_path / "mine.onnx").exists()


def test_pack_replaces_nothing_unasked(mine: Path, tmp_path: Path) -> None:
    card, target = cards.read_card(mine), tmp_path / "mine.onnx"
    target.write_bytes(b"dear")
    with pytest.raises(fa.ModelError, match=r"mine\.onnx: expected no file there, got one; .*--force"):
        packing.pack(card, target)
    assert target.read_bytes() == b"dear"
    packing.pack(card, target, force=True)
    assert np.array_equal(fa.Pipeline.load(target)(GUITAR).scores, fa.Pipeline.load(mine)(GUITAR).scores)


def test_unpack_replaces_nothing_unasked(model: cards.Card, mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in tree(mine):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b"somebody's")
        with pytest.raises(fa.ModelError, match="expected no file there, got one"):
            packing.unpack(model, out)
        assert tree(out) == {name: b"somebody's"}
        (out / name).unlink()
    for name in tree(mine):
        (out / name).write_bytes(b"somebody's")
    packing.unpack(model, out, force=True)
    assert tree(out) == tree(mine)


def test_unpack_takes_packed_models_only(mine: Path, tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match="expected a packed model, got a card"):
        packing.unpack(cards.read_card(mine), tmp_path / "out")


def test_a_damaged_network_leaves_nothing_unpacked(model: cards.Card, tmp_path: Path) -> None:
    content = bytearray(model.path.read_bytes())
    content[3] ^= 1
    model.path.write_bytes(content)
    with pytest.raises(fa.ModelError, match="expected sha256"):
        packing.unpack(cards.read_card(model.path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["../x.onnx", "/x.onnx", "C:/x.onnx", "x.onnx:s.onnx", "Card.JSON", "a\\\\b.onnx"]
)
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    card = named(tmp_path / "in", name)
    before = tree(tmp_path)
    with pytest.raises(fa.ModelError, match="expected a file's name inside a folder, got "):
        packing.unpack(card, tmp_path / "out", force=True)
    assert tree(tmp_path) == before


@given(name=st.text(st.sampled_from("a.C:/\\~\0 \u202e"), max_size=9))
def test_whatever_the_name_nothing_lands_outside(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    name += ".onnx"
    home = tmp_path_factory.mktemp("unpack")
    card = named(home / "in", name)
    try:
        packing.unpack(card, home / "a" / "out")
    except fa.ModelError:
        assert not (home / "a").exists()
        return
    assert set(tree(home / "a" / "out")) == {posixpath.normpath(name), "card.json"}
    assert {p.name for p in (home / "a").iterdir()} == {"out"}


@pytest.mark.parametrize("names", [("a.onnx", "A.onnx"), ("x/a.onnx", "X/a.onnx")])
def test_names_that_some_systems_take_for_one_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match="expected names that differ on every system"):
        packing.unpack(named(tmp_path / "in", *names), tmp_path / "out")


def test_a_file_that_is_a_folder_too_leaves_no_half_written_file(tmp_path: Path) -> None:
    for names in (("a.onnx", "a.onnx/b.onnx"), ("card.json/a.onnx",), ("b.onnx", "license/a.onnx")):
        with pytest.raises(fa.ModelError, match="expected a file or a folder of one name"):
            packing.unpack(named(tmp_path / "in", *names), tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name",
    [
        "json.py",
        "sitecustomize.py",
        ".git/hooks/post-checkout",
        "x.pth",
        "conftest.py",
        "x.onnx/y",
        ".x.onnx",
    ],
)
def test_nothing_but_networks_a_card_and_a_licence_is_unpacked(name: str, tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match=r"expected a file's name inside a folder, .*ends in \.onnx"):
        packing.unpack(named(tmp_path / "in", "fine.onnx", name), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_after_an_error_folders_that_unpacking_made_are_gone(
    mine: Path, model: cards.Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del mine
    full_disk(monkeypatch, 3)
    with pytest.raises(fa.OutputError, match="expected room to write"):
        packing.unpack(model, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("nth", range(4))
def test_a_name_that_cannot_be_given_takes_the_others_back(
    model: cards.Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    out = tmp_path / "out"
    packing.unpack(model, out)
    before = {name: b"old " + content for name, content in tree(out).items()}
    for name, content in before.items():
        (out / name).write_bytes(content)
    counter, replace = itertools.count(), os.replace

    def fail(*names: str, **how: int) -> None:
        if next(counter) == nth:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        replace(*names, **how)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(fa.OutputError, match="expected a file that can be replaced, got: Permission denied"):
        packing.unpack(model, out, force=True)
    assert tree(out) == before


def test_links_in_the_folder_lead_nowhere(mine: Path, model: cards.Card, tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.mkdir()
    (outside / "secret").write_bytes(b"somebody's")
    (out / "heads").symlink_to(outside, target_is_directory=True)
    with pytest.raises(fa.ModelError, match=r"expected a file inside .*, got a link, .*heads; remove it"):
        packing.unpack(model, out, force=True)
    (out / "heads").unlink()
    (out / "nft.onnx").symlink_to(outside / "secret")
    (out / "card.json").symlink_to(outside / "not yet there")
    with pytest.raises(fa.ModelError, match="expected no file there, got one"):
        packing.unpack(model, out)
    assert tree(outside) == {"secret": b"somebody's"}
    packing.unpack(model, out, force=True)  # the links are replaced, not what they lead to
    assert tree(outside) == {"secret": b"somebody's"}
    assert tree(out) == tree(mine)


def full_disk(monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """Let the `nth` file from now on, counted from 0, find no room, and all after it."""
    counter = itertools.count()
    sync = os.fsync

    def fail(file: int) -> None:
        if next(counter) >= nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    monkeypatch.setattr(os, "fsync", fail)


@pytest.mark.parametrize("name", ["model.onnx", "card.json"])
def test_saving_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / "model" / name
    small().save(path)
    before = tree(path.parent)
    full_disk(monkeypatch, 0)
    with pytest.raises(fa.OutputError, match="expected room to write, got: No space left on device"):
        double().save(path)
    assert tree(path.parent) == before
    fa.Pipeline.load(path)


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_unpacking_that_fails_leaves_what_was_there(
    model: cards.Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    out = tmp_path / "out"
    small().save(out / "card.json")
    before = tree(out)
    full_disk(monkeypatch, nth)
    with pytest.raises(fa.OutputError, match="expected room to write"):
        packing.unpack(model, out, force=True)
    assert before.items() <= tree(out).items()
    assert tree(out)["card.json"] == before["card.json"]


def test_what_a_model_is_made_of_is_never_replaced_by_it(
    mine: Path, model: cards.Card, tmp_path: Path
) -> None:
    before = tree(mine)
    for name in ("card.json", "nft.onnx", "heads/head ♪.onnx", "LICENSE"):
        with pytest.raises(fa.OutputError, match="expected another file than the inputs"):
            packing.pack(cards.read_card(mine), mine / name, force=True)
    assert tree(mine) == before
    (tmp_path / "own").mkdir()
    model.path.rename(tmp_path / "own" / "nft.onnx")  # the name of its first network
    before = tree(tmp_path / "own")
    with pytest.raises(fa.OutputError, match="expected another file than the inputs"):
        packing.unpack(cards.read_card(tmp_path / "own" / "nft.onnx"), tmp_path / "own", force=True)
    assert tree(tmp_path / "own") == before


def test_a_licence_that_is_a_link_out_of_the_folder_is_not_packed(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "private key").write_bytes(b"secret")
    (mine / "LICENSE").unlink()
    (mine / "LICENSE").symlink_to(tmp_path / "private key")
    with pytest.raises(fa.ModelError, match="LICENSE: expected a file in the card's folder, got a link out"):
        packing.pack(cards.read_card(mine), tmp_path / "mine.onnx")
    assert not (tmp_path / "mine.onnx").exists()
    assert embedders.licence_of(fa.Pipeline.load(mine)) is None
    (mine / "LICENSE").unlink()
    (mine / "LICENSE").symlink_to("card.json")
    assert packing.pack(cards.read_card(mine), tmp_path / "mine.onnx") is None


@pytest.mark.parametrize("name", ["song.json", "song.wav", "card.json"])
def test_a_card_replaces_cards_and_no_other_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a year's notes")
    with pytest.raises(fa.ModelError, match="expected no file there, or a card to replace"):
        small().save(tmp_path / name)
    assert tree(tmp_path) == {name: b"a year's notes"}
    (tmp_path / name).unlink()
    small().save(tmp_path / name)
    double().save(tmp_path / name)
    assert len(fa.Pipeline.load(tmp_path / name).output_specs) == 1


def test_the_command_line_packs_tags_shows_and_unpacks(
    tmp_path: Path, tagger: fa.Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: object) -> str:
        assert cli.main([*map(str, arguments)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    model = tmp_path / "model.onnx"
    assert said("pack", "musicnn-mtt", "-o", model) == f"{model}  ({model.stat().st_size:,} bytes)\n"
    assert tagger(GUITAR).top(1)[0][0] in said("tag", GUITAR, "--model", model, "--top", 1)
    assert said("models", model) == said("models", "musicnn-mtt")
    assert len(said("unpack", model, "-o", tmp_path / "out").splitlines()) == 3
    assert tree(tmp_path / "out") == {
        name: (cards.MODELS / "musicnn-mtt" / name).read_bytes()
        for name in ("model.onnx", "card.json", "LICENSE")
    }
    assert cli.main(["unpack", str(model), "-o", str(tmp_path / "out")]) == 2
    assert "expected no file there, got one; choose another name, or add --force" in capsys.readouterr().err
    said("unpack", model, "-o", tmp_path / "out", "--force")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pack", "musicnn-mtt", "-o", "x"], "expected -o as a file that ends in .onnx, got 'x'"),
        (["pack", "nope", "-o", "x.onnx"], "expected one of musicnn-mtt, "),
        (["unpack", str(GUITAR), "-o", "x"], "expected a card"),
        (["unpack", "musicnn-mtt", "-o", "x"], "expected a packed model, got a card"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["pack", "unpack"])
def test_help_shows_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert f"examples:\n  fastaudio {command} m" in capsys.readouterr().out


def test_a_packed_pipeline_has_the_licences_of_its_models(
    mine: Path, model: cards.Card, tmp_path: Path
) -> None:
    for source in (mine, model.path):
        fa.Pipeline.load(source).save(tmp_path / "again.onnx")
        packed = cards.read_card(tmp_path / "again.onnx").packed
        assert packed is not None
        assert packed.licence == b"Do what you like."
    (tmp_path / "LICENSE").write_text("of something else", encoding="utf-8")
    shutil.copy(ONNX / "nft.onnx", tmp_path)
    assert licence_of(fa.OnnxModel(str(tmp_path / "nft.onnx"))) == b""
