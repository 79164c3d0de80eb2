"""Live streams and processes: a forked child opens its own, a spawned one too."""

from __future__ import annotations

import os

import pytest
from live_helpers import RATE_HZ, features, noise, rows_in_a_stream, run_program

FEATURES = features()
SOUND = noise(RATE_HZ)

FORKED = """
import warnings
warnings.simplefilter("ignore")  # Python's own, about threads and forks
stream = scores().live(16_000)
tap = stream.tap()
threading.Thread(target=lambda: list(stream), daemon=True).start()  # holds its locks most of the time
sound = noise(64_000)
want = rows_of(scores()(sound, sample_rate=16_000)).tobytes()
stream.push(sound)

def child():
    for use in (
        lambda: stream.push(sound), lambda: stream.get(0), lambda: next(stream), lambda: stream.finish(),
        lambda: stream.stats(), lambda: stream.swap(scores()), lambda: stream.ended, lambda: tap.read(),
    ):
        try:
            use()
        except fa.StateError as error:
            assert str(error).endswith("got one from before a fork; open a new one"), error
        else:
            raise AssertionError
    stream.close()
    pool = fa.Pool(2)
    for own in (None, pool):
        assert rows_of(run_live(scores(), [sound], 16_000, pool=own)).tobytes() == want
    left_open = scores().live(16_000)
    left_open.push(sound)
"""
CHILDREN = {
    "os.fork": """
for k in range(5):
    process = os.fork()
    if process == 0:
        child()
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
""",
    "os._exit": """
process = os.fork()
if process == 0:
    child()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
""",
    "multiprocessing": """
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join()
assert process.exitcode == 0
""",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
@pytest.mark.parametrize("way", CHILDREN)
def test_a_forked_child_opens_its_own(way: str) -> None:
    run_program(FORKED + CHILDREN[way] + "stream.push(sound)\nstream.close()\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_forked_child_tags_music_while_its_parent_does() -> None:
    run_program(
        """
        import warnings
        warnings.simplefilter("ignore")
        tagger = fa.Pipeline.load("musicnn-mtt")
        sound = noise(100_000)
        want = tagger(sound, sample_rate=16_000).scores
        def run():
            got = rows_of(run_live(tagger, [sound], 16_000))
            assert np.abs(got - want).max() < 1e-6
        with tagger.live(16_000) as stream, background(feed, stream, [sound] * 3):
            process = os.fork()
            if process == 0:
                run()
                sys.stdout.flush()
                os._exit(0)
            assert len(list(stream)) > 5
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        run()
        """
    )


def test_a_spawned_process_has_streams_of_its_own() -> None:
    import multiprocessing

    with FEATURES.live(RATE_HZ) as stream:
        stream.push(SOUND)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(rows_in_a_stream, (SOUND,)) == FEATURES(SOUND, sample_rate=RATE_HZ).tobytes()
