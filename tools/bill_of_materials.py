"""Add to a bill of materials in CycloneDX's JSON the shipped models, and what the package's extras ask for.

    python tools/bill_of_materials.py sbom.cdx.json

The file is one that `cyclonedx-py environment` wrote of what is needed at run time; `.ci/supply-chain` calls
both. What extras ask for is optional and has no version, since nothing of it is shipped. The models have the
hashes of their networks, which go to stdout too, as `sha256sum` prints them. It fails if a network isn't the
one that its card states.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import requirements

ROOT = Path(__file__).resolve().parent.parent


def main(path: str) -> None:
    """Add the models and the extras to the file."""
    bill = json.loads(Path(path).read_text(encoding="utf-8"))
    ours = ("model:", "extra:")
    kept = [part for part in bill.get("components", []) if not part["bom-ref"].startswith(ours)]
    found = [model(card) for card in sorted(ROOT.glob("models/*/card.json"))]
    bill["components"] = kept + found + asked_for(requirements.extras())
    Path(path).write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for one in found:
        for part in one["components"]:
            sys.stdout.write(f"{part['hashes'][0]['content']}  {part['name']}\n")


def model(card: Path) -> dict[str, Any]:
    """Return a model as CycloneDX describes it, with a file for each network and one for the card."""
    data = json.loads(card.read_text(encoding="utf-8"))
    stated = {(card.parent / net["path"]): net["sha256"] for net in networks(data["pipeline"])}
    files = [*sorted(stated), card]
    for path, sha256 in stated.items():
        if (got := _sha256(path)) != sha256:
            raise SystemExit(f"{path}: expected sha256 {sha256}, as {card} states, got {got}")
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{data['name']}",
        "name": data["name"],
        "version": data["version"],
        "description": data["description"],
        "licenses": [{"license": {"id": data["licence"]}}],
        "properties": [
            {"name": f"fastaudio:source:{key}", "value": str(value)} for key, value in data["source"].items()
        ],
        "components": [
            {
                "type": "file",
                "bom-ref": f"file:{path.relative_to(ROOT).as_posix()}",
                "name": path.relative_to(ROOT).as_posix(),
                "hashes": [{"alg": "SHA-256", "content": _sha256(path)}],
            }
            for path in files
        ],
    }


def asked_for(extras: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return what each extra asks for, as CycloneDX describes what is optional."""
    return [
        {
            "type": "library",
            "bom-ref": f"extra:{extra}:{line}",
            "name": re.split(r"[^\w.-]", line, maxsplit=1)[0],
            "scope": "optional",
            "properties": [
                {"name": "fastaudio:extra", "value": extra},
                {"name": "fastaudio:requirement", "value": line},
            ],
        }
        for extra, lines in extras.items()
        for line in lines
    ]


def networks(data: Any) -> list[dict[str, Any]]:
    """Return what a card's pipeline says of each network."""
    parts = data if isinstance(data, list) else list(data.values()) if isinstance(data, dict) else []
    own = [data] if isinstance(data, dict) and data.get("node") == "OnnxModel" else []
    return own + [net for part in parts for net in networks(part)]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
