"""The command `fastaudio import`, which makes a model of a network that others trained."""

from __future__ import annotations

import math
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import importing
from fastaudio._system.text import printable, quoted
from fastaudio.cli.arguments import FAILED, OK, Commands, add_command, add_force, hertz, seconds
from fastaudio.cli.pairs import options_of, pairs_of
from fastaudio.cli.parsing import Parser
from fastaudio.cli.terminal import complain
from fastaudio.importing.essentia import EMBEDDERS
from fastaudio.importing.fronts import NAMES, SAMPLES
from fastaudio.importing.metadata import is_essentia
from fastaudio.importing.plain import ACTIVATIONS, other_orders
from fastaudio.importing.saving import check_place
from fastaudio.importing.text import read_json
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse

_HELP = f"""\
make a model of an ONNX network that others trained

Put the right front end before an ONNX network and its labels behind it, run the result once, and write it as
a model that --model takes everywhere. Nothing is fetched.

Essentia's models come with a JSON file, which says the front end and the classes: give the network and its
JSON, or the embedding network, the head and the head's JSON. Heads on MusiCNN take musicnn-msd or musicnn-mtt
as their embedding network, which come with the package.

For other networks, --preset names the front end that they were trained with:
{textwrap.fill(", ".join(NAMES), 100, initial_indent="  ", subsequent_indent="  ")}
"{SAMPLES}" is for networks that take the sound itself, of any length or of one, with --option sample_rate=HZ.
firered needs --option cmvn=cmvn.ark, the file that comes with its weights.

--labels is a CSV such as AudioSet's class_labels_indices.csv, a text file with a label on each line, or a
Hugging Face config.json; without it, labels in the network's metadata count. If a network gives scores for
each frame of a window, so does the model, each at its time.

A network with further inputs needs --input for those that are always the same, such as a sample rate, and
--state for those that carry what it remembers; without them, an error names each with its option.

It prints what the model gives for a few sounds that are made up, or for the files that --try names. If that
makes no sense, the front end isn't the one that the network was trained with.

examples:
  fastaudio import msd-musicnn-1.onnx mood_happy-msd-musicnn-1.onnx mood_happy-msd-musicnn-1.json -o happy
  fastaudio import musicnn-msd mood_happy-msd-musicnn-1.onnx mood_happy-msd-musicnn-1.json -o happy
  fastaudio import discogs-effnet-bsdynamic-1.onnx discogs-effnet-bs64-1.json -o discogs
  fastaudio import model.onnx --preset ced --labels class_labels_indices.csv -o my-ced --try song.wav
  fastaudio import ast.onnx --preset ast --labels config.json --activation sigmoid -o my-ast
  fastaudio import yamnet.onnx --preset {SAMPLES} --option sample_rate=16000 --labels classes.csv -o my-yamnet
  fastaudio import silero_vad.onnx --preset {SAMPLES} --option sample_rate=16000 --option context=64 \\
    --window 0.032 --input sr=16000 --state state=stateN --labels labels.txt -o my-vad
  fastaudio import fireredvad_aed.onnx --preset firered --option cmvn=cmvn.ark --labels labels.txt -o my-aed
  fastaudio tag song.wav --model my-ced

exit status: 0 written, 1 written, but what it gives looks wrong (stderr says why), 2 nothing written
"""
_SHOWN = 6
_DEEPEST = 8  # lists within lists of an input


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "import", _run, _HELP)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="one network or two (.onnx), and Essentia's JSON if there is one",
    )
    if isinstance(parser, Parser):
        parser.intermixed = True
    parser.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="where to write the model, or a FILE.onnx"
    )
    add_force(parser)
    front = parser.add_argument_group("front end and labels")
    front.add_argument("--preset", metavar="NAME", help="front end that the network was trained with")
    front.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the preset; VALUE is JSON or text, or @FILE for a JSON file; an error for "
        "another name lists those that it has",
    )
    front.add_argument("--labels", metavar="FILE", help="labels of the scores: .csv, .json or text")
    front.add_argument(
        "--activation", choices=list(ACTIVATIONS), help="what turns the network's numbers into scores (none)"
    )
    front.add_argument(
        "--window",
        type=seconds,
        metavar="S",
        help=f"length of windows, for presets that give frames and for {SAMPLES} (the network's own, or 10)",
    )
    front.add_argument("--hop", type=seconds, metavar="S", help="step between windows (the preset's own)")
    network = parser.add_argument_group("network")
    network.add_argument("--output-name", metavar="NAME", help="output with the scores (found by its size)")
    network.add_argument(
        "--embedding", metavar="NAME", help="output of the embedding network that the head takes"
    )
    network.add_argument("--layout", help="order of the input's axes, such as n1tf (found by the sizes)")
    network.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what a further input always is: a number, lists in JSON, or @FILE for a JSON file",
    )
    network.add_argument(
        "--state",
        action="append",
        default=[],
        metavar="INPUT=OUTPUT",
        help="a recurrent input, and the output whose values it takes after a run",
    )
    network.add_argument(
        "--frame-rate",
        type=hertz,
        metavar="HZ",
        help="rate of the frames, for networks that score each (spread evenly over a window)",
    )
    parser.add_argument(
        "--try", dest="sounds", action="append", default=[], metavar="SOUND", help="a file to run it over"
    )


