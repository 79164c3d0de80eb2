"""Networks with 8-bit layers, as far as a bound on the scores allows and if they are faster.

`quantizing` has `quantize`, which the command `fastaudio quantize` calls. `network` prepares the network's
graph and puts another in its place; `rows` gives what it is fed; `ways` are the ways to quantize; `searching`
chooses the layers, and knows neither networks nor clocks; `sounds` measures differences of scores and
`timing` times; `processor` names the processor; `refusing` says what can't be had.
"""

from __future__ import annotations

from fastaudio.quantizing.quantizing import Quantized, quantize
from fastaudio.quantizing.refusing import NothingWon, QuantizeError

__all__ = ["NothingWon", "QuantizeError", "Quantized", "quantize"]
