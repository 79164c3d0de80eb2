"""Random changes to bytes and to JSON."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

ODD_VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 1 << 31, 1 << 63, 1 << 70, -(1 << 63)),
    *(1e308, 5e-324, float("nan"), float("inf"), -0.0, "", "../x", "\0", "\ud800", "é" * 300),
    *([], {}, [[]], [None], "Log", "OnnxModel", {"node": "Log"}, "1", [1e9] * 50),
]


def change_bytes(content: bytes, rng: random.Random, *, near: int = 4096) -> bytes:
    """Flip, cut out, repeat, overwrite or cut off a few bytes, near the start more often than elsewhere."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(1 + min(len(changed), rng.choice([64, near, 1 << 40])))
        n = rng.choice([1, 2, 4, 8, 64])
        kind = rng.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del changed[at : at + n]
        elif kind == 2:
            changed[at:at] = changed[at : at + n] * rng.choice([1, 1, 50])
        elif kind == 3:
            changed[at : at + 4] = rng.choice([0, 1, 255, 1 << 16, (1 << 31) - 1, (1 << 32) - 1]).to_bytes(
                4, rng.choice(["little", "big"])
            )
        elif kind == 4 and rng.random() < 0.3:
            del changed[at:]
        else:
            changed[at : at + n] = rng.choice([b"\0", b"\xff", b"\x7f", rng.randbytes(1)]) * n
    return bytes(changed)


def change_json(data: Any, rng: random.Random, odd: list[Any] | None = None) -> Any:
    """Return a copy of JSON data in which a value or two is replaced, removed or moved elsewhere."""
    data = json.loads(json.dumps(data))
    for _ in range(rng.choice([1, 1, 2, 3])):
        places: list[tuple[Any, Any]] = []
        left = [data]
        while left:
            part = left.pop()
            keys = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
            places += [(part, key) for key in keys]
            left += [part[key] for key in keys]
        if not places:
            return data
        parent, key = rng.choice(places)
        kind = rng.randrange(5)
        if kind == 0:
            del parent[key]
        elif kind == 1:
            parent[key] = json.loads(json.dumps(rng.choice(places)[0]))
        elif kind == 2 and isinstance(parent[key], int | float) and not isinstance(parent[key], bool):
            parent[key] *= rng.choice([-1, 2, 10, 1000, 1_000_000, 0.5])
        else:
            parent[key] = copy.deepcopy(rng.choice(odd or ODD_VALUES))
    return data
