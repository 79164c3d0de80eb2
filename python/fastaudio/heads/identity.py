"""What a pipeline's rows depend on: its nodes, with the hashes of weights in place of their paths."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastaudio.pipeline import Pipeline


def identity(pipeline: Pipeline) -> dict[str, Any]:
    """Return all that a pipeline's rows depend on, as plain data."""
    return {
        "outputs": list(pipeline.output_specs),
        "channel": pipeline.channel,
        "quality": pipeline.quality,
        "node": _weighed(pipeline.node.to_dict()),
    }


def rows_sha256(pipeline: Pipeline) -> str:
    """Return a hash that two pipelines share if they give the same rows for the same sound."""
    return hashlib.sha256(json.dumps(identity(pipeline), sort_keys=True).encode("ascii")).hexdigest()


def _weighed(data: Any) -> Any:
    """Return a node's data with the hash of each network's weights in place of its path."""
    if isinstance(data, list):
        return [_weighed(part) for part in data]
    if not isinstance(data, dict):
        return data
    kept = {key: _weighed(value) for key, value in data.items() if key != "threads"}
    if data.get("node") == "OnnxModel":
        del kept["path"]  # the hashes say what ran, whatever lies there now
    return kept
