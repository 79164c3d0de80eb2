"""`fastaudio import` writes a model that the other commands take, and says what it gives."""

from __future__ import annotations

import json
import re
from pathlib import Path

import fastaudio as fa
import pytest
from fastaudio import cards
from fastaudio.cli import importing, main
from fastaudio.registry import entries
from helpers import GUITAR

pytest.importorskip("onnx")
from importing_helpers import DENSE, GENRES, SOFTMAX, write_embedder, write_head, write_json, write_silero

CSV = "index,mid,display_name\n" + "".join(f'{i},/m/0{i},"Sound {i}, loud"\n' for i in range(50))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with networks, labels and JSON, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    write_embedder(tmp_path / "emb.onnx", ("x", ["n", 187, 96]), 96, DENSE, 200)
    write_head(tmp_path / "head.onnx", 200)
    embedder = {"algorithm": "TensorflowPredictMusiCNN", "model_name": "msd-musicnn-1"}
    outputs = {SOFTMAX: "predictions"}
    write_json(tmp_path / "head.json", "TensorflowPredict2D", GENRES, outputs, embedding_model=embedder)
    write_embedder(tmp_path / "model.onnx", ("feats", ["n", 64, "t"]), 64, "e", 20, scores="prob", axes=(2,))
    (tmp_path / "labels.csv").write_text(CSV, encoding="utf-8")
    names = {str(i): f"name {i}" for i in range(50)}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "ced", "id2label": names}))
    (tmp_path / "labels.txt").write_text("\n".join(names.values()))
    return tmp_path


def test_essentias_files_become_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "emb.onnx", "head.onnx", "head.json", "-o", "genres"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("genres/card.json\n\n16000 Hz mono")
    for part in (
        "Patches(length=187, hop=93)",
        "OnnxModel('emb.onnx')",
        "8 labels: cla, dan, ",
        "\na chord  ",
    ):
        assert part in said
    assert main(["tag", str(GUITAR), "--model", "genres"]) == 0
    assert any(genre in capsys.readouterr().out for genre in GENRES)
    assert (folder / "genres" / "emb.onnx").is_file()


@pytest.mark.parametrize("labels", [["--labels", "labels.csv"], ["--labels", "labels.txt"], ["config.json"]])
def test_a_preset_and_labels_become_a_model(
    folder: Path, capsys: pytest.CaptureFixture[str], labels: list[str]
) -> None:
    assert main(["import", "model.onnx", "--preset", "ced", *labels, "-o", "m", "--try", str(GUITAR)]) == 0
    said = capsys.readouterr().out
    assert "MelSpectrogram(sample_rate=16000, ...)" in said
    assert str(GUITAR) in said
    tags = fa.Pipeline.load(folder / "m")(str(GUITAR))
    assert len(tags.labels) == 50
    assert tags.labels[1] == ("Sound 1, loud" if "labels.csv" in labels else "name 1")


def test_a_model_in_one_file_is_written(folder: Path) -> None:
    assert main(["import", "model.onnx", "--preset", "ced", "--labels", "labels.csv", "-o", "mine.onnx"]) == 0
    assert fa.Pipeline.load(folder / "mine.onnx").name == "mine"


def test_a_models_options_are_json(folder: Path) -> None:
    how = ["--option", "length=500", "--option", "hop=@hop.json"]
    (folder / "hop.json").write_text("250")
    assert main(["import", "model.onnx", "--preset", "ced", "--labels", "labels.csv", "-o", "m", *how]) == 0
    patches = next(
        part for part in fa.Pipeline.load(folder / "m").node.parts() if isinstance(part, fa.Patches)
    )
    assert (patches.length, patches.hop) == (500, 250)


def test_a_model_that_is_there_stays_without_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["import", "model.onnx", "--preset", "ced", "--labels", "labels.csv", "-o", "m"]
    assert main(call) == 0
    before = (folder / "m" / "card.json").read_bytes()
    assert main([*call[:-3], "labels.txt", "-o", "m"]) == 2
    assert "m/card.json: expected no model there, got one; choose another name, or add --force" in (
        capsys.readouterr().err
    )
    assert (folder / "m" / "card.json").read_bytes() == before
    assert main([*call[:-3], "labels.txt", "-o", "m", "--force"]) == 0
    assert (folder / "m" / "card.json").read_bytes() != before


