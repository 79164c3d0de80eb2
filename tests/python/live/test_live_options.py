"""The options and figures of a live stream are declared once: Python's names, help and defaults follow."""

from __future__ import annotations

import inspect
import pickle
import typing
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.live import LiveOptions, LiveStats
from fastaudio.live.options import LiveOptionsDict
from live_helpers import RATE_HZ, drain, features, noise, wait_until

FEATURES = features()
SOUND = noise(RATE_HZ)
OPTIONS = {name for name, member in vars(LiveOptions).items() if isinstance(member, property)}
OWN_DEFAULTS: dict[str, dict[str, Any]] = {
    "live": {},
    "listen": {"overflow": "drop_oldest", "push_timeout_s": None},
}


class Silence:
    """A source that gives nothing."""

    sample_rate, channels, name = RATE_HZ, 1, "silence"

    def start(self, stream: object) -> None: ...

    def stop(self) -> None: ...

    def check(self) -> None: ...


def test_type_checkers_see_the_options_that_are_declared() -> None:
    kinds = typing.get_type_hints(LiveOptionsDict)
    assert set(kinds) == OPTIONS
    for name, kind in kinds.items():
        default = getattr(LiveOptions(), name)
        accepted = typing.get_args(kind) or (kind,)
        assert (
            default in accepted or type(default) in accepted or (default is None and type(None) in accepted)
        )


@pytest.mark.parametrize("method", OWN_DEFAULTS)
@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_help_tells_each_option_and_the_default_that_holds(method: str, option: str) -> None:
    expected = OWN_DEFAULTS[method].get(option, getattr(LiveOptions(), option))
    function = getattr(fa.Pipeline, method)
    assert inspect.signature(function).parameters[option].default == expected
    *_, own = function.__doc__.partition(f"\n    {option}: ")
    text = " ".join(own.partition(" Default: ")[0].split())
    assert text == getattr(LiveOptions, option).__doc__ != ""
    assert own.partition(" Default: ")[2].startswith(f"{expected!r}.")


def test_live_and_listen_share_their_defaults_but_for_the_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("fastaudio.live.stream.LiveStream", lambda *arguments, **_: seen.append(arguments[2]))
    FEATURES.live(RATE_HZ)
    FEATURES.listen(Silence())
    live, listen = ({name: getattr(options, name) for name in OPTIONS} for options in seen)
    assert live == {name: getattr(LiveOptions(), name) for name in OPTIONS}
    assert listen == live | OWN_DEFAULTS["listen"]


@pytest.mark.parametrize("method", OWN_DEFAULTS)
def test_an_unknown_option_is_refused_and_the_nearest_one_named(method: str) -> None:
    first: Any = RATE_HZ if method == "live" else Silence()
    with pytest.raises(
        TypeError, match=r"^Pipeline\.\w+: expected options among .*, got 'bufer_s'; did you mean 'buffer_s'"
    ):
        getattr(FEATURES, method)(first, bufer_s=3)


def test_every_figure_of_the_statistics_is_documented_and_shown() -> None:
    figures = {name for name, member in vars(LiveStats).items() if isinstance(member, property)}
    assert all(getattr(LiveStats, name).__doc__.endswith(".") for name in figures)
    with FEATURES.live(RATE_HZ) as stream:
        shown = repr(stream.stats())
    for name in figures - {"real_time_factor"}:
        assert f"{name}=" in shown


def test_rows_are_the_memory_that_the_worker_wrote() -> None:
    want = FEATURES(SOUND, sample_rate=RATE_HZ)
    with FEATURES.live(RATE_HZ) as stream:
        stream.push(SOUND)
        wait_until(lambda: stream.stats().results_waiting > 0)
        got = drain(stream)
    for frames in got:
        owner = frames.rows
        while isinstance(owner, np.ndarray) and owner.base is not None:
            owner = owner.base
        assert type(owner).__name__ == "LiveResult"
        assert frames.rows.flags.writeable
    assert np.concatenate([frames.rows for frames in got]).tobytes() == want.tobytes()


def test_options_and_figures_pickle_and_compare() -> None:
    options = LiveOptions(buffer_s=3)
    again = pickle.loads(pickle.dumps(options))  # noqa: S301
    assert again == options != LiveOptions()
    with fa.Pipeline(fa.MelSpectrogram()).live(22_050) as stream:
        stats = stream.stats()
    assert pickle.loads(pickle.dumps(stats)) == stats  # noqa: S301
