"""The option --print-completion: a script that completes the command line in bash or zsh.

It is made of the parsers, so that it knows every command, option and choice. It runs no Python: the names of
models are those that are here when it is printed, and those that are fetched later.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING, Any

from fastaudio.cards import models
from fastaudio.registry import entries, home

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SHELLS = ("bash", "zsh")

_MODELS = {"model"}  # arguments that name a model, or a path of one
_COMPLETION = """\
# Completion of fastaudio. Bash: put this into ~/.bashrc, or source it. Zsh: source it after compinit.
{zsh}_fastaudio() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="" words="" i home
    local models={models}
    if [ "$word" = "=" ]; then word=""; fi
    if [ "$before" = "=" ]; then before="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "${{COMP_WORDS[i]}}" in -*) ;; *) command="${{COMP_WORDS[i]}}"; break ;; esac
    done
    COMPREPLY=()
    case "$command $before" in
{values}
    *)
        case "$command:$word" in
{options}
{arguments}
        esac ;;
    esac
    if [ "$words" = nothing ]; then
        compopt +o default +o bashdefault 2>/dev/null
        return
    fi
    if [ "$words" = models ]; then
        compopt -o filenames 2>/dev/null
        home={home}
        words="$models"$'\\n'"$(ls -- "${{FASTAUDIO_HOME:-$home}}/models" 2>/dev/null)"
        words="$words"$'\\n'"$(compgen -f -- "$word")"
    fi
    while IFS= read -r i; do  # compgen -W would run what stands in a name
        case "$i" in "$word"?*) COMPREPLY+=("$i") ;; esac
    done <<< "$words"
}}
complete -o bashdefault -o default -F _fastaudio fastaudio
"""
_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


class PrintCompletion(argparse.Action):
    """Prints the script for a shell, and exits."""

    def __call__(
        self, parser: argparse.ArgumentParser, _namespace: Any, values: Any, _option: Any = None
    ) -> None:
        """Print the script for the shell `values`."""
        sys.stdout.write(script(parser, values))
        sys.stdout.flush()
        parser.exit(0)


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Add the option to the program's parser."""
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        help="print a script that completes words: source <(fastaudio --print-completion bash)",
    )


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that completes a program's commands, options, choices, models and files."""
    commands: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to read a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            commands = dict(action.choices)
    values = list(_cases("", parser))
    options = [("", _options(parser))]
    arguments = [("", list(commands))]
    for name, each in commands.items():
        values += _cases(name, each)
        options.append((name, _options(each)))
        arguments += _argument(name, each)
    return _COMPLETION.format(
        zsh=_ZSH if shell == "zsh" else "",
        models=_lines(models()),
        values="\n".join(f"    {_any(keys)}) words={words} ;;" for keys, words in _grouped(values)),
        options="\n".join(
            f"        {shlex.quote(name)}:-*) words={_lines(words)} ;;" for name, words in options
        ),
        arguments="\n".join(
            f"        {shlex.quote(name)}:*) words={words if isinstance(words, str) else _lines(words)} ;;"
            for name, words in arguments
        ),
        home=shlex.quote(str(home())),
    )


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [word for action in parser._actions for word in action.option_strings if word.startswith("--")]  # noqa: SLF001


def _cases(command: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield the words before a value, and what the value may be; files need no case."""
    for action in parser._actions:  # noqa: SLF001
        if action.option_strings and action.nargs != 0:
            words = _words(action)
            for option in action.option_strings if words else ():
                yield f"{command} {option}", words


def _argument(command: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, Any]]:
    """Yield what the arguments of a command may be; files need no case."""
    for action in parser._actions:  # noqa: SLF001
        if not action.option_strings and (words := _words(action)):
            yield command, words
            return


def _words(action: argparse.Action) -> str:
    """Return what a value may be, in the script's words; empty for files."""
    if action.choices is not None:
        return _lines(map(str, action.choices))
    if action.dest in _MODELS or action.metavar == "MODEL":
        return "models"
    if action.dest == "name":  # of `models` and `get`
        return _lines(dict.fromkeys([*models(), *entries()]))
    metavar = str(action.metavar or "")
    files = ("FILE", "FOLDER", "DIR", "self")
    return "" if any(word in metavar for word in files) else "nothing"


def _grouped(cases: Iterable[tuple[str, str]]) -> list[tuple[list[str], str]]:
    """Return what has the same words together."""
    groups: dict[str, list[str]] = {}
    for key, words in cases:
        groups.setdefault(words, []).append(key)
    return [(keys, words) for words, keys in groups.items()]


def _any(keys: Sequence[str]) -> str:
    return "|".join(map(shlex.quote, keys))


def _lines(words: Iterable[str]) -> str:
    """Return words as one quoted word of the shell, a line each."""
    return shlex.quote("\n".join(words))
