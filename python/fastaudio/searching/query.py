"""What is looked for, as a vector."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import cards
from fastaudio.scanning.networks import Chosen
from fastaudio.searching.store import SearchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.decoding.audio_file import FileLike


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
    chosen = chosen_of(about, model)
    rows = np.asarray(chosen.mean()(source))
    if not len(rows):
        raise SearchError(f"{source!s:.200}: expected sound to look for, got none")
    mean: NDArray[np.float32] = rows.reshape(len(rows), -1).mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
