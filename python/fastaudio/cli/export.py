"""The command `fastaudio export`: all of a model as one ONNX graph, from samples to scores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import printable
from fastaudio._system.writing import check_writable
from fastaudio.cards.named import card_path
from fastaudio.cli.arguments import OK, Commands, add_command, add_force, number, positive
from fastaudio.cli.progress import progress
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse

_HELP = """\
write a model as one ONNX graph, from samples to scores

Write mixing, resampling, the front end and the network as one ONNX graph, which ONNX Runtime runs in
browsers, on phones and from other languages. Before the file is written, the graph runs beside the pipeline
on made-up sound and on the recordings that you give; it is refused if they differ by more than the
tolerance, of values above 1 by their part of the largest.
Needs pip install 'fastaudio-toolkit[onnx]'.

examples:
  fastaudio export musicnn-mtt -o everything.onnx                        samples at the model's rate, 16000 Hz
  fastaudio export musicnn-mtt -o everything.onnx --sample-rate 48000    resampled in the graph
  fastaudio export silero-vad -o vad.onnx --streaming                    a block a run, with state in and out
  fastaudio export mine/card.json -o mine.onnx --channels 2              your own model, for stereo
  fastaudio export mine/card.json -o mine.onnx --sounds a.wav b.wav      compared on your recordings too
  fastaudio export musicnn-mtt --page site                               a page that runs it in the browser
"""
_RUNTIME = "node_modules/onnxruntime-web/dist"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "export", _export, _HELP)
    parser.add_argument("model", metavar="MODEL", help="name of a model, or path of a card or a packed model")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("-o", "--output", metavar="FILE", help="the .onnx file to write")
    target.add_argument("--page", metavar="FOLDER", help="a folder to write a web page into, with the graph")
    parser.add_argument(
        "--runtime",
        metavar="FOLDER",
        help=f"with --page, the folder dist of the npm package onnxruntime-web ({_RUNTIME})",
    )
    parser.add_argument("--sample-rate", type=positive, metavar="HZ", help="the samples' rate (the model's)")
    parser.add_argument("--channels", type=positive, default=1, metavar="N", help="channels (%(default)s)")
    parser.add_argument("--streaming", action="store_true", help="one block a run, with state in and out")
    parser.add_argument("--block", type=positive, metavar="N", help="samples per block (the fewest that fit)")
    parser.add_argument("--untrained", action="store_true", help="write untrained weights too")
    parser.add_argument(
        "--sounds", nargs="+", default=(), metavar="FILE", help="recordings to compare on, a minute of each"
    )
    parser.add_argument(
        "--tolerance", type=number, default=1e-4, metavar="X", help="largest difference (%(default)g)"
    )
    parser.add_argument("--no-check", action="store_true", help="write it without running it first")
    add_force(parser)
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")


def _export(args: argparse.Namespace) -> int:
    from fastaudio.exporting.writing import export  # noqa: PLC0415  # most commands never export

    if args.page is not None:
        return _page(args)
    if args.runtime is not None:
        raise ValueError("export: expected --runtime with --page only, got it alone; add --page FOLDER")
    target = Path(args.output)
    if target.suffix != ".onnx":
        raise ValueError(f"export: expected -o as a file that ends in .onnx, got {args.output!r}")
    if args.block is not None and not args.streaming:
        raise ValueError("export: expected --block with --streaming only, got it alone; add --streaming")
    check_writable(target, force=args.force, inputs=[card_path(args.model), *args.sounds])
    with progress(2, quiet=args.quiet, what="export") as bar:
        pipeline = Pipeline.load(args.model, untrained=args.untrained)
        bar.step()
        rate = pipeline.sample_rate if args.sample_rate is None else args.sample_rate
        node, spec = pipeline.adapted(rate, args.channels)
        how: dict[str, Any] = {"streaming": args.streaming, "block": args.block, "check": not args.no_check}
        how |= {"tolerance": args.tolerance, "sounds": args.sounds, "force": args.force}
        found = export(node, target, spec=spec, card=pipeline.card, **how)
        bar.step()
    sys.stdout.write(f"{printable(str(target))}  ({target.stat().st_size:,} bytes)\n")
    sys.stdout.write(f"takes samples at {rate} Hz; {'' if found else 'not '}compared with the pipeline\n")
    for one in found:
        sys.stdout.write(f"  largest difference {one}\n")
    return OK


def _page(args: argparse.Namespace) -> int:
    """Write a page with the model."""
    from fastaudio.serving.standalone import write_page  # noqa: PLC0415  # most commands never export

    for name, usual in (("streaming", False), ("block", None), ("channels", 1)):
        if getattr(args, name) != usual:
            raise ValueError(f"export: expected no --{name} with --page, got it; leave it out")
    with progress(2, quiet=args.quiet, what="export") as bar:
        pipeline = Pipeline.load(args.model, untrained=args.untrained)
        bar.step()
        how: dict[str, Any] = {"sample_rate": args.sample_rate, "check": not args.no_check}
        how |= {"tolerance": args.tolerance, "sounds": args.sounds, "force": args.force}
        found = write_page(pipeline, args.page, runtime=args.runtime or _RUNTIME, **how)
        bar.step()
    sys.stdout.write(f"{printable(args.page)}: a page; {'' if found else 'not '}compared with the pipeline\n")
    for one in found:
        sys.stdout.write(f"  largest difference {one}\n")
    sys.stdout.write(
        f"python -m http.server --directory {printable(args.page)} shows it at http://localhost:8000\n"
    )
    return OK
