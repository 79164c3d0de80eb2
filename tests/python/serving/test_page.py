"""The page in a real browser: what it shows of a file and of a microphone is what the pipeline gives."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from devtools import CONTRASTS, Page, page_of
from helpers import GUITAR, ROOT, SHARED
from serving_helpers import levels, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import fastaudio as fa
    from serving_helpers import Server

FOLDER = ROOT / "python" / "fastaudio" / "serving" / "page"
READY = "!document.getElementById('listen').disabled"
TEXT = "document.body.innerText"


@pytest.fixture(scope="module")
def page(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Return the page in a browser whose microphone hears the guitar again and again."""
    folder = tmp_path_factory.mktemp("browser")
    samples, rate = soundfile.read(GUITAR, dtype="int16")
    soundfile.write(folder / "heard.wav", samples, rate)
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={folder / 'heard.wav'}",
        "--autoplay-policy=no-user-gesture-required",
    )
    url = f"http://localhost:{server.port}/"
    with page_of(url, folder, *flags, origins=[url]) as opened:
        opened.until(READY)
        yield opened


def shown_tags(page: Page) -> list[tuple[str, str]]:
    found = page.value("[...document.querySelectorAll('#tags li')].map((li) => li.innerText)")
    return [tuple(re.split(r"\n+", text.strip())) for text in found]  # type: ignore[misc]


def test_a_file_gets_the_tags_and_events_of_the_pipeline(page: Page, tagger: fa.Pipeline) -> None:
    page.choose("#file", GUITAR)
    page.until("document.getElementById('state').innerText.includes('of sound')")
    assert shown_tags(page) == [(label, f"{score:.2f}") for label, score in tagger(GUITAR).top(12)]
    drawn = page.value(
        "['wave', 'spectrogram', 'axis'].map((id) => { const c = document.getElementById(id);"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return new Set(new Uint32Array(d.buffer)).size })"
    )
    assert drawn[0] > 1
    assert drawn[1] > 50
    assert drawn[2] > 1
    assert page.value("!document.getElementById('save').hidden")


def test_what_is_saved_is_what_was_found(page: Page, tagger: fa.Pipeline, tmp_path: Path) -> None:
    page.choose("#file", GUITAR)
    page.until("document.getElementById('state').innerText.includes('of sound')")
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.value("document.querySelector('[data-form=json]').click()")
    path = tmp_path / f"{GUITAR.stem}.json"
    page.until("1", 1)
    for _ in range(1200):
        if path.is_file() and path.stat().st_size:
            break
        page.value("new Promise((done) => setTimeout(done, 50))")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["model"] == "musicnn-mtt"
    assert [tag["label"] for tag in found["tags"]] == [label for label, _ in tagger(GUITAR).top(12)]


def test_a_bad_file_is_told(page: Page, tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"no sound at all")
    page.choose("#file", tmp_path / "no.wav")
    page.until("document.getElementById('state').classList.contains('bad')")
    assert "no.wav" in page.value("document.getElementById('state').innerText")
    saved = """(() => {
      let name = "";
      HTMLAnchorElement.prototype.click = function () { name = this.download; };
      document.querySelector("[data-form=json]").click();
      delete HTMLAnchorElement.prototype.click;
      return name;
    })()"""
    assert page.value(saved) == f"{GUITAR.stem}.json"  # what is there is the file's before


def test_the_microphone_gives_the_tags_that_its_samples_give_as_a_file(
    page: Page, tagger: fa.Pipeline
) -> None:
    page.value("document.getElementById('listen').click()")
    page.until("document.querySelectorAll('#tags li').length > 0")
    page.until("parseFloat(document.getElementById('heard').innerText.split(':')[1]) > 4")
    page.value("document.getElementById('listen').click()")
    page.until("document.getElementById('state').innerText === 'Stopped.'")
    sent = [params["response"] for params in page.of("Network.webSocketFrameSent")]
    got = [params["response"] for params in page.of("Network.webSocketFrameReceived")]
    messages = [json.loads(frame["payloadData"]) for frame in got]
    ready, end = messages[0], messages[-1]
    assert (ready["type"], end["type"], end["dropped_s"]) == ("ready", "end", 0)
    pcm = b"".join(base64.b64decode(frame["payloadData"]) for frame in sent if frame["opcode"] == 2)
    samples = np.frombuffer(pcm, "<f4")
    assert np.abs(samples).max() > 0.01, "the microphone heard nothing"
    tags = tagger(samples, sample_rate=ready["rate"])
    windows = [message for message in messages if message["type"] == "window" and not message["provisional"]]
    assert len(windows) == len(tags) > 0
    for window, want in zip(windows, tags, strict=True):
        assert [(tag["label"], np.float32(tag["score"])) for tag in window["tags"]] == want.top(12)


