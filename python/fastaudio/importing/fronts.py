"""Front ends for networks: a preset by its name, or samples as they are, in windows of the right length."""

from __future__ import annotations

import inspect
import math
from itertools import permutations
from typing import TYPE_CHECKING, Any

from fastaudio import presets
from fastaudio._core import Concat, ModelError, Patches, Resample, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastaudio._core import Node, Sequential, StreamSpec
    from fastaudio.importing.network_file import Shape

SAMPLES = "samples"
"""Name of the front end of networks that take the sound itself."""

NAMES = (*(name for name in presets.__all__ if name != "vggish_postprocess"), SAMPLES)

WINDOW_S = 10.0
"""Length of windows where neither the preset nor the network states one."""

_BANDS_FIRST = ("ced", "efficientat", "harmonic_cnn", "passt")
_LARGEST_RANK = 4
_MOST_AXES = 8  # that are told
_RATES_HZ = range(100, 768_001)  # those of Resample


def front_of(name: str, options: Mapping[str, Any]) -> Node:
    """Return a preset by its name, with its options.

    "samples" is no preset: it gives the samples themselves at `sample_rate`, in windows with `context`
    earlier samples at their front; `last` says what becomes of samples left over at the end (see `Patches`).

    Raises:
        ValueError: there is no such preset, an option isn't one of its, or has a wrong value.
    """
    if name not in NAMES:
        guess = did_you_mean(str(name), NAMES)
        raise ValueError(f"preset: expected one of {', '.join(NAMES)}, got {name!r:.80}{guess}")
    make = _samples if name == SAMPLES else getattr(presets, name)
    parameters = inspect.signature(make).parameters
    for key in options:
        if key not in parameters:
            known = ", ".join(parameters) or "none"
            raise ValueError(
                f"preset {name}: expected options among {known}, got {key!r:.80}"
                f"{did_you_mean(key, list(parameters))}"
            )
    missing = [key for key, each in parameters.items() if each.default is each.empty and key not in options]
    if missing:
        raise ValueError(
            f"preset {name}: expected the option {missing[0]}, got none; it comes with the weights "
            f"(options in Python; --option {missing[0]}=VALUE, or {missing[0]}=@FILE for a JSON file)"
        )
    try:
        node: Node = make(**options)
    except TypeError as error:
        raise ValueError(f"preset {name}: expected options of the right type, got: {error}") from error
    return node


def _samples(*, sample_rate: int, context: int = 0, last: str = "drop") -> Sequential:
    if isinstance(sample_rate, bool) or sample_rate not in _RATES_HZ:
        raise ValueError(
            f"preset {SAMPLES}: expected sample_rate as a whole number in [{_RATES_HZ.start}, "
            f"{_RATES_HZ.stop - 1}] Hz, got {sample_rate!r:.80}"
        )
    rate_hz = int(sample_rate)
    # The patches stand for the windows until the network's length is known.
    patches = Patches(length=1, hop=1, context=context, last=last)
    return Resample(input_rate=rate_hz, output_rate=rate_hz) >> patches


