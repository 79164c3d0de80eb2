"""Trains methods on notes and prints the table with all their numbers."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import curves
import torch
from instruments import FEATURE_MODEL, Notes, is_notes, read_notes
from intervals import over_programs
from methods import METHODS
from output_paths import output_file
from sources import read_labelled
from tables import paired, plot, table
from torch import multiprocessing
from tqdm import tqdm
from trainer import Run, Settings, run
from way import PLAINLY, Way, add_way, way_of

EXAMPLES = """examples:
  the whole table, 63 runs, then its plot:
    python models/recipes/train/run.py --data notes --output results.json --plot results.svg
  a first look, four runs:
    python models/recipes/train/run.py --data notes --methods plain con-reg --fractions 0.1 \\
      --seeds 0 1 --output first.json
  scored on held-out training programs, the test notes untouched, as choices should be made:
    python models/recipes/train/run.py --data notes --on validation --seeds 0 1 2 3 \\
      --output validation.json

  on a graphics card, with the best weights on held-out training programs, and loss curves:
    python models/recipes/train/run.py --data notes --device auto --mixed --select --output best.json \\
      --checkpoints checkpoints --curves curves
  another collection, its folder as it comes, or a manifest with the columns path, label, fold and group:
    python models/recipes/train/run.py --data ESC-50-master --output esc50.json

With --checkpoints, a run that was stopped goes on in its midst, with the same bits on a processor.
A run that is in the output file already is not repeated: stop with Ctrl-C, go on with the same command."""

SURE = 0.05  # the time left is printed from this share of the work on
_notes: Notes  # set in a worker process
_settings: Settings
_way: Way


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, write the results after every run, and print the table."""
    options = parse(arguments)
    wanted = [
        Run(method, fraction, seed, seed if options.on == "validation" else None)
        for fraction in sorted(options.fractions, reverse=True)  # the longest first
        for seed in options.seeds
        for method in options.methods
    ]
    settings = Settings(steps=options.steps)
    try:
        way = way_of(options)
        results = read_results(options.output, settings, options.feature, way)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    done = {key(record) for record in results["runs"]}
    missing = [what for what in wanted if key(asdict(what)) not in done]
    if missing:
        print(f"{len(missing)} of {len(wanted)} runs to do, {options.jobs} at once", file=sys.stderr)
        try:
            notes = read(options.data, options.feature)
        except (OSError, ValueError) as error:
            print(f"--data: {error}", file=sys.stderr)
            return 2
        try:
            for record in train_all(notes, missing, settings, options.jobs, way):
                results["runs"].append(record)
                write_results(options.output, results)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print(f"stopped; the same command goes on with what {options.output} lacks", file=sys.stderr)
            return 130
    asked = {key(asdict(what)) for what in wanted}
    records = [record for record in results["runs"] if key(record) in asked]
    print(table(records, options.methods))
    if len(options.methods) > 1 and len(options.seeds) > 1:
        print("\n" + paired(records, options.methods))
    print("\n" + over_programs(records, options.methods))
    if options.plot is not None:
        plot(records, options.methods, options.plot)
    if way.curves is not None and way.curves.is_dir():
        curves.plot(way.curves, way.curves / "curves.svg")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True,
        help="folder of notes with its manifest.csv, or other labelled sound: a manifest, tables of labels, "
        "a published collection",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=output_file, required=True, help="results as JSON; read first if there"
    )
    parser.add_argument(
        "--methods", nargs="+", default=["all"], choices=[*METHODS, "all"], metavar="NAME",
        help=f"all, or some of {', '.join(METHODS)}",
    )  # fmt: skip
    parser.add_argument(
        "--fractions", type=float, nargs="+", default=[0.1, 0.3, 1.0], metavar="F",
        help="shares of the training notes, drawn within each family (default: 0.1 0.3 1)",
    )  # fmt: skip
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2")
    parser.add_argument(
        "--on", choices=["test", "validation"], default="test",
        help="score on the test notes, or on the seed-th training program of each family, held out",
    )  # fmt: skip
    parser.add_argument("--feature", default=FEATURE_MODEL, metavar="MODEL", help=f"default: {FEATURE_MODEL}")
    parser.add_argument("--steps", type=int, default=Settings.steps, help="of a run with all notes")
    add_way(parser)
    parser.add_argument(
        "--select", action="store_true",
        help="hold out one training program of each family, and keep the weights that are best on these",
    )  # fmt: skip
    parser.add_argument(
        "--every", type=int, default=Way.every, metavar="N", help="steps between (default: 20)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, one thread each (default: 2)")
    parser.add_argument(
        "--plot", type=output_file, help="where to save accuracy over fractions: .svg or .png"
    )
    options = parser.parse_args(arguments)
    if "all" in options.methods:
        options.methods = list(METHODS)
    if options.every < 1:
        parser.error(f"--every: expected steps of at least 1, got {options.every}")
    if not all(0 < fraction <= 1 for fraction in options.fractions):
        parser.error(f"--fractions: expected shares in (0, 1], got {options.fractions}")
    return options


