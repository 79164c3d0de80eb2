"""A model, and a server of it and of a cheap one, that the tests here share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from serving_helpers import RATE_HZ, Server, levels, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def tagger() -> fa.Pipeline:
    return fa.Pipeline.load("musicnn-mtt", threads=1)


@pytest.fixture(scope="session")
def server(tagger: fa.Pipeline) -> Iterator[Server]:
    with serving(tagger, levels()) as running:
        yield running


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sounds in `in`, and scans of them: of scores, and of embeddings in `rows`."""
    pytest.importorskip("pyarrow", reason="pyarrow isn't installed; the extra [parquet] has it")
    from fastaudio.scanning.networks import Chosen
    from fastaudio.scanning.scan import scan

    home = tmp_path_factory.mktemp("archive")
    (home / "in").mkdir()
    rng = np.random.default_rng(1)
    for i in range(4):
        samples = rng.normal(0, 0.05 * i + 0.01, 2 * RATE_HZ) * np.hanning(2 * RATE_HZ)
        tone = 0.3 * np.sin(np.arange(2 * RATE_HZ) * 0.02 * 4**i)
        soundfile.write(home / "in" / f"{'a<b>&é'[i:]}{i}.wav", samples + tone, RATE_HZ)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        scan([Path("in")], Path("scores"), chosen=Chosen("silero-vad", windows=True))
        scan([Path("in")], Path("rows"), chosen=Chosen("aisfx", windows=True))
    return home
