"""How many processes run the tests; what they share lies in tests/python/conftest.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run folders on up to four cores; single files in this process, where they start sooner.

    So do paths that aren't there: workers wouldn't say so.
    """
    paths = [Path(argument.partition("::")[0]) for argument in config.args]
    if all(path.is_file() for path in paths) or not all(path.exists() for path in paths):
        return 0
    return min(4, os.cpu_count() or 1)
