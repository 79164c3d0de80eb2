"""The page in a real browser: what it shows of a file and of a microphone is what the pipeline gives."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from devtools import Page, page_of
from helpers import GUITAR, ROOT
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


def choose_file(page: Page, path: Path) -> None:
    """Choose a file as a user does with the button."""
    page.call("DOM.enable")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])


def test_a_file_gets_the_tags_and_events_of_the_pipeline(page: Page, tagger: fa.Pipeline) -> None:
    choose_file(page, GUITAR)
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
    choose_file(page, GUITAR)
    page.until("document.getElementById('state').innerText.includes('of sound')")
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.value("document.querySelector('[data-form=json]').click()")
    path = tmp_path / f"{GUITAR.stem}.json"
    page.until("1", 1)
    for _ in range(100):
        if path.is_file() and path.stat().st_size:
            break
        page.value("new Promise((done) => setTimeout(done, 50))")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["model"] == "musicnn-mtt"
    assert [tag["label"] for tag in found["tags"]] == [label for label, _ in tagger(GUITAR).top(12)]


def test_a_bad_file_is_told(page: Page, tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"no sound at all")
    choose_file(page, tmp_path / "no.wav")
    page.until("document.getElementById('state').classList.contains('bad')")
    assert "no.wav" in page.value("document.getElementById('state').innerText")


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


# Ratios of luminance between each visible text and the ground behind it, as WCAG 2 defines them.
CONTRASTS = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const element of document.querySelectorAll('h1,h2,p,label,button,span,th,td,dt,dd,a,select')) {
    if (!element.innerText?.trim() || !element.checkVisibility() || element.disabled) continue;
    const [a, b] = [light(parts(getComputedStyle(element).color)), light(ground(element))];
    const bar = element.parentElement.querySelector?.(':scope > .bar');
    const behind = bar ? [b, light(parts(getComputedStyle(bar).backgroundColor))] : [b];
    const ratio = Math.min(...behind.map((c) => (Math.max(a, c) + 0.05) / (Math.min(a, c) + 0.05)));
    found[`${element.tagName} ${element.innerText.slice(0, 20)}`] = ratio;
  }
  return found;
})()"""


def test_everything_is_reached_by_the_keyboard(page: Page) -> None:
    page.size(1280, 800)
    page.value("document.activeElement.blur(); window.focus(); document.body.focus()")
    seen = []
    for _ in range(25):
        for kind in ("keyDown", "keyUp"):
            page.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        seen.append(
            page.value(
                "(({ id, dataset, tagName }) => id || dataset.form || tagName)(document.activeElement)"
            )
        )
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
            page.value("document.getElementById('token').value = 'a-token-of-16-letters'")
            page.value("document.querySelector('#access button').click()")
            page.until(READY)
            assert page.value("document.getElementById('model').value") == "levels"
