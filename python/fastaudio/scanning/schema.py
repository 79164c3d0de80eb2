"""The columns of a scan's tables."""

from __future__ import annotations

import json
from typing import Any

SCHEMA = "fastaudio.scan/1"
"""Name and version of the format; a change of meaning raises the number."""

OWN_COLUMNS = frozenset(
    (
        *("path", "size", "version", "duration_s", "start_s", "end_s", "scores", "embedding", "silent"),
        *("top_labels", "error", "truncated"),
    )
)
"""Columns that a scan writes; those of a manifest have other names."""


def schema_of(pa: Any, about: dict[str, Any]) -> Any:
    """Return the schema of pyarrow for what a scan gives, with `about` in its metadata under "fastaudio"."""
    number = pa.float16() if about["half"] else pa.float32()
    values = pa.list_(number, about["width"])  # of a fixed size
    columns = [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("version", pa.string()),
        pa.field("duration_s", pa.float64()),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("scores" if about["labels"] else "embedding", values),
        pa.field("silent", pa.bool_()),
        pa.field("top_labels", pa.list_(pa.string())),
        pa.field("error", pa.string()),
        pa.field("truncated", pa.bool_()),
    ]
    columns += [pa.field(name, pa.string()) for name in about["columns"]]
    text = json.dumps(about, ensure_ascii=False, sort_keys=True)
    return pa.schema(columns, metadata={"fastaudio": text})
