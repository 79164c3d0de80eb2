"""Parsing the command line: guesses at wrong words, the usage of the command that was meant."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from fastaudio.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST = 500


class Parser(argparse.ArgumentParser):
    """A parser of the program or of a command.

    Attributes:
        intermixed: whether options may stand between its files.
    """

    intermixed = False
    _nested = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; what is unknown to a command is an error of that command, not of the program."""
        if self._nested:  # the second pass over intermixed arguments
            return super().parse_known_args(args, namespace)
        self._nested = True
        try:
            parse = self.parse_known_intermixed_args if self.intermixed else super().parse_known_args
            namespace, unknown = parse(args, namespace)
        finally:
            self._nested = False
        if unknown:
            self._refuse(unknown)
        return namespace, unknown

    def error(self, message: str) -> NoReturn:
        """Write the command's usage and a message, and exit with status 2."""
        self.print_usage(sys.stderr)
        if len(message) > _LONGEST:
            message = message[:_LONGEST] + " ..."
        self.exit(2, printable(f"{self.prog}: error: {message}", lines=True) + "\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(message)  # argparse would ignore that stdout is closed

    def _refuse(self, unknown: Sequence[str]) -> None:
        options = [word.partition("=")[0] for word in unknown if word.startswith("-")]
        if not options:
            self.error(f"expected no further argument, got {' '.join(unknown)}")
        known = [option for option in self._option_string_actions if option.startswith("--")]
        guess = guessed(options[0], known)
        self.error(f"expected an option that it has, got {options[0]}{guess or '; --help lists them'}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        message = f"expected one of {', '.join(known)}, got {value!r}{guessed(str(value), known)}"
        raise argparse.ArgumentError(action, message)


def guessed(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the word that is most alike, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
