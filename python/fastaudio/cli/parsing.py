"""Parsing the command line: guesses at wrong words, the usage of the command that was meant."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from fastaudio._system.text import printable
from fastaudio.cli.terminal import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST = 500


class Parser(argparse.ArgumentParser):
    """A parser of the program or of a command.

    Attributes:
        intermixed: whether options may stand between its files.
    """

    intermixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; what is unknown to a command is an error of that command, not of the program."""
        words = sys.argv[1:] if args is None else list(args)
        if self.intermixed:
            return self._parse_intermixed(words, namespace), []
        namespace, unknown = super().parse_known_args(words, namespace)
        if unknown:
            self._refuse(unknown)
        return namespace, unknown

    def _parse_intermixed(self, words: list[str], namespace: Any) -> Any:
        """Parse options first; what is left are the files, and all that follows `--`."""
        end = words.index("--") if "--" in words else len(words)
        (files,) = self._get_positional_actions()
        kept = files.nargs, files.default, self.usage
        self.color = False  # Python 3.14 would colour the usage twice
        self.usage = self.format_usage().removeprefix("usage: ")  # still with the files
        files.nargs = files.default = argparse.SUPPRESS
        try:
            namespace, names = super().parse_known_args(words[:end], namespace)
        finally:
            files.nargs, files.default, self.usage = kept
        if any(name.startswith("-") and name != "-" for name in names):
            self._refuse(names)
        names += words[end + 1 :]
        if not names:
            self.error(f"the following arguments are required: {files.metavar}")
        setattr(namespace, files.dest, names)
        return namespace

    def error(self, message: str) -> NoReturn:
        """Write the command's usage and a message, and exit with status 2."""
        self.print_usage(sys.stderr)
        if len(message) > _LONGEST:
            message = message[:_LONGEST] + " ..."
        self.exit(2, printable(f"{self.prog}: error: {message}", lines=True) + "\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is None or file is sys.stderr:
            tell(message)  # a full disk changes no exit status
        else:
            file.write(message)  # argparse would ignore that stdout is closed

    def _refuse(self, unknown: Sequence[str]) -> None:
        options = [word.partition("=")[0] for word in unknown if word.startswith("-") and word != "-"]
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
    import difflib  # noqa: PLC0415  # only a wrong word asks for it

    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
