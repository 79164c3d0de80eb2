"""The page's views of an archive in a real browser: searched, played, and labelled by keys."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from devtools import CONTRASTS, Page, page_of
from serving_helpers import Server, levels, serving, sound, until, wav

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = (
    "[...document.querySelectorAll('#results tbody tr')].map((row) => [...row.cells].map((c) => c.innerText))"
)
STATE = "document.getElementById('archive-state').innerText"
REVIEW = "document.getElementById('review-state').innerText"


@pytest.fixture(scope="module")
def searched(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    labels = tmp_path_factory.mktemp("labels") / "labels.csv"
    labels.write_text(
        "path,start_s,end_s,label,when,by\nelsewhere.wav,0,1,owl,,\nelsewhere.wav,1,2,<b>fox</b>,,\n",
        encoding="utf-8",
    )
    folders = (archive / "rows", archive / "scores")
    with serving(levels(), archive=folders, archive_root=archive, labels=labels) as server:
        yield server


@pytest.fixture(scope="module")
def page(searched: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    url = f"http://localhost:{searched.port}/"
    with page_of(url, folder, "--autoplay-policy=no-user-gesture-required") as opened:
        opened.until("!document.getElementById('views').hidden")
        yield opened


def view(page: Page, name: str) -> None:
    page.value("document.activeElement.blur()")  # a key that goes to a field of text labels nothing
    page.value(f"document.querySelector('[data-view={name}]').click()")


def rows(searched: Server) -> list[dict[str, str]]:
    text = searched.application.archive.labels.path.read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def idle(page: Page) -> None:
    """Wait until a key does something: one that comes while a label is on its way does nothing."""
    page.until("document.getElementById('review').ariaBusy !== 'true'")


def press(page: Page, key: str) -> None:
    idle(page)
    how = {"key": key, "text": key, "windowsVirtualKeyCode": ord(key.upper())}
    page.call("Input.dispatchKeyEvent", type="keyDown", **how)
    page.call("Input.dispatchKeyEvent", type="keyUp", **how)


def clock(text: str) -> float:
    minutes, _, seconds = text.partition(":")
    return 60 * int(minutes) + float(seconds)


def told(found: Any) -> list[tuple[str, str]]:
    return [(f"{one['score']:.3f}", one["path"]) for one in found]


def test_a_file_that_is_chosen_finds_what_is_like_it(page: Page, searched: Server, tmp_path: Path) -> None:
    view(page, "archive")
    (tmp_path / "like.wav").write_bytes(wav(sound(2)))
    page.choose("#query", tmp_path / "like.wav")
    page.until(f"{STATE}.includes('found: like like.wav')")
    want = searched.ask("/v1/archive/like?top=50", wav(sound(2))).data["found"]
    got = page.value(ROWS)
    assert [(row[1], row[4]) for row in got] == told(want)
    assert all(abs(clock(row[2]) - one["start_s"]) < 0.06 for row, one in zip(got, want, strict=True))


def test_a_label_finds_where_it_is_highest_and_a_wrong_one_is_told(page: Page, searched: Server) -> None:
    view(page, "archive")
    search = "document.querySelector('#search button').click()"
    page.value(f"document.getElementById('label').value = 'speech'; {search}")
    page.until(f"{STATE}.includes('found: by speech')")
    want = searched.ask("/v1/archive/label?label=speech&top=50").data["found"]
    assert [(row[1], row[4]) for row in page.value(ROWS)] == told(want)
    page.value(f"document.getElementById('label').value = 'spech'; {search}")
    page.until("document.getElementById('archive-state').classList.contains('bad')")
    assert "speech" in page.value(STATE)


def test_what_was_found_is_played_and_leads_on(page: Page) -> None:
    view(page, "archive")
    page.value("document.getElementById('label').value = 'speech'")
    page.value("document.querySelector('#search button').click()")
    page.until(f"{STATE}.includes('found: by speech')")
    page.value("document.querySelector('.play').click()")
    page.until("document.querySelector('tr.heard .play').innerText === 'Stop'")
    page.until("!document.querySelector('tr.heard')")  # at its end
    page.value("document.querySelector('.likes').click()")
    page.until(f"{STATE}.includes('found: like ')")
    assert float(page.value(ROWS)[0][1]) > 0.9


def test_a_stretch_is_saved_as_wav(page: Page, tmp_path: Path) -> None:
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.value("document.querySelector('#results a').click()")
    until(lambda: [path for path in tmp_path.glob("*.wav") if path.stat().st_size])
    assert next(tmp_path.glob("*.wav")).read_bytes().startswith(b"RIFF")


def test_keys_label_take_back_and_skip(page: Page, searched: Server) -> None:
    view(page, "review")
    page.until("!document.getElementById('candidate').hidden")
    page.value("document.getElementById('by').value = 'ann'")
    place = "document.getElementById('place').innerText"
    names = page.value("[...document.querySelectorAll('#names span')].map((one) => one.innerText)")
    assert names == ["owl", "<b>fox</b>", "speech"]
    before, first = len(rows(searched)), page.value(place)
    press(page, "2")
    page.until(f"{place} !== {json.dumps(first)}")
    row = rows(searched)[-1]
    assert (len(rows(searched)), row["label"], row["by"]) == (before + 1, "<b>fox</b>", "ann")
    assert first.startswith(row["path"])
    second = page.value(place)
    press(page, "s")
    page.until(f"{place} !== {json.dumps(second)}")
    press(page, "u")
    page.until(f"{place}.startsWith({json.dumps(first.split('.')[0])})")
    page.until(f"{REVIEW}.startsWith('Took back')")
    assert len(rows(searched)) == before
    press(page, "9")  # has no label
    press(page, "1")
    until(lambda: len(rows(searched)) == before + 1)
    assert rows(searched)[-1]["label"] == "owl"


def test_two_fast_keys_give_one_label_to_a_stretch(page: Page, searched: Server) -> None:
    view(page, "review")
    page.until("!document.getElementById('candidate').hidden")
    idle(page)
    before = len(rows(searched))
    event = "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '1', bubbles: true }))"
    page.value(f"{event}; {event}")
    until(lambda: len(rows(searched)) == before + 1)
    page.value("new Promise((done) => setTimeout(done, 300))")
    assert len(rows(searched)) == before + 1


def test_a_key_that_is_typed_into_a_field_gives_no_label(page: Page, searched: Server) -> None:
    view(page, "review")
    before = len(rows(searched))
    page.value("document.getElementById('name').focus()")
    press(page, "1")
    page.until("document.getElementById('name').value === '1'")
    page.value("document.getElementById('name').value = 'new one'")
    page.value("document.querySelector('#new-name button').click()")
    until(lambda: len(rows(searched)) == before + 1)
    assert rows(searched)[-1]["label"] == "new one"


def test_the_keys_may_be_turned_off(page: Page, searched: Server) -> None:
    view(page, "review")
    before = len(rows(searched))
    page.value("document.getElementById('keys').click()")
    view(page, "review")
    press(page, "1")
    page.value("new Promise((done) => setTimeout(done, 300))")
    assert len(rows(searched)) == before
    page.value("document.getElementById('keys').click()")


def test_the_focus_stays_with_the_names(page: Page, searched: Server) -> None:
    view(page, "review")
    idle(page)
    before = len(rows(searched))
    page.value("document.querySelector('#names button').focus(); document.activeElement.click()")
    until(lambda: len(rows(searched)) == before + 1)
    idle(page)
    assert page.value("document.activeElement.closest('#names') !== null")


def test_what_a_search_found_is_reviewed(page: Page) -> None:
    view(page, "archive")
    page.value("document.getElementById('label').value = 'speech'")
    page.value("document.querySelector('#search button').click()")
    page.until(f"{STATE}.includes('found: by speech')")
    first = page.value(ROWS)[0]
    page.value("document.querySelector('#review-these button').click()")
    page.until("document.getElementById('archive').hidden")
    page.until(f"document.getElementById('place').innerText.startsWith({json.dumps(first[4])})")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", ["archive", "review"])
def test_the_views_fit_their_width_and_their_text_stands_out(
    page: Page, name: str, width: int, dark: bool
) -> None:
    view(page, name)
    page.size(width, 800, dark=dark, phone=width < 500)
    assert page.value("document.documentElement.scrollWidth") <= width
    ratios = page.value(CONTRASTS)
    assert len(ratios) > 10
    assert not {text: ratio for text, ratio in ratios.items() if ratio < 4.5}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("archive", {"query", "label", "per-file", "results-scroll", "play", "A"}),
        ("review", {"least-sure", "excerpt", "play", "skip", "undo", "name", "by", "keys"}),
    ],
)
def test_every_part_of_the_views_is_reached_by_the_keyboard(page: Page, name: str, wanted: set[str]) -> None:
    page.size(1280, 800)
    view(page, name)
    page.value("document.activeElement.blur(); window.focus(); document.body.focus()")
    assert wanted <= set(page.tabbed(40))


def test_the_views_ask_no_other_host_and_say_nothing_on_the_console(page: Page, searched: Server) -> None:
    urls = {params["request"]["url"] for params in page.of("Network.requestWillBeSent")}
    assert not [url for url in urls if not re.match(rf"http://localhost:{searched.port}/|blob:|data:", url)]
    assert any("/v1/archive/sound" in url for url in urls)
    errors = [entry["entry"] for entry in page.of("Log.entryAdded") if entry["entry"]["level"] == "error"]
    assert not [entry for entry in errors if "400" not in entry["text"]]  # of the label that was wrong
    assert not page.of("Runtime.exceptionThrown")


def test_a_server_without_an_archive_shows_no_views(tmp_path: Path) -> None:
    with serving(levels()) as server, page_of(f"http://localhost:{server.port}/", tmp_path) as page:
        page.until("!document.getElementById('listen').disabled")
        assert page.value("document.getElementById('views').hidden")


FAKE = """
window.asked = [];
const made = (i) => ({ id: `made${i}`, path: `made${i}.wav`, start_s: 0, end_s: 1, score: 1 });
window.whole = Array.from({ length: 1203 }, (_, i) => made(i));
window.trueFetch = window.fetch;
window.fetch = async (path, options) => {
  const query = new URL(path, document.baseURI);
  if (query.pathname.endsWith("/sound")) return new Response("", { status: 404 });
  if (!query.pathname.endsWith("/next")) return window.trueFetch(path, options);
  const [top, after] = ["top", "after"].map((name) => Number(query.searchParams.get(name)));
  window.asked.push([top, after]);
  if (top > 500 || window.broken) return new Response("{}", { status: 500 });
  return new Response(JSON.stringify({ found: window.whole.slice(after, after + top) }));
};
"""
SKIP_ALL = """(async () => {
  const heard = new Set();
  for (let i = 0; i < 3000 && !document.getElementById("candidate").hidden; i++) {
    heard.add(document.getElementById("place").innerText.split(",")[0]);
    if (heard.size === WHEN) window.broken = true;
    document.getElementById("skip").click();
    await new Promise((done) => setTimeout(done, 0));
  }
  return heard.size;
})()"""


def test_as_many_as_there_are_may_be_skipped(page: Page) -> None:
    view(page, "review")
    page.until("document.getElementById('excerpt').readyState > 0")
    page.value(FAKE)
    page.value("document.getElementById('least-sure').click()")
    page.until("document.getElementById('place').innerText.startsWith('made0.wav')")
    page.until(f"{REVIEW}.startsWith('made0.wav: ')")  # it has no sound, and the one before isn't left
    assert page.value("document.getElementById('excerpt').readyState") == 0
    assert page.value(SKIP_ALL.replace("WHEN", "0")) == 1203
    assert page.value(f"{REVIEW}.endsWith('nothing is left to hear.')")
    assert page.value("Math.max(...window.asked.map(([top]) => top))") == 500


def test_nothing_is_shown_to_label_once_the_server_fails(page: Page) -> None:
    page.value("window.whole = window.whole.map((one) => ({ ...one, id: `again${one.id}` }))")
    page.value("document.getElementById('least-sure').click()")
    page.until("!document.getElementById('candidate').hidden")
    assert page.value(SKIP_ALL.replace("WHEN", "20")) == 50
    assert page.value("document.getElementById('candidate').hidden")
    assert page.value("document.getElementById('review-state').classList.contains('bad')")
    page.value("window.broken = false; document.getElementById('least-sure').click()")
    page.until("document.getElementById('place').innerText.startsWith('made50.wav')")
    page.value("window.fetch = window.trueFetch; document.getElementById('least-sure').click()")
    page.until("!document.getElementById('place').innerText.startsWith('made')")


def test_what_has_a_label_is_not_asked_for_again(page: Page, searched: Server) -> None:
    view(page, "archive")
    page.value("document.getElementById('label').value = 'speech'")
    page.value("document.querySelector('#search button').click()")
    page.until(f"{STATE}.includes('found: by speech')")
    labelled = {(row["path"], float(row["start_s"])) for row in rows(searched)}
    before = len(rows(searched))
    review = "document.querySelector('#review-these button').click()"
    place = "document.getElementById('place').innerText"
    page.value(review)
    page.until("!document.getElementById('review').hidden && !document.getElementById('candidate').hidden")
    first = page.value(place)
    press(page, "1")
    until(lambda: len(rows(searched)) == before + 1)
    row = rows(searched)[-1]
    assert first.startswith(row["path"])
    assert (row["path"], float(row["start_s"])) not in labelled
    view(page, "archive")
    page.value(review)
    page.until("!document.getElementById('review').hidden")
    page.until(f"{place} !== {json.dumps(first)}")
    press(page, "u")
    until(lambda: len(rows(searched)) == before)
    page.until(f"{place} === {json.dumps(first)}")


def test_the_key_u_takes_back_nothing_of_others(page: Page, searched: Server) -> None:
    view(page, "review")
    page.until("!document.getElementById('candidate').hidden")
    path = searched.application.archive.labels.path
    with path.open("a", encoding="utf-8") as file:
        file.write("hand.wav,0,1,owl,,\n")
    page.value("document.getElementById('by').value = ''")
    none_left = f"{REVIEW}.startsWith('There is no label of this visit')"
    for n in range(2000):  # a busy machine takes one back while several are asked for
        press(page, "u")
        page.value("new Promise((done) => setTimeout(done, 30))")
        if n > 30 and page.value(none_left):
            break
    page.until(none_left)
    assert [row["path"] for row in rows(searched)][-1] == "hand.wav"
    assert [row["path"] for row in rows(searched)][:2] == ["elsewhere.wav"] * 2
