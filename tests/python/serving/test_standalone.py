"""The page without a server of ours: a folder of files, and in a real browser the pipeline's numbers."""

from __future__ import annotations

import json
import queue
import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from browser import chromium_or_skip, ort_web_or_skip, served
from cli_helpers import run
from devtools import CONTRASTS, Page, page_of
from fastaudio.serving import standalone
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("onnx")
BOUND = 1e-4  # as the check of an export has it
STATE = "document.getElementById('state').innerText"
RATE_HZ = 44_100


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Return a page that was written, from a host of static files; the microphone hears a guitar."""
    chromium_or_skip()
    home = tmp_path_factory.mktemp("standalone")
    runtime = ort_web_or_skip()
    tagger = fa.Pipeline.load("musicnn-mtt")
    found = standalone.write_page(tagger, home / "site", runtime=runtime, sample_rate=RATE_HZ)
    assert max(one.difference for one in found) < BOUND
    samples, rate = soundfile.read(GUITAR, dtype="int16")
    soundfile.write(home / "heard.wav", samples, rate)
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={home / 'heard.wav'}",
        "--autoplay-policy=no-user-gesture-required",
    )
    with served(home / "site", queue.Queue()) as port:
        url = f"http://127.0.0.1:{port}/"
        with page_of(url, home, *flags, origins=[url]) as opened:
            opened.until("!document.getElementById('listen').disabled")
            opened.port = port  # type: ignore[attr-defined]
            opened.site = home / "site"  # type: ignore[attr-defined]
            yield opened


def numbers(page: Page, what: str) -> Any:
    """Return what the page found, as its own module has it."""
    return page.value(f"import('./static/alone.js').then(({{ last }}) => {what})")


def test_a_file_gets_the_pipeline_s_numbers(page: Page, tagger: fa.Pipeline) -> None:
    page.choose("#file", GUITAR)
    page.until(f"{STATE}.includes('of sound')")
    sound, rate = decode(GUITAR)
    assert rate == RATE_HZ
    want = tagger(GUITAR)
    scores = np.array(numbers(page, "[...last.scores]"), np.float32).reshape(want.scores.shape)
    np.testing.assert_allclose(scores, want.scores, rtol=0, atol=BOUND)
    np.testing.assert_allclose(numbers(page, "[...last.mean]"), want.mean(), rtol=0, atol=BOUND)
    assert numbers(page, "last.samples.length") == len(sound)
    shown = page.value("[...document.querySelectorAll('#tags li span:nth-child(2)')].map((s) => s.innerText)")
    assert shown[:3] == [label for label, _ in want.top(3)]
    drawn = page.value(
        "['wave', 'spectrogram', 'ribbon', 'axis'].map((id) => { const c = document.getElementById(id);"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return new Set(new Uint32Array(d.buffer)).size })"
    )
    assert drawn[1] > 50
    assert min(drawn) > 1


def test_the_microphone_gets_the_pipeline_s_numbers(page: Page, tagger: fa.Pipeline) -> None:
    page.value("document.getElementById('listen').click()")
    enough = f"last.scores.length >= {2 * len(tagger.output_specs[''].labels)}"
    page.until(f"import('./static/alone.js').then(({{ last }}) => {enough})")
    page.value("document.getElementById('listen').click()")
    page.until(f"{STATE} === 'Stopped.'")
    samples = np.array(numbers(page, "last.kept.flatMap((block) => [...block])"), np.float32)
    assert np.abs(samples).max() > 0.01, "the microphone heard nothing"
    want = tagger(samples, sample_rate=tagger.sample_rate).scores
    got = np.array(numbers(page, "last.scores"), np.float32).reshape(-1, want.shape[1])
    assert 2 <= len(got) <= len(want)
    np.testing.assert_allclose(got, want[: len(got)], rtol=0, atol=BOUND)


def test_two_fast_clicks_take_the_microphone_once(page: Page) -> None:
    page.value(
        "window.asked = 0; const devices = navigator.mediaDevices; const own = devices.getUserMedia;"
        "devices.getUserMedia = (how) => (window.asked++, own.call(devices, how)); 1"
    )
    page.value("document.getElementById('listen').click(); document.getElementById('listen').click()")
    page.until(f"{STATE}.startsWith('Listening')")
    assert page.value("window.asked") == 1
    page.value("document.getElementById('listen').click(); document.getElementById('listen').click()")
    page.until(f"{STATE} === 'Stopped.'")
    assert page.value("window.asked") == 1
    assert page.value("document.getElementById('listen').innerText") == "Listen to the microphone"


def test_a_long_picture_has_the_highest_of_several_rows(page: Page) -> None:
    thinned = "import('./static/alone.js').then(({ thinned }) => [...thinned(new Float32Array(%s), 2, %d)])"
    rows = "[1, 2, 5, 0, 3, 9]"
    assert page.value(thinned % (rows, 2)) == [5, 2, 3, 9]
    assert page.value(thinned % (rows, 1)) == [1, 2, 5, 0, 3, 9]


def test_a_bad_file_is_told(page: Page, tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"no sound at all")
    page.choose("#file", tmp_path / "no.wav")
    page.until("document.getElementById('state').classList.contains('bad')")
    assert "no.wav: expected a sound" in page.value(STATE)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_its_width_and_its_text_stands_out(page: Page, width: int, dark: bool) -> None:
    page.size(width, 800, dark=dark, phone=width < 500)
    assert page.value("document.documentElement.scrollWidth") <= width
    ratios = page.value(CONTRASTS)
    assert len(ratios) > 8
    assert not {text: ratio for text, ratio in ratios.items() if ratio < 4.5}


def test_everything_is_reached_by_the_keyboard(page: Page) -> None:
    page.size(1280, 800)
    page.value("document.activeElement.blur(); window.focus(); document.body.focus()")
    assert {"listen", "file", "A"} <= set(page.tabbed(15))


def test_the_page_asks_no_other_host_and_says_nothing_on_the_console(page: Page) -> None:
    urls = {params["request"]["url"] for params in page.of("Network.requestWillBeSent")}
    own = rf"http://127.0.0.1:{page.port}/|blob:|data:"  # type: ignore[attr-defined]
    assert not [url for url in urls if not re.match(own, url)]
    assert any(url.endswith("live.onnx") for url in urls)
    errors = [entry["entry"] for entry in page.of("Log.entryAdded") if entry["entry"]["level"] == "error"]
    assert not errors
    assert not page.of("Runtime.exceptionThrown")


def test_a_graph_of_another_model_is_refused(page: Page) -> None:
    """The host has the graph of one page and about.json of another."""
    about = page.site / "about.json"  # type: ignore[attr-defined]
    whole = about.read_text(encoding="utf-8")
    try:
        labels = json.loads(whole)["labels"]
        about.write_text(json.dumps(json.loads(whole) | {"labels": labels[::-1]}), encoding="utf-8")
        page.value("location.reload()")
        page.until("document.getElementById('state')?.classList.contains('bad')")
        assert "expected the labels of about.json, got another model's" in page.value(STATE)
        assert page.value("document.getElementById('listen').disabled")
        assert page.value("document.getElementById('file').disabled")
    finally:
        about.write_text(whole, encoding="utf-8")


# What needs no browser.


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """Return a folder that looks like onnxruntime-web's."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for name in standalone.RUNTIME:
        (folder / name).write_bytes(b"x")
    return folder


