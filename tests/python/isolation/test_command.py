"""The command line's --isolate changes nothing in what it writes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fastaudio.cli import main
from helpers import GUITAR

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="isolation needs Linux or macOS")


@pytest.mark.parametrize("more", [["--hop", "1"], ["--json", "--events", "--onset", "0.1"]])
def test_tag_writes_the_same_and_names_the_bad_file(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    written = []
    for isolate in ([], ["--isolate"]):
        status = main(["tag", "--quiet", *more, *isolate, str(GUITAR), "missing.wav"])
        written.append((status, *capsys.readouterr()))
    assert written[0] == written[1]
    assert written[0][0] == 1


def test_embed_writes_the_same_rows(tmp_path: Path) -> None:
    arrays = []
    for name, isolate in (("here.npz", []), ("apart.npz", ["--isolate"])):
        path = str(tmp_path / name)
        assert main(["embed", "--quiet", "--mean", "--l2", *isolate, str(GUITAR), "--output", path]) == 0
        with np.load(path) as found:
            arrays.append({key: found[key] for key in found.files})
    for key, value in arrays[0].items():
        assert np.array_equal(value, arrays[1][key]), key
