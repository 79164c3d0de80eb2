"""Runs the command line for `python -m fastaudio`."""

import sys

from fastaudio.cli import main

sys.exit(main())