def test_one_command_writes_all_that_a_host_needs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "export", "silero-vad", "--page", "site", "--runtime", runtime)
    assert status == 0, err
    assert "compared with the pipeline\n  largest difference " in out
    index = (site / "index.html").read_text(encoding="utf-8")
    named = [*re.findall(r'(?:href|src)="([^"]+)"', index), "tags.onnx", "live.onnx", "about.json"]
    for path in (site / "static").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        named += [f"static/{name}" for name in re.findall(r'from "(\.{1,2}/[^"]+)"', text)]
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "http://", "https://"):
            assert unsafe not in text.replace("over https only", ""), f"{path.name}: {unsafe}"
    assert [name for name in named if not (site / name).is_file()] == []
    about = json.loads((site / "about.json").read_text(encoding="utf-8"))
    assert (about["labels"], about["live"], about["sample_rate"]) == (["speech"], True, 16_000)
    licences = (site / "LICENSES.txt").read_text(encoding="utf-8")
    assert "MIT License" in licences
    status, _, err = run(capsys, "export", "silero-vad", "--page", site, "--runtime", runtime, "--no-check")
    assert status == 0, err  # a page is replaced


def test_a_model_that_can_t_run_in_blocks_has_no_live_graph(tmp_path: Path, runtime: Path) -> None:
    level = fa.RMS(sample_rate=16_000, frame_length=8000, hop_length=8000)
    pipeline = fa.Pipeline(level >> fa.Delta() >> fa.Sigmoid() >> fa.Tags(["loud"]), silence_db=None)
    standalone.write_page(pipeline, tmp_path / "site", runtime=runtime, check=False)
    about = json.loads((tmp_path / "site" / "about.json").read_text(encoding="utf-8"))
    assert (about["live"], (tmp_path / "site" / "live.onnx").exists()) == (False, False)
    assert about["why_not_live"]


