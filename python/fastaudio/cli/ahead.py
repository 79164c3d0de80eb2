"""A command that runs a network begins soon: what it needs is loaded on two cores."""

from __future__ import annotations

import gc
import importlib
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastaudio import _core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.kinds import Judge, Tellers
    from fastaudio.pipeline import Pipeline

_NETWORKS = {"tag", "embed", "listen"}
"""Commands that run a network as soon as they can."""

_OVER_FILES = {"tag", "embed"}
"""These of them run one model over files."""

_HELP = {"-h", "--help"}
_OTHERWISE = ("--mo", "--i", "--th")
"""How options begin that choose a model, where it runs, or how many cores it gets."""

_BLAS = "OPENBLAS_NUM_THREADS"


class Loaded:
    """The default model, loaded before a command asks for it, and what tells kinds beside it.

    What is wrong with it is said by who asks.
    """

    def __init__(self, threads: int, *, kinds: bool) -> None:
        """Note what to load beside the default model: the cores for each file, and whether to tell kinds."""
        self._model = ""
        self._threads = threads
        self._kinds = kinds
        self._pipeline: Pipeline | None = None
        self._judge: Judge | None = None
        self._tellers: Tellers | None = None

    def load(self) -> None:
        """Load it: networks first, since all else waits for NumPy, which another thread imports."""
        from fastaudio import cards  # noqa: PLC0415  # while ONNX Runtime is opened, another thread imports it

        self._model = cards.DEFAULT_MODEL
        card = cards.read_card(self._model)
        node = cards.build(card, threads=self._threads)
        kind = card.data.get("hears") if self._kinds else None
        told = cards.card_that_tells(kind) if isinstance(kind, str) else None
        teller = None if told is None else cards.build(told)
        from fastaudio.kinds import Tellers, judge_of  # noqa: PLC0415
        from fastaudio.pipeline import Pipeline  # noqa: PLC0415

        pipeline = Pipeline(node, card=card.data, **card.how)
        if told is not None and teller is not None:
            self._tellers = Tellers({str(kind): Pipeline(teller, card=told.data, **told.how)})
            self._judge = judge_of(pipeline, ahead=self._tellers)
        self._pipeline = pipeline

    def pipeline(self, model: str, threads: int, **how: Any) -> Pipeline | None:
        """Return the pipeline if it is what `Pipeline.load` would return, and is loaded."""
        plain = all(value is None or value is False for value in how.values())
        return self._pipeline if plain and (model, threads) == (self._model, self._threads) else None

    def tellers(self, model: str) -> Tellers | None:
        """Return what tells kinds for a model, if it is this one."""
        return self._tellers if model == self._model else None

    def judge(self, pipeline: Pipeline) -> Judge | None:
        """Return what tells kinds beside this very pipeline, if it was loaded."""
        return self._judge if pipeline is self._pipeline else None


_loaded: list[Loaded] = []
"""What this program has loaded ahead; at most one."""


def load(model: str, threads: int, **how: Any) -> Pipeline:
    """Return what `Pipeline.load` does; it may be loaded already."""
    from fastaudio.pipeline import Pipeline  # noqa: PLC0415  # not before the libraries are being opened

    found = _loaded[0].pipeline(model, threads, **how) if _loaded else None
    return found or Pipeline.load(model, threads=threads, **how)


def tellers_for(model: str) -> Tellers | None:
    """Return what tells kinds for a model, if it is loaded already."""
    return _loaded[0].tellers(model) if _loaded else None


def judge_beside(pipeline: Pipeline) -> Judge | None:
    """Return what tells kinds beside a pipeline of `load`, if it is loaded already."""
    return _loaded[0].judge(pipeline) if _loaded else None


class Ahead:
    """Loads what a command line needs while its command is imported, which `with` stands around.

    Begins at once, in a thread that opens libraries; see `_libraries`.
    """

    def __init__(self, words: Sequence[str], *, program: bool) -> None:
        """Begin with the words of a command line.

        `program` says that the process does nothing else: what `with` leaves is then there for good, and no
        garbage is looked for in it.
        """
        self._program = program
        self._calm = False
        self._cancel = _core.Cancel()
        self._thread: threading.Thread | None = None
        if program:
            gc.disable()
        if not words or words[0] not in _NETWORKS or _HELP.intersection(words):
            return
        self._calm = program and _BLAS not in os.environ
        if self._calm:
            os.environ[_BLAS] = "1"
        model = _model_of(words) if program else None
        _loaded[:] = [model] if model else []
        self._thread = threading.Thread(
            target=_libraries, args=(model, self._cancel), name="fastaudio-libraries"
        )
        self._thread.start()

    def __enter__(self) -> None:
        """Import NumPy, if this is a program that needs it."""
        if self._program and self._thread is not None:
            try:
                _import_numpy()
            except BaseException:
                self._cancel.cancel()
                self._end()
                raise

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Open libsndfile, and wait for what is being loaded; after an error, end that."""
        try:
            if error is not None:
                self._cancel.cancel()
            elif self._thread is not None:
                _open_libsndfile()
        finally:
            self._end()

    def cancel(self) -> None:
        """End what is being loaded, if nobody will ask for it."""
        self._cancel.cancel()

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.join()  # libraries that are opened read the environment, which mustn't change then
        if self._calm:
            os.environ.pop(_BLAS, None)
        if self._program:
            gc.freeze()
            gc.enable()


def _model_of(words: Sequence[str]) -> Loaded | None:
    """Return the model that a command line asks for, as far as it shows before it is parsed.

    A wrong guess costs time only.
    """
    if words[0] not in _OVER_FILES or any(word.startswith(_OTHERWISE) for word in words):
        return None
    named = [word for word in words[1:] if word == "-" or os.path.exists(word)]  # noqa: PTH110  # may be no path
    alone = len(named) == 1 and not os.path.isdir(named[0])  # noqa: PTH112
    kinds = words[0] == "tag" and "--no-kind" not in words
    return Loaded(os.cpu_count() or 1 if alone else 1, kinds=kinds)


def _libraries(model: Loaded | None, cancel: _core.Cancel) -> None:
    """Open ONNX Runtime, and load a model; what is wrong with them is said by who uses them."""
    with suppress(Exception), _core.Interruptible(cancel):
        _core.onnxruntime_info()
        if model is not None:
            model.load()


def _open_libsndfile() -> None:
    """Open libsndfile, while networks are still being loaded; that there is none is said by who uses it."""
    with suppress(ImportError, OSError):
        importlib.import_module("soundfile")


def _import_numpy() -> None:
    """Import NumPy without the threads of OpenBLAS: these commands multiply no matrices by it.

    At first, each of them spins for 0.1 s, on the cores on which networks are loaded. Programs that a command
    starts get the environment as it was.
    """
    with suppress(ImportError):
        importlib.import_module("numpy")
