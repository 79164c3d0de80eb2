"""What is looked for, as a vector."""

from __future__ import annotations

import hashlib
import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import cards
from fastaudio.scanning.networks import Chosen
from fastaudio.searching.store import SearchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.decoding.audio_file import FileLike
    from fastaudio.pipeline import Pipeline


class TooLongError(SearchError):
    """A sound to look for is longer than it may be."""


def chosen_of(about: dict[str, Any], model: str | None = None) -> Chosen:
    """Return what a scan ran.

    Args:
        about: what the scan says of itself.
        model: where the scan's model is now, None for where it was.

    Raises:
        SearchError: the model isn't the scan's.
        ModelError: the model isn't there.
    """
    model = model or about["model"]
    card = json.dumps(cards.read_card(model).data, ensure_ascii=False, sort_keys=True)
    if hashlib.sha256(card.encode()).hexdigest() != about["card_sha256"]:
        raise SearchError(
            f"{model}: expected the model of the scan, got another card; name that model with --model"
        )
    how = {"windows": about["windows"], "half": about["half"], "channel": about["channel"]}
    return Chosen(model, about["layer"] or None, about["hop_s"], **how)


def vector_of(source: FileLike, about: dict[str, Any], model: str | None = None) -> NDArray[np.float32]:
    """Return the mean embedding of a file by the model of a scan, float32 [width].

    Args:
        source: the file.
        about: what the scan says of itself.
        model: where the scan's model is now, None for where it was.

    Raises:
        SearchError: the model isn't the scan's, or the file has too little sound.
        DecodeError: the file can't be read.
        ModelError: the model isn't there.
    """
    return mean_of(chosen_of(about, model).mean(), source)


def mean_of(pipeline: Pipeline, source: FileLike, max_s: float = math.inf) -> NDArray[np.float32]:
    """Return what `vector_of` does, by a scan's pipeline of means; threads may share it.

    Args:
        pipeline: what `chosen_of(about).mean()` gives.
        source: the file.
        max_s: how many seconds of sound it may have.

    Raises:
        TooLongError: it has more.
        SearchError: it has too little.
        DecodeError: it can't be read.
    """
    with pipeline.opened(source) as (file, stream):
        if file.duration_s is not None and file.duration_s > max_s:
            raise TooLongError(f"query: expected at most {max_s:g} s of sound, got more; send less of it")
        for block in file.blocks():
            with file.decode_errors():
                stream.feed(block)
            if stream.duration_s > max_s:
                raise TooLongError(f"query: expected at most {max_s:g} s of sound, got more; send less of it")
        rows = np.asarray(stream.finish(truncated=file.truncated))
    if not len(rows):
        name = source if isinstance(source, str | os.PathLike) else "query"
        raise SearchError(f"{name!s:.200}: expected sound to look for, got none; name another file")
    mean: NDArray[np.float32] = rows.reshape(len(rows), -1).mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
