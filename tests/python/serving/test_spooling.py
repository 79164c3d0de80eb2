"""Bodies that come in, by themselves: a bound of time holds however the bytes come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from fastaudio.serving.refusing import Refused
from fastaudio.serving.settings import Settings
from fastaudio.serving.spooling import Spool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


class Endless:
    """A request whose body comes without end, a byte each time the loop comes round."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    async def stream(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b"\0"


@pytest.mark.parametrize("upload_s", [0.01, 0.02, 0.03])
def test_an_upload_ends_in_time_also_if_a_byte_comes_at_that_moment(upload_s: float) -> None:
    async def receive() -> Any:
        # Were the end in time lost, the upload would go on to this size.
        spool = Spool(Settings(upload_s=upload_s, max_mb=1))
        async with spool.receive(cast("Request", Endless())) as body:
            return body

    with pytest.raises(Refused) as refused:
        asyncio.run(receive())
    assert (refused.value.status, refused.value.kind) == (408, "too_slow")