def windowed(
    name: str,
    front: Node,
    shape: Shape,
    window_s: float | None = None,
    last: str | None = None,
    *,
    overlap: bool = False,
) -> Node:
    """Return a front end that gives what a network takes at once, which has the input `shape`.

    Presets that give frames, and "samples", are cut into windows: of `window_s` seconds, or as long as the
    network states, or of 10 s. `last` says what becomes of what is left at the end, see `Patches`; None drops
    it, unless "samples" says otherwise. With `overlap` a window begins every half window, if the network
    leaves its length open: it sees the sound around all but the first and the last frames.

    Raises:
        ValueError: the preset has windows of its own, and `window_s` is another length.
    """
    context = 0
    if name == SAMPLES:
        front, patches = front.children()
        assert isinstance(patches, Patches)
        context, last = patches.context, last or patches.last
    elif _cuts(front) or not _gives_frames(front):
        if window_s is not None:
            raise ValueError(
                f"preset {name}: expected no window, as it has one of its own, got {window_s:g} s; give its "
                "length as an option (--option), if it has one"
            )
        return front
    spec = rows_of(front)
    rate_hz = spec.rate_hz
    _require_bands(name, spec.shape, shape)
    stated = _stated_length(shape, spec.shape)
    length = 0 if window_s is None else max(1, round(window_s * rate_hz))
    if not length:
        length = round(WINDOW_S * rate_hz) if stated is None else stated - context
    if length < 1:
        raise ModelError(
            f"preset {name}: expected a context shorter than the network's input of {told(shape)}, got "
            f"{context}; give a smaller one (--option context=...)"
        )
    hop = max(1, length // 2) if overlap and stated is None else length
    return front >> Patches(length=length, hop=hop, context=context, last=last or "drop")


def flattened(front: Node, shape: Shape, layout: str | None = None) -> Node:
    """Return a front end with its rows as vectors if a network takes as many numbers along one axis.

    A stated `layout` says that it takes the rows as they are.
    """
    row = rows_of(front).shape
    flat = layout is None and len(shape) <= 2 < 1 + len(row)  # noqa: PLR2004  # with a batch or without
    return Concat(front) if flat and shape[-1] == math.prod(row) else front


def rows_of(node: Node) -> StreamSpec:
    """Return the spec of what a front end gives."""
    assert node.input_spec is not None
    (spec,) = node.output_specs(node.input_spec).values()
    return spec


def _cuts(node: Node) -> bool:
    return node.cuts_windows() or any(_cuts(child) for child in node.children())


def _gives_frames(node: Node) -> bool:
    """Tell whether a front end gives frame after frame, and not one row for the whole clip."""
    spec = rows_of(node)
    return spec.rate_hz > 0 and len(spec.shape) == 1


def _require_bands(name: str, row: Sequence[int], shape: Shape) -> None:
    """Raise a ModelError if a network's input states sizes, and the number of bands isn't among them."""
    sizes = [size for size in _of_row(shape, row) if isinstance(size, int) and size != 1]
    for bands in row:
        if sizes and bands not in sizes:
            raise ModelError(
                f"preset {name}: expected a network whose input has an axis of {bands} bands, got "
                f"{told(shape)}; name the preset that it was trained with, or give the preset's options"
            )


def _of_row(shape: Shape, row: Sequence[int]) -> Shape:
    """Return an input's axes but the batch's, which it lacks if it has no more than a window has."""
    has_batch = len(shape) > len(row) + 1 and any(size != 1 for size in shape[1:])
    return shape[1:] if has_batch else shape


def _stated_length(shape: Shape, row: Sequence[int]) -> int | None:
    """Return the length of time that a network's input states, besides the batch, ones and the bands."""
    left: list[Any] = [size for size in _of_row(shape, row) if size != 1]
    for size in row:
        if size in left:
            left.remove(size)
    sizes = [size for size in left if isinstance(size, int)]
    return sizes[0] if len(sizes) == 1 else None


def layouts(name: str, rank: int, row_rank: int) -> list[str]:
    """Return orders in which an input of `rank` axes may have those of a row, the likeliest first.

    Those at the end have no axis for the batch: such an input takes a row at a time.
    """
    own = "tfc"[:row_rank]
    if name in _BANDS_FIRST:
        own = own[1:] + own[0]
    if not row_rank <= rank <= _LARGEST_RANK + 1:
        return []
    found = []
    for batch in ("n", "") if rank > row_rank else ("",):
        ones = "1" * (rank - len(batch) - row_rank)
        found += [f"{batch}{ones}{own}", f"{batch}{own}{ones}"]
        found += [f"{batch}{''.join(order)}" for order in permutations(own + ones)]
    return list(dict.fromkeys(found))


def fits(layout: str, row: Shape, shape: Shape) -> bool:
    """Tell whether rows fit an input by their sizes, as far as it states any."""
    sizes = dict(zip("tfc", row, strict=False)) | {"1": 1}
    if len(layout) != len(shape):
        return False
    return all(
        sign == "n" or not isinstance(size, int) or size == sizes.get(sign)
        for sign, size in zip(layout, shape, strict=True)
    )


def told(shape: Shape) -> str:
    """Return an input's sizes, with ? for those that it leaves open."""
    more = " x ..." if len(shape) > _MOST_AXES else ""
    return " x ".join(str(size) if isinstance(size, int) else "?" for size in shape[:_MOST_AXES]) + more


def orders(name: str, row: Shape, shape: Shape) -> list[str]:
    """Return the orders of axes in which rows fit a network's input, the likeliest first.

    Time isn't put where the input states a size while it leaves open where the bands would be: a network for
    as many bands as the rows have of time would fit, and be wrong. Nor is a row alone, without a batch, one
    of the orders where an input may have a batch.
    """
    found = [order for order in layouts(name, len(shape), len(row)) if _surely_fits(order, row, shape)]
    return [order for order in found if ("n" in order) == ("n" in found[0])]


def _surely_fits(layout: str, row: Shape, shape: Shape) -> bool:
    if not fits(layout, row, shape):
        return False
    stated = {sign for sign, size in zip(layout, shape, strict=True) if isinstance(size, int)}
    return "t" not in stated or stated.issuperset("tfc"[: len(row)])


def require_orders(
    name: str, network: object, row: Shape, shape: Shape, remedy: str | None = None
) -> list[str]:
    """Return `orders`.

    Raises:
        ModelError: there is none; `remedy` takes the place of what it says to do.
    """
    found = orders(name, row, shape)
    if found:
        return found
    gives = " x ".join(map(str, row))
    sound = f', such as "{SAMPLES}" for the sound itself' if len(shape) <= len(row) != 1 else ""
    unsure = [order for order in layouts(name, len(shape), len(row)) if fits(order, row, shape)]
    if unsure:
        length = f", or state the order of axes if it takes {row[0]} frames (--layout {unsure[0]})"
    else:
        length = ", or another length (--window, or --option length=... if the preset has that option)"
    remedy = remedy or f"name the preset that it was trained with{sound}{length}"
    raise ModelError(
        f"{network}: expected an input for patches of {gives}, as the preset {name} gives them, got "
        f"{told(shape)}; {remedy}"
    )


def check_order(layout: str, name: str, network: object, row: Shape, shape: Shape) -> None:
    """Raise a ModelError unless rows fit an input in a stated order, as far as the input states its sizes."""
    if fits(layout, row, shape):
        return
    known = [order for order in layouts(name, len(shape), len(row)) if fits(order, row, shape)]
    known = [order for order in known if "n" in order] or known
    remedy = f"it fits by --layout {' or '.join(known[:_MOST_AXES])}" if known else "leave out --layout"
    raise ModelError(
        f"{network}: expected a layout in which patches of {' x '.join(map(str, row))}, as the preset {name} "
        f"gives them, fit an input of {told(shape)}, got {layout!r:.80}; {remedy}"
    )