def key(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells one run from another."""
    return record["method"], record["fraction"], record["seed"], record["fold"]


def read_results(path: Path, settings: Settings, feature: str, way: Way = PLAINLY) -> dict[str, Any]:
    """Return earlier results, if they were made with the same settings."""
    made_with = asdict(settings) | {"feature": feature, "torch": torch.__version__} | way.changes()
    if not path.exists():
        return {"made_with": made_with, "runs": []}
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if results["made_with"] != made_with:
        got = results["made_with"]
        raise ValueError(f"{path}: expected results of {made_with}, got {got}; name another --output.")
    return results


def write_results(path: Path, results: dict[str, Any]) -> None:
    """Write results whole, or leave the file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    results["runs"].sort(key=lambda record: [str(value) for value in key(record)])
    runs = ",\n".join(json.dumps(record) for record in results["runs"])
    text = f'{{"made_with": {json.dumps(results["made_with"])},\n"runs": [\n{runs}\n]}}\n'
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def read(folder: Path, feature: str) -> Notes:
    """Read the notes with a progress bar."""
    with closing(tqdm(desc="notes", disable=None)) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return (read_notes if is_notes(folder) else read_labelled)(folder, feature, show)


def train_all(
    notes: Notes, missing: Sequence[Run], settings: Settings, jobs: int, way: Way
) -> Iterator[dict[str, Any]]:
    """Yield the record of each run as it ends."""
    cost = {what: what.fraction**0.5 * (0.02 if what.method == "feature-only" else 1) for what in missing}
    start_s, ended = time.monotonic(), 0.0
    with closing_now(workers(jobs, notes, settings, way)) as pool:
        running = {pool.submit(work, what): what for what in missing}
        for n, future in enumerate(as_completed(running), start=1):
            what, record = running[future], future.result()
            yield record  # it is written before it is printed
            ended += cost[what]
            share = ended / sum(cost.values())
            left_s = (time.monotonic() - start_s) * (1 / share - 1)
            print(
                f"{n}/{len(missing)} {what.method} {what.fraction:g} seed {what.seed}: "
                f"accuracy {record['accuracy']:.3f}, {record['processor_s']:.0f} s"
                + (f"; about {left_s / 60:.0f} min left" if share > SURE else ""),
                file=sys.stderr,
                flush=True,
            )


def workers(jobs: int, notes: Notes, settings: Settings, way: Way) -> Executor:
    """Return a pool of processes, or for one job a thread of this process, which starts at once."""
    if jobs == 1:
        return ThreadPoolExecutor(1, initializer=begin, initargs=(notes, settings, way))
    context = multiprocessing.get_context("spawn")  # tensors go to the workers by shared memory
    return ProcessPoolExecutor(jobs, context, begin_process, (notes, settings, way))


@contextmanager
def closing_now(pool: Executor) -> Iterator[Executor]:
    """Shut a pool down at the end; an error or Ctrl-C ends the runs that have begun, others never do."""
    try:
        yield pool
    except BaseException:  # a time limit interrupts this process alone, not the workers
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def begin(notes: Notes, settings: Settings, way: Way) -> None:
    """Prepare a worker."""
    global _notes, _settings, _way  # a pool's workers have no other place for it
    _notes, _settings, _way = notes, settings, way
    torch.set_num_threads(1)  # the last digits of the numbers depend on it


def begin_process(notes: Notes, settings: Settings, way: Way) -> None:
    """Prepare a worker that is a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a message
    begin(notes, settings, way)


def work(what: Run) -> dict[str, Any]:
    """Do one run in a worker."""
    return run(_notes, what, _settings, _way)[1]


if __name__ == "__main__":
    sys.exit(main())
