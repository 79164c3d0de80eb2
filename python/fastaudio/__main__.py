"""Runs the command line for `python -m fastaudio`."""

from fastaudio.cli import program

program()