TRACKS = """(() => {
window.tracks = [];
const [devices, given] = [navigator.mediaDevices, navigator.mediaDevices.getUserMedia];
devices.getUserMedia = async (how) => {
  const stream = await given.call(devices, how);
  window.tracks.push(...stream.getTracks());
  return stream;
};
const slowly = AudioContext.prototype.resume;
AudioContext.prototype.resume = async function () {
  await new Promise((done) => setTimeout(done, 1000)); // the server's answer is sooner
  AudioContext.prototype.resume = slowly;
  return slowly.call(this);
};
})()"""
LISTEN = "document.getElementById('listen')"
PAGE_STATE = "document.getElementById('state').innerText"


def test_a_stream_that_the_server_refuses_leaves_the_microphone_off(page: Page) -> None:
    page.value(TRACKS)
    page.value(f"document.getElementById('onset').value = '7'; {LISTEN}.click()")
    page.until("document.getElementById('state').classList.contains('bad')")
    page.until("window.tracks.length && window.tracks.every((track) => track.readyState === 'ended')")
    page.value("new Promise((done) => setTimeout(done, 1500))")
    assert page.value("window.tracks.every((track) => track.readyState === 'ended')")
    assert page.value(f"{LISTEN}.innerText") == "Listen to the microphone"
    page.value(f"document.getElementById('onset').value = '0.5'; {LISTEN}.click()")
    page.until(f"{PAGE_STATE}.startsWith('Listening')")
    page.value(f"{LISTEN}.click()")
    page.until(f"{PAGE_STATE} === 'Stopped.'")


def sent(page: Page) -> int:
    """Return how many files the page has sent."""
    return sum("/v1/tag" in params["request"]["url"] for params in page.of("Network.requestWillBeSent"))


def test_the_same_file_may_be_chosen_again(page: Page) -> None:
    for _ in range(2):
        before = sent(page)
        page.choose("#file", GUITAR)
        for _ in range(1200):
            if sent(page) > before:
                break
            page.value("new Promise((done) => setTimeout(done, 50))")
        page.until(f"{PAGE_STATE}.includes('of sound')")
        assert sent(page) == before + 1


def test_listening_takes_the_place_of_an_upload_and_a_change_begins_it_anew(page: Page) -> None:
    hanging = """
    window.asked = [];
    window.ownFetch ??= window.fetch;
    window.fetch = (path, options) => {
      if (!String(path).includes("v1/tag")) return window.ownFetch(path, options);
      window.asked.push(String(path));
      return new Promise((_, refuse) => {
        options.signal.onabort = () => refuse(new DOMException("", "AbortError"));
      });
    };
    1
    """
    page.value(hanging)
    page.choose("#file", GUITAR)
    page.until("window.asked.length === 1")
    onset = "document.getElementById('onset')"
    page.value(f"{onset}.value = '0.25'; {onset}.dispatchEvent(new Event('change'))")
    page.until("window.asked.length === 2 && window.asked[1].includes('onset=0.25')")
    page.value(f"{LISTEN}.click()")
    page.until(f"{PAGE_STATE}.startsWith('Listening')")
    page.value(f"window.fetch = window.ownFetch; {onset}.value = '0.5'; {LISTEN}.click()")
    page.until(f"{PAGE_STATE} === 'Stopped.'")


def test_two_fast_clicks_start_one_stream(page: Page) -> None:
    opened = len(page.of("Network.webSocketCreated"))
    page.value(
        "window.asked = 0; const devices = navigator.mediaDevices; const own = devices.getUserMedia;"
        "devices.getUserMedia = (how) => (window.asked++, own.call(devices, how)); 1"
    )
    page.value("document.getElementById('listen').click(); document.getElementById('listen').click()")
    page.until("document.getElementById('state').innerText.startsWith('Listening')")
    page.until("document.querySelectorAll('#tags li').length > 0")
    assert len(page.of("Network.webSocketCreated")) == opened + 1
    assert page.value("window.asked") == 1
    page.value("document.getElementById('listen').click(); document.getElementById('listen').click()")
    page.until("document.getElementById('state').innerText === 'Stopped.'")
    assert len(page.of("Network.webSocketCreated")) == opened + 1
    assert page.value("document.getElementById('listen').innerText") == "Listen to the microphone"