def test_another_s_folder_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, runtime: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("mine")
    how = ("--runtime", runtime, "--no-check")
    status, _, err = run(capsys, "export", "silero-vad", "--page", tmp_path / "mine", *how)
    assert status == 2
    assert "--force" in err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["index.html"]
    status, _, err = run(capsys, "export", "silero-vad", "--page", tmp_path / "mine" / "index.html", *how)
    assert status == 2
    assert "got a file" in err
    status, _, err = run(capsys, "export", "silero-vad", "--page", tmp_path / "mine", *how, "--force")
    assert status == 0, err


def test_what_isn_t_there_or_doesn_t_fit_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, runtime: Path
) -> None:
    page = ("export", "silero-vad", "--page", tmp_path / "site")
    status, _, err = run(capsys, *page, "--runtime", tmp_path)
    assert status == 2
    assert "npm install onnxruntime-web" in err
    assert not (tmp_path / "site").exists()
    status, _, err = run(capsys, *page, "--runtime", runtime, "--streaming")
    assert "no --streaming with --page" in err
    status, _, err = run(capsys, "export", "silero-vad", "-o", tmp_path / "a.onnx", "--runtime", runtime)
    assert "add --page" in err
    status, _, err = run(capsys, "export", "aisfx", "--page", tmp_path / "site", "--runtime", runtime)
    assert status != 0
    assert "tags over time" in err


def test_a_page_that_is_not_finished_leaves_the_old_one(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page_of_label(label: str) -> None:
        level = fa.RMS(sample_rate=16_000, frame_length=8000, hop_length=8000)
        pipeline = fa.Pipeline(level >> fa.Sigmoid() >> fa.Tags([label]), silence_db=None)
        standalone.write_page(pipeline, tmp_path / "site", runtime=runtime, check=False)

    def files() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in (tmp_path / "site").rglob("*") if path.is_file()}

    def fail(*_: object) -> str:
        raise RuntimeError("killed")

    page_of_label("old")
    old = files()
    for name in ("_about", "_licences"):
        with monkeypatch.context() as patch:
            patch.setattr(standalone, name, fail)
            with pytest.raises(RuntimeError, match="killed"):
                page_of_label("new")
        assert files() == old
    page_of_label("new")
    new = files()
    assert new.keys() == old.keys()
    assert json.loads(new[str(tmp_path / "site" / "about.json")])["labels"] == ["new"]
    tags = str(tmp_path / "site" / "tags.onnx")
    assert new[tags] != old[tags]