def test_what_looks_wrong_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_head(folder / "logits.onnx", 16_000, source="x", output="logits")
    (folder / "eight.txt").write_text("\n".join(GENRES))
    call = ["import", "logits.onnx", "--preset", "samples", "--option", "sample_rate=16000", "--labels"]
    assert main([*call, "eight.txt", "-o", "m"]) == 1
    assert "its scores aren't within 0 and 1; if the network gives logits, add --activation" in (
        capsys.readouterr().err
    )
    assert main([*call, "eight.txt", "-o", "n", "--activation", "softmax"]) == 0
    assert main([*call, "eight.txt", "-o", "m", "--activation", "softmax", "--force"]) == 0  # as it says


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "model.onnx",
            "expected --preset with the front end that the network was trained with, or Essentia's JSON",
        ),
        ("model.onnx config.json", "expected --preset with the front end"),
        ("model.onnx labels.csv --preset ced", "a file of labels goes after --labels"),
        (
            "musicnn-mtt --preset musicnn",
            "got 'musicnn-mtt'; a file of labels goes after --labels, and a model",
        ),
        ("model.onnx emb.onnx --preset ced", "expected one network with --preset, got 2 networks"),
        (
            "model.onnx config.json --preset ced --labels labels.csv",
            "expected --labels or config.json, got both",
        ),
        ("emb.onnx head.onnx head.json --labels labels.csv", "expected --labels with --preset only"),
        ("emb.onnx head.onnx head.json --window 3", "expected --window with --preset only"),
        (
            "emb.onnx head.onnx head.onnx head.json",
            "expected the embedding network msd-musicnn-1 and the head, got 3",
        ),
        ("head.onnx emb.onnx head.json", "name the embedding network first and the head last"),
        ("model.onnx --preset ced --option hop", "expected --option NAME=VALUE, got 'hop'"),
        ("model.onnx --preset ced --option hop=3 --option hop=4", "expected --option hop once, got it again"),
        (
            "model.onnx --preset ced --input x=null",
            "expected --input x=VALUE with a number, true, false or lists",
        ),
        ("model.onnx --preset ced --input x=[[1,NaN]]", "expected --input x=VALUE with a number"),
        ("model.onnx --preset ced --state x", "expected --state INPUT=OUTPUT, got 'x'"),
        (
            "model.onnx --preset ced --frame-rate 9 --labels labels.csv",
            "expected a rate of frames (--frame-rate) with",
        ),
        ("emb.onnx head.onnx head.json --input sr=1", "expected --input with --preset only"),
        ("emb.onnx head.onnx head.json --frame-rate 3", "expected --frame-rate with --preset only"),
        ("none.onnx --preset ced", "none.onnx: expected an ONNX file that can be read"),
        ("model.onnx --preset ced --labels none.csv", "none.csv: expected a file that can be read"),
        ("model.onnx --preset ced --try none.wav", "none.wav: expected"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: str, message: str
) -> None:
    assert main(["import", *words.split(), "-o", "out"]) in (1, 2)
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (folder / "out").exists()


def test_labels_that_would_control_a_terminal_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "evil.txt").write_text("\n".join(["\x1b]0;owned\x07", *(f"l{i}" for i in range(49))]))
    assert main(["import", "model.onnx", "--preset", "ced", "--labels", "evil.txt", "-o", "m"]) == 2
    said = capsys.readouterr()
    assert "expected labels of characters that can be shown" in said.err
    assert "\x1b" not in said.out + said.err
    assert not (folder / "m").exists()


def test_labels_with_commas_are_told_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "model.onnx", "--preset", "ced", "--labels", "labels.csv", "-o", "m"]) == 0
    said = capsys.readouterr().out
    assert '\n50 labels: "Sound 0, loud", "Sound 1, loud", ' in said
    assert re.search(r'\na chord +"Sound \d+, loud" [01]\.\d{3}, "Sound', said)
    assert main(["models", "m"]) == 0
    assert 'labels       "Sound 0, loud", "Sound 1, loud", ' in capsys.readouterr().out
    assert main(["tag", str(GUITAR), "--model", "m", "--windows"]) == 0
    assert re.search(r' s  "Sound \d+, loud" [01]\.\d+, "Sound', capsys.readouterr().out)
    assert (folder / "m").is_dir()


CED = ["import", "model.onnx", "--preset", "ced", "--labels", "labels.csv"]
HEAD = ["import", "musicnn-msd", "head.onnx", "head.json"]
LICENCE = (cards.MODELS / "musicnn-msd" / "LICENSE").read_bytes()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_no_licence_of_others_is_replaced(
    folder: Path, capsys: pytest.CaptureFixture[str], force: list[str]
) -> None:
    (folder / "LICENSE").write_text("mine")
    assert main([*HEAD, "-o", ".", *force]) == 2
    assert (
        "LICENSE: expected none, or the licence of the model's weights, got another; choose a folder of"
        in (capsys.readouterr().err)
    )
    assert (folder / "LICENSE").read_text() == "mine"
    assert not (folder / "card.json").exists()
    assert main([*CED, "-o", "."]) == 0  # its weights have none
    assert main([*CED, "-o", ".", "--force"]) == 0
    assert (folder / "LICENSE").read_text() == "mine"
    assert main([*HEAD, "-o", ".", "--force"]) == 2
    assert (folder / "LICENSE").read_text() == "mine"