def test_sound_that_the_model_doesn_t_hear_is_marked_in_a_file_and_live(page: Page) -> None:
    """The microphone hears the guitar, which is music; the file is speech."""
    clips = sorted((SHARED / "audio" / "clips").glob("*speech*"))
    other = "document.querySelector('#tags').classList.contains('other')"
    if clips:
        page.choose("#file", clips[0])
        page.until("document.getElementById('state').innerText.includes('speech')")
        page.until("document.getElementById('state').innerText.includes('of sound')")
        assert page.value(other)
        assert "not music" in page.value("document.getElementById('when').innerText")
        assert page.value("document.getElementById('other').checkVisibility()")
    page.value("document.getElementById('listen').click()")
    page.until("document.querySelectorAll('#tags li').length > 0")
    assert not page.value(other)
    assert not page.value("document.getElementById('other').checkVisibility()")
    page.value(
        "import('./static/page.js').then(({ heard }) => heard({ type: 'window', start_s: 0, end_s: 3,"
        " silent: false, provisional: true, tags: [{ label: 'a', score: 0.5 }],"
        " kind: { speech: 0.9, music: 0.1 }, fits: false }, new Map()))"
    )
    assert page.value("document.getElementById('when').innerText").endswith("speech 0.90, not music")
    assert page.value(other)
    page.value("document.getElementById('listen').click()")
    page.until("document.getElementById('state').innerText === 'Stopped.'")


def test_the_page_asks_no_other_host_and_says_nothing_on_the_console(page: Page, server: Server) -> None:
    urls = {params["request"]["url"] for params in page.of("Network.requestWillBeSent")}
    urls |= {params["url"] for params in page.of("Network.webSocketCreated")}
    others = [
        url for url in urls if not re.match(rf"(http|ws)://localhost:{server.port}/|blob:|data:|about:", url)
    ]
    assert not others
    assert len(urls) > 5
    errors = [entry["entry"] for entry in page.of("Log.entryAdded") if entry["entry"]["level"] == "error"]
    assert not [entry for entry in errors if "422" not in entry["text"] and "415" not in entry["text"]]
    assert not page.of("Runtime.exceptionThrown")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_its_width_and_its_text_stands_out(page: Page, width: int, dark: bool) -> None:
    page.size(width, 800, dark=dark, phone=width < 500)
    assert page.value("document.documentElement.scrollWidth") <= width
    ratios = page.value(CONTRASTS)
    assert len(ratios) > 10
    low = {name: ratio for name, ratio in ratios.items() if ratio < 4.5}
    assert not low


def test_everything_is_reached_by_the_keyboard(page: Page) -> None:
    page.size(1280, 800)
    page.value("document.activeElement.blur(); window.focus(); document.body.focus()")
    seen = page.tabbed(25)
    assert {"model", "listen", "file", "A"} <= set(seen)


def test_no_module_of_the_page_builds_markup_from_text() -> None:
    for path in FOLDER.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for unsafe in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "http://",
            "https://",
        ):
            assert unsafe not in text.replace("over https only", ""), f"{path.name}: {unsafe}"


def test_a_server_with_a_token_asks_for_it(tmp_path: Path) -> Any:
    with serving(levels(), token="a-token-of-16-letters") as guarded:  # noqa: S106  # no secret
        url = f"http://localhost:{guarded.port}/"
        with page_of(url, tmp_path) as page:
            page.until("!document.getElementById('access').hidden")
            for wrong, said in (("a-tök…en-of-16-letters", "ASCII"), ("another-of-16-letters", "isn't")):
                page.value(f"document.getElementById('token').value = '{wrong}'")
                page.value("document.querySelector('#access button').click()")
                page.until(f"document.getElementById('state').innerText.includes({json.dumps(said)})")
                assert page.value("!document.getElementById('access').hidden")
            page.value("document.getElementById('token').value = 'a-token-of-16-letters'")
            page.value("document.querySelector('#access button').click()")
            page.until(READY)
            assert page.value("document.getElementById('model').value") == "levels"


def test_a_server_that_isolates_files_shows_all_but_the_picture(tmp_path: Path) -> None:
    with (
        serving(levels(), isolate=True) as apart,
        page_of(f"http://localhost:{apart.port}/", tmp_path) as page,
    ):
        page.until(READY)
        page.choose("#file", GUITAR)
        page.until(f"{PAGE_STATE}.includes('of sound')")
        assert page.value("document.getElementById('spectrogram').hidden")
        assert len(shown_tags(page)) == 1
        assert page.value("!document.getElementById('player').hidden")
