"""Wrong words on the command line: what was meant is guessed, and the usage is that of the command."""

from __future__ import annotations

import pytest
from fastaudio import cli
from helpers import GUITAR


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return what stderr says of wrong usage."""
    with pytest.raises(SystemExit) as exit_:
        cli.main([*map(str, arguments)])
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) < 24
    return err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["tag", "a.wav", "--modle", "x"],
            "expected an option that it has, got --modle; did you mean --model?",
        ),
        (["tag", "a.wav", "--outptu=x"], "got --outptu; did you mean --output?"),
        (["embed", "a.wav", "-o", "a.npz", "--layr", "x"], "got --layr; did you mean --layer?"),
        (["listen", "--jsnol"], "got --jsnol; did you mean --jsonl?"),
        (["train", "d", "-o", "m", "--penalti", "1"], "got --penalti; did you mean --penalty?"),
        (["pack", "m", "-o", "m.onnx", "--forse"], "got --forse; did you mean --force?"),
        (["models", "--xyzzy"], "expected an option that it has, got --xyzzy; --help lists them"),
        (["models", "a", "b"], "expected no further argument, got b"),
        (["tag", "a.wav", "--top", "0"], "argument --top: expected a whole number of at least 1, got 0"),
        (["tag", "a.wav", "--jobs", "many"], "expected a whole number of at least 1, got many"),
        (
            ["tag", "a.wav", "--channel", "-1"],
            "argument --channel: expected a whole number of at least 0, got -1",
        ),
        (["tag", "a.wav", "--onset", "50"], "argument --onset: expected a score in [0, 1], got 50"),
        (["listen", "--offset", "nan"], "argument --offset: expected a number, got nan"),
        (["tag", "a.wav", "--hop", "often"], "argument --hop: expected seconds above 0, got often"),
        (
            ["train", "d", "-o", "m", "--kind", "mpl"],
            "expected one of linear, mlp, got 'mpl'; did you mean mlp?",
        ),
        (["tag"], "the following arguments are required: FILE|DIR|-"),
        (["embed", "a.wav"], "the following arguments are required: -o"),
        (["tag", "a.wav", "--json", "b.wav", "--csv"], "argument --csv: not allowed with argument --json"),
    ],
)
def test_a_wrong_option_gets_the_usage_of_its_command(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    err = refused(capsys, *arguments)
    assert said in err
    assert err.startswith(f"usage: fastaudio {arguments[0]} ")
    assert err.splitlines()[-1].startswith(f"fastaudio {arguments[0]}: error: ")


def test_a_wrong_command_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "tga").splitlines()[-1].endswith(", info, got 'tga'; did you mean tag?")
    assert "got 'xyzzy'\n" in refused(capsys, "xyzzy")


def test_options_may_stand_between_files(capsys: pytest.CaptureFixture[str]) -> None:
    other = GUITAR.parent / ".." / GUITAR.parent.name / GUITAR.name
    want = ["tag", "--top", "1", "--csv", str(GUITAR), str(other), "--", "-missing.wav"]
    between = ["tag", str(GUITAR), "--top", "1", str(other), "--csv", "--", "-missing.wav"]
    after = ["tag", "--csv", "--top=1", "--", str(GUITAR), str(other), "-missing.wav"]
    results = []
    for arguments in (want, between, after):
        assert cli.main(arguments) == 1
        results.append(capsys.readouterr())
    assert results[0] == results[1] == results[2]
    assert len(results[0].out.splitlines()) == 3