def test_beside_a_licence_of_others_a_card_has_its_own(folder: Path) -> None:
    (folder / "LICENSE").write_text("mine")
    for force in ([], ["--force"]):
        assert main([*HEAD, "-o", "happy.json", *force]) == 0
        assert (folder / "LICENSE").read_text() == "mine"
        assert (folder / "happy.LICENSE").read_bytes() == LICENCE


def test_nothing_stays_of_a_model_that_is_replaced(folder: Path) -> None:
    assert main([*HEAD, "-o", "m"]) == 0
    assert (folder / "m" / "LICENSE").read_bytes() == LICENCE
    assert main([*CED, "-o", "m", "--force"]) == 0
    (network,) = (part for part in fa.Pipeline.load("m").node.parts() if isinstance(part, fa.OnnxModel))
    assert {path.name for path in (folder / "m").iterdir()} == {"card.json", Path(network.path).name}


@pytest.mark.parametrize("place", [".", "mine.json"])
def test_networks_of_others_stay(folder: Path, place: str) -> None:
    assert main([*CED, "-o", place]) == 0
    network = (folder / "model.onnx").read_bytes()
    (folder / "other.onnx").write_bytes(network)
    assert main(["import", "other.onnx", *CED[2:], "-o", place, "--force"]) == 0
    assert (folder / "model.onnx").read_bytes() == network


def test_the_licence_of_shipped_weights_is_in_the_one_file(folder: Path) -> None:
    assert main([*HEAD, "-o", "m.onnx"]) == 0
    packed = cards.read_card(folder / "m.onnx").packed
    assert packed is not None
    assert packed.licence == LICENCE
    assert main([*HEAD, "-o", "m.json"]) == 0
    assert (folder / "LICENSE").read_bytes() == LICENCE


def test_no_input_is_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = (folder / "model.onnx").read_bytes()
    assert main([*CED, "-o", "model.onnx", "--force"]) == 2
    assert "model.onnx: expected another file than the inputs, got model.onnx" in capsys.readouterr().err
    assert main([*CED, "-o", "head.onnx", "--force"]) == 2
    said = capsys.readouterr().err
    assert (
        "expected no file there, or a packed model to replace, got another file; choose another name" in said
    )
    assert "--force" not in said
    assert (folder / "model.onnx").read_bytes() == network
    (folder / "hop.json").write_text("250")
    for name, call in (
        ("head.json", HEAD),
        ("config.json", [*CED[:-2], "config.json"]),
        ("hop.json", [*CED, "--option", "hop=@hop.json"]),
    ):
        before = (folder / name).read_bytes()
        assert main([*call, "-o", name, "--force"]) == 2
        assert "expected another file than the inputs" in capsys.readouterr().err
        assert (folder / name).read_bytes() == before


def test_the_remedy_for_logits_of_essentia_works(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "model/dense/BiasAdd"
    write_head(folder / "logits.onnx", 200, output=name)
    about = json.loads((folder / "head.json").read_text())
    about["schema"]["outputs"] = [{"name": name, "op": "fully connected", "output_purpose": "predictions"}]
    (folder / "logits.json").write_text(json.dumps(about))
    call = ["import", "musicnn-msd", "logits.onnx", "logits.json", "-o", "m"]
    assert main(call) == 1
    assert "add --activation sigmoid" in capsys.readouterr().err
    assert main([*call, "--force", "--activation", "sigmoid"]) == 0


def test_no_name_in_the_help_is_that_of_another_model() -> None:
    names = re.findall(r"-o ([a-z-]+)", importing._HELP)
    assert len(names) > 4
    assert not {*names} & {*fa.models(), *entries()}


def test_the_options_that_an_error_names_are_the_ones_it_needs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_silero(folder / "silero.onnx")
    (folder / "speech.txt").write_text("speech\n")
    call = [
        "import",
        "silero.onnx",
        "--preset",
        "samples",
        "--option",
        "sample_rate=16000",
        "--window",
        "0.032",
    ]
    call += ["--option", "context=64", "--labels", "speech.txt", "-o", "vad"]
    assert main(call) == 2
    said = re.search(r"say what the others are given: (.*) \(inputs=", capsys.readouterr().err)
    assert said
    assert main([*call, *said[1].split()]) == 0
    assert main(["tag", str(GUITAR), "--model", "vad"]) == 0
    network = next(part for part in fa.Pipeline.load("vad").node.parts() if isinstance(part, fa.OnnxModel))
    assert (network.inputs, network.state) == ({"sr": 16_000}, {"state": "stateN"})