def _run(args: argparse.Namespace) -> int:
    options = [*args.option, *args.input]
    given = [value[1:] for option in options if (value := option.partition("=")[2]).startswith("@")]
    inputs = [*args.files, *args.sounds, *given, *([args.labels] if args.labels else [])]
    check_place(args.output, force=args.force, inputs=inputs)
    pipeline = _imported(args)
    heard, doubts = importing.listen_to(pipeline, args.sounds)
    target = importing.save(pipeline, args.output, force=args.force)
    loaded = Pipeline.load(target)  # as every command will: its hash and its cost are checked
    orders = other_orders(pipeline, args.preset) if args.preset and args.layout is None else ""
    sys.stdout.write(printable(_about(loaded, target, heard, orders), lines=True))
    for doubt in doubts:
        complain(f"{target}: {doubt}; --force replaces what was written")
    return FAILED if doubts else OK


def _imported(args: argparse.Namespace) -> Pipeline:
    networks = [name for name in args.files if Path(name).suffix.lower() != ".json"]
    described = [name for name in args.files if name not in networks]
    for name in networks:
        if Path(name).suffix.lower() != ".onnx" and (name not in EMBEDDERS or args.preset):
            raise ValueError(
                f"import: expected networks as .onnx files and Essentia's JSON, got {name!r:.200}; a file of "
                "labels goes after --labels, and a model that is here already after --model of other commands"
            )
    essentia = [name for name in described if is_essentia(read_json(name))]
    if args.preset is None and essentia:
        return _from_essentia(args, networks, described)
    if args.preset is None:
        raise ValueError(
            "import: expected --preset with the front end that the network was trained with, or Essentia's "
            f"JSON, got neither; --preset is one of {', '.join(NAMES)} ({SAMPLES} if the network "
            "takes the sound itself)"
        )
    if len(networks) != 1 or len(described) > 1:
        got = f"{len(networks)} networks and {len(described)} JSON files"
        raise ValueError(f"import: expected one network with --preset, got {got}; leave out the others")
    if described and args.labels:
        raise ValueError(f"import: expected --labels or {described[0]}, got both; leave out one")
    if args.embedding is not None:
        raise ValueError("import: expected --embedding with a head and its JSON only; leave it out")
    return importing.from_onnx(
        networks[0],
        args.preset,
        labels=args.labels or (described[0] if described else None),
        options=options_of(args.option, "--option", "import"),
        activation=args.activation or "none",
        output=args.output_name,
        layout=args.layout,
        inputs=_inputs(args.input),
        state=_states(args.state),
        window_s=args.window,
        hop_s=args.hop,
        frame_rate_hz=args.frame_rate,
    )


def _from_essentia(args: argparse.Namespace, networks: list[str], described: list[str]) -> Pipeline:
    for option in ("labels", "option", "window", "layout", "input", "state", "frame-rate"):
        if getattr(args, option.replace("-", "_")):
            raise ValueError(
                f"import: expected --{option} with --preset only, got it with {described[-1]}; leave one out"
            )
    if len(described) > 2:  # noqa: PLR2004  # of the embedding network and of the head
        raise ValueError(
            f"import: expected at most two JSON files, got {len(described)}; leave out the others"
        )
    return importing.from_essentia(
        *networks,
        metadata=described[-1],
        embedding_metadata=described[0] if len(described) > 1 else None,
        output=args.output_name,
        embedding=args.embedding,
        activation=args.activation or "none",
        hop_s=args.hop,
    )


def _inputs(given: list[str]) -> dict[str, Any]:
    """Return the further inputs with their numbers."""
    found = options_of(given, "--input", "import")
    for name, value in found.items():
        if not _is_numbers(value):
            raise ValueError(
                f"import: expected --input {name}=VALUE with a number, true, false or lists of these, got "
                f"{value!r:.80}; write it as JSON, or @FILE for a JSON file"
            )
    return found


def _is_numbers(value: Any, deep: int = 0) -> bool:
    if isinstance(value, list):
        return deep < _DEEPEST and all(_is_numbers(part, deep + 1) for part in value)
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _states(given: list[str]) -> dict[str, str]:
    """Return recurrent inputs with their outputs."""
    return dict(pairs_of(given, "--state", "INPUT=OUTPUT", "import"))


def _about(pipeline: Pipeline, target: Path, heard: list[importing.Heard], orders: str) -> str:
    """Return what was written and what it gives."""
    labels = [label for spec in pipeline.output_specs.values() for label in spec.labels]
    shown = ", ".join(map(quoted, labels[:_SHOWN])) + (", ..." if len(labels) > _SHOWN else "")
    width = max(len(each.sound) for each in heard)
    above, lines = [printable(str(target)), "", str(pipeline), ""], []
    lines.append(
        f"{len(labels)} labels: {shown}" if labels else "no labels: fastaudio embed writes what it gives"
    )
    lines += ["", *(f"{each.sound:<{width}}  {each.said}" for each in heard)]
    lines += ["", orders] if orders else []
    return "\n".join([*above, *map(printable, lines)]) + "\n"
