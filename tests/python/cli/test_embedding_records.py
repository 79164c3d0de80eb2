"""What an unfinished run kept is merged only if the model can have given it; else the file is run again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio._system.arrays import ArraysError
from fastaudio.cli.embedding_files import Clip, packed, unpacked
from fastaudio.cli.unfinished import unfinished
from fastaudio.running.times import row_times
from packed_models import MEL

if TYPE_CHECKING:
    from pathlib import Path

    from fastaudio.cli.unfinished import Part

(SPEC,) = fa.Pipeline(MEL).output_specs.values()
N_ROWS = round(SPEC.rate_hz)
GOOD = Clip("a", np.ones((N_ROWS, 3), np.float32), row_times(SPEC, N_ROWS, 1.0), 1.0, truncated=False)
MANY = 300_000
WRONG = {
    "no archive": b"no archive",
    "more rows than sound": packed(
        replace(GOOD, rows=np.ones((MANY, 3), np.float32), times=row_times(SPEC, MANY, 1.0))
    ),
    "another width": packed(replace(GOOD, rows=np.ones((N_ROWS, 4), np.float32))),
    "other times": packed(replace(GOOD, times=GOOD.times + 1)),
    "no numbers": packed(replace(GOOD, rows=np.full((N_ROWS, 3), np.nan, np.float32))),
    "complex": packed(replace(GOOD, rows=np.ones((N_ROWS, 3), np.complex64))),
    "endless": packed(replace(GOOD, duration_s=np.inf)),
}


def test_a_record_gives_back_the_clip() -> None:
    assert np.array_equal(unpacked("a", packed(GOOD), SPEC).rows, GOOD.rows)


@pytest.mark.parametrize("name", WRONG)
def test_any_other_record_is_told_of_and_run_again(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ArraysError):
        unpacked("a", WRONG[name], SPEC)
    sound, out = tmp_path / "a.wav", str(tmp_path / "out.npz")
    sound.write_bytes(b"sound")

    def check(path: str, part: Part) -> object:
        return unpacked(path, part.read(), SPEC)

    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        unfinished(out, {}, [str(sound)], force=False, resume=False) as run,
    ):
        run.add(str(sound), WRONG[name])
        raise KeyboardInterrupt
    with unfinished(out, {}, [str(sound)], force=False, resume=True, check=check) as run:
        assert not run.has(str(sound))
    assert "it is done again" in capsys.readouterr().err
