"""Writes protobuf in all forms that readers must take: long varints, odd orders, parts that are merged."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import random

Value: TypeAlias = "int | float | str | bytes | list[Field] | One"
Field: TypeAlias = "tuple[int, Value]"


class One(list["Field"]):
    """A message of a field that isn't repeated: written in parts, it is merged."""


class Writer:
    """Writes messages; `oddness` is how likely each freedom of the format is used."""

    def __init__(self, rng: random.Random, oddness: float) -> None:
        self._rng = rng
        self._oddness = oddness

    def _odd(self) -> bool:
        return self._rng.random() < self._oddness

    def message(self, fields: list[Field]) -> bytes:
        """Return the bytes of a message."""
        fields = list(fields)
        if self._odd():
            fields = self._other_order(fields)
        if self._odd():
            fields.insert(
                self._rng.randint(0, len(fields)), (self._rng.choice([15_000, 77, 999]), b"unknown")
            )
        return b"".join(self._field(number, value) for number, value in fields)

    def _other_order(self, fields: list[Field]) -> list[Field]:
        """Shuffle, but keep the order within each repeated field."""
        slots = [number for number, _ in fields]
        self._rng.shuffle(slots)
        rows = {number: iter([value for other, value in fields if other == number]) for number in set(slots)}
        return [(number, next(rows[number])) for number in slots]

    def _field(self, number: int, value: Value) -> bytes:
        if isinstance(value, bool | int):
            return self.varint(number << 3) + self.varint(value % (1 << 64))
        if isinstance(value, float):
            return self.varint(number << 3 | 5) + struct.pack("<f", value)
        if isinstance(value, One) and len(value) > 1 and self._odd():
            cut = self._rng.randint(0, len(value))
            return self._field(number, list(value[:cut])) + self._field(number, list(value[cut:]))
        data = self.message(value) if isinstance(value, list) else value
        data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        return self.varint(number << 3 | 2) + self.varint(len(data)) + data

    def varint(self, value: int) -> bytes:
        """Return a varint, longer than it needs to be at times."""
        groups = [value & 0x7F]
        while value := value >> 7:
            groups.append(value & 0x7F)
        most = 5 if len(groups) < 5 else 10  # tags and lengths have 32 bits
        groups += [0] * (self._rng.randint(0, most - len(groups)) if self._odd() else 0)
        return bytes([group | 0x80 for group in groups[:-1]] + [groups[-1]])
