"""How results are written: text, JSON, JSON Lines, CSV."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fastaudio.tags import Tags

_BAR_WIDTH = 24


def _write_text(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    def line(label: str, score: float) -> str:
        bar = "#" * round(score * _BAR_WIDTH)
        return f"  {label:<18} {score:4.2f}  {bar}".rstrip() + "\n"

    def write(tags: Tags | None) -> None:
        if tags is None:
            return
        out.write(f"{tags.path}  ({tags.duration_s:.1f} s)\n")
        if not len(tags):
            out.write("  no sound\n")
        elif args.windows:
            for window in tags:
                best = ", ".join(f"{label} {score:.2f}" for label, score in window.top(args.top))
                out.write(f"  {window.start_s:7.2f} - {window.end_s:7.2f} s  {best}\n")
        else:
            out.writelines(line(label, score) for label, score in tags.top(args.top))
        out.flush()

    return write


def _write_json(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    all_tags: list[dict[str, Any]] = []

    def write(tags: Tags | None) -> None:
        if tags is not None:
            all_tags.append(tags.to_dict(top=args.top, windows=args.windows))
        else:
            json.dump(all_tags, out, indent=2, ensure_ascii=False)
            out.write("\n")

    return write


def _write_jsonl(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    def write(tags: Tags | None) -> None:
        if tags is not None:
            text = tags.to_jsonl(top=args.top) if args.windows else tags.to_json(top=args.top) + "\n"
            out.write(text)
            out.flush()

    return write


def _write_csv(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    header = True

    def write(tags: Tags | None) -> None:
        nonlocal header
        if tags is not None:
            out.write(tags.to_csv(top=args.top, windows=args.windows, header=header))
            out.flush()
            header = False

    return write


WRITERS: dict[str | None, Callable[[argparse.Namespace, TextIO], Callable[[Tags | None], None]]] = {
    None: _write_text,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
