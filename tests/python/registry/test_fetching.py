"""Whatever a server does, a model is here whole and as its hash says, or not at all, and words say why."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from fastaudio.registry import FetchError, asking, transfer
from fastaudio.registry import answer as answers
from fastaudio.registry.getting import fetch
from hostile_server import answer, chunked, drip, hang_up, nonsense, serving, unsized, whole
from registry_helpers import CONTENT, OTHER, got, parts, refused, toy

if TYPE_CHECKING:
    from pathlib import Path

    from hostile_server import Act, Server


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize(
    "act", [whole(CONTENT), unsized(CONTENT), chunked(CONTENT)], ids=["sized", "unsized", "chunked"]
)
def test_a_whole_file_is_here_with_its_card(server: Server, home: Path, act: Act, sized: bool) -> None:
    server.acts = [act]
    shown: list[tuple[int, int | None]] = []
    card = fetch(toy(server.url, sized=sized), lambda done, total: shown.append((done, total)))
    assert card == home / "toy" / "card.json"
    assert got(home)
    assert shown[-1][0] == len(CONTENT)
    assert (home / "toy" / "net.onnx").stat().st_mode == card.stat().st_mode


def test_what_is_here_is_not_fetched_again(server: Server, home: Path) -> None:
    server.acts = [whole(CONTENT)]
    fetch(toy(server.url))
    fetch(toy(server.url))
    assert len(server.seen) == 1
    (home / "toy" / "net.onnx").write_bytes(b"damaged")
    fetch(toy(server.url))
    assert len(server.seen) == 2
    assert got(home)


def test_a_cut_connection_is_taken_up_where_it_ended(server: Server, home: Path) -> None:
    server.acts = [whole(CONTENT, n_sent=100_000), whole(CONTENT, n_sent=50_000), hang_up, whole(CONTENT)]
    fetch(toy(server.url))
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-", "bytes=150000-"]
    assert got(home)


def test_the_next_run_goes_on_from_what_came(server: Server, home: Path) -> None:
    server.acts = [whole(CONTENT, n_sent=100_000), hang_up]
    text = refused(server, home, match="got no connection")
    assert "after 100,000 bytes; run it again to go on from there" in text
    assert parts(home) == [100_000]
    server.acts = [whole(CONTENT)]
    server.seen.clear()
    fetch(toy(server.url))
    assert server.ranges == ["bytes=100000-"]
    assert got(home)


def test_a_server_without_ranges_begins_anew(server: Server, home: Path) -> None:
    server.acts = [whole(CONTENT, n_sent=100_000), whole(CONTENT, ranges=False)]
    fetch(toy(server.url))
    assert got(home)


WRONG_PARTS = {
    "another place": {"Content_Range": "bytes 0-299999/300000"},
    "another length": {"Content_Range": "bytes 100000-299999/300000", "Content_Length": "5"},
    "no place": {},
    "backwards": {"Content_Range": "bytes 100000-5/300000"},
    "words": {"Content_Range": "bytes one-two/three"},
    "a long number": {"Content_Range": f"bytes 100000-{'9' * 5000}/*"},
    "a long total": {"Content_Range": f"bytes 100000-299999/{'9' * 5000}"},
}


@pytest.mark.parametrize("case", WRONG_PARTS)
def test_a_part_that_was_not_asked_for_is_not_kept(server: Server, home: Path, case: str) -> None:
    wrong = answer(206, OTHER[:200_000], **WRONG_PARTS[case])
    server.acts = [whole(CONTENT, n_sent=100_000), wrong, whole(CONTENT)]
    fetch(toy(server.url))
    assert server.ranges == [None, "bytes=100000-", None]
    assert got(home)


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: Server, home: Path) -> None:
    server.acts = [whole(OTHER, n_sent=100_000), whole(CONTENT)]
    fetch(toy(server.url))
    assert server.ranges == [None, "bytes=100000-", None]
    assert got(home)


def test_a_range_that_is_refused_begins_anew(server: Server, home: Path) -> None:
    server.acts = [whole(CONTENT, n_sent=100_000), answer(416), whole(CONTENT)]
    fetch(toy(server.url))
    assert got(home)


@pytest.mark.parametrize("sized", [True, False])
def test_another_file_is_refused_and_not_kept(server: Server, home: Path, sized: bool) -> None:
    server.acts = [whole(OTHER)]
    refused(server, home, match="expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}; it is another", sized=sized)
    assert sum(parts(home)) == 0
    (home / "toy").mkdir(parents=True)
    (home / "toy" / "net.onnx").write_bytes(b"an older one")
    with pytest.raises(FetchError):
        fetch(toy(server.url, sized=sized))
    assert (home / "toy" / "net.onnx").read_bytes() == b"an older one"


@pytest.mark.parametrize("length", [299_999, 300_001, 10**15])
def test_a_stated_size_that_differs_is_refused_before_a_byte_is_kept(
    server: Server, home: Path, length: int
) -> None:
    server.acts = [whole(CONTENT, length=length)]
    refused(server, home, match=f"expected 300,000 bytes, got {length:,}: it isn't the file")
    assert sum(parts(home)) == 0


@pytest.mark.parametrize("make", [unsized, chunked])
def test_no_more_bytes_are_kept_than_were_stated(server: Server, home: Path, make: Any) -> None:
    server.acts = [make(CONTENT + b"x" * 10_000_000)]
    refused(server, home, match="expected 300,000 bytes, got [0-9,]+ or more")
    assert sum(parts(home)) == 0


def test_a_file_of_unknown_size_has_a_limit(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "LARGEST", 200_000)
    server.acts = [unsized(CONTENT)]
    refused(server, home, match="expected at most 200,000 bytes", sized=False)
    server.acts = [whole(CONTENT)]
    refused(server, home, match="expected at most 200,000 bytes, got 300,000", sized=False)


@pytest.mark.parametrize(
    "act",
    [
        whole(CONTENT, n_sent=0),
        unsized(CONTENT[:9]),
        chunked(CONTENT[:9]),
        chunked(CONTENT[:9], ended=False),
        hang_up,
    ],
    ids=["empty", "unsized", "chunked", "cut chunk", "silent"],
)
def test_a_file_that_never_comes_whole_is_given_up(server: Server, home: Path, act: Act) -> None:
    server.acts = [act]
    refused(server, home, match="expected the whole file, got")
    assert 4 <= len(server.seen) <= 5


def test_what_is_no_http_is_given_up(server: Server, home: Path) -> None:
    server.acts = [nonsense]
    refused(server, home, match="got")


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 429, 500, 503, 204, 206, 304])
def test_a_refusal_of_the_server_is_named(server: Server, home: Path, status: int) -> None:
    body = b"" if status in {204, 304} else b"<html>not the file</html>"
    server.acts = [answer(status, body)]
    refused(server, home, match=f"status {status}: [a-z]" if status != 301 else "redirect")
    assert not list(home.iterdir())  # neither a part without a byte nor a folder for it


def test_an_encoded_file_is_refused(server: Server, home: Path) -> None:
    server.acts = [answer(200, CONTENT, Content_Encoding="gzip")]
    refused(server, home, match="got it encoded")


def test_redirects_are_followed_on_this_machine(server: Server, home: Path) -> None:
    with serving() as other:
        other.acts = [whole(CONTENT, n_sent=100_000), whole(CONTENT)]
        server.acts = [answer(302, Location=other.url)]
        fetch(toy(server.url))
        assert other.ranges == [None, "bytes=100000-"]
    assert got(home)


@pytest.mark.parametrize(
    "target",
    [
        *("file:///etc/passwd", "http://a.example/net.onnx", "ftp://127.0.0.1/net.onnx", "data:,x", ""),
        *(
            "http://127.0.0.1@a.example/",
            "https://me:secret@a.example/",
            "//a.example/x",
            "http://[/",
            "//[::1/net.onnx",
        ),
    ],
)
def test_a_redirect_to_elsewhere_is_refused(server: Server, home: Path, target: str) -> None:
    server.acts = [answer(302, Location=target)]
    text = refused(server, home, match="redirect|can be read")
    assert "secret" not in text
    assert len(server.seen) == 1


def test_redirects_without_end_are_refused(server: Server, home: Path) -> None:
    server.acts = [answer(307, Location="/again")]
    refused(server, home, match="expected at most 10 redirects, got more")
    assert len(server.seen) == 11


@pytest.mark.usefixtures("home")
def test_a_key_in_an_address_is_in_no_message_and_no_card(server: Server) -> None:
    server.acts = [answer(404)]
    with pytest.raises(FetchError) as caught:
        fetch(toy(server.url + "?key=secret#part"))
    server.acts = [whole(CONTENT)]
    card = fetch(toy(server.url + "?key=secret#part"))
    assert "secret" not in str(caught.value) + card.read_text(encoding="utf-8")


def test_a_server_that_drips_is_given_up(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_SLOW_S", 0.2)
    monkeypatch.setattr(transfer, "_TRIES", 2)
    stop = threading.Event()
    server.acts = [drip(CONTENT, step_s=0.01, stop=stop)]
    try:
        refused(server, home, match="got less than 64 KiB in 0.2 s after [0-9]+ bytes")
    finally:
        stop.set()
    assert parts(home)[0] > 0


def test_a_server_that_falls_silent_is_given_up(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SILENT_S", 0.2)
    monkeypatch.setattr(transfer, "_TRIES", 1)
    stop = threading.Event()
    server.acts = [drip(CONTENT, step_s=30, stop=stop)]
    refused(server, home, match="got nothing for 0.2 s")
    monkeypatch.setattr(asking, "SILENT_S", 0.2)
    server.acts = [lambda _: stop.wait(60)]
    refused(server, home, match="got no answer in time")
    stop.set()


@pytest.mark.usefixtures("server")
def test_a_server_that_is_not_there_is_named(home: Path) -> None:
    with serving() as gone:
        url = gone.url
    with pytest.raises(FetchError, match=r"expected the whole file, got no connection .*; try again later"):
        fetch(toy(url))
    assert sum(parts(home)) == 0


def test_a_connection_that_is_not_encrypted_is_no_https(server: Server, home: Path) -> None:
    with pytest.raises(
        FetchError, match=r"expected an encrypted connection with a certificate that is trusted, got: "
    ):
        fetch(toy(server.url.replace("http:", "https:")))
    assert sum(parts(home)) == 0


def test_a_proxy_of_the_environment_is_used(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.url.removesuffix("/net.onnx"))
    server.acts = [answer(407)]
    with pytest.raises(FetchError, match=r"got no connection through the proxy"):
        fetch(toy("https://a.example/net.onnx"))
    assert [path for path, _, _ in server.seen] == ["a.example:443"] * len(server.seen)
    assert server.seen
    assert sum(parts(home)) == 0


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_is_on_this_machine_is_fetched_without_a_proxy(
    name: str, host: str, server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url.replace("127.0.0.1", host)
    with serving() as proxy:
        monkeypatch.setenv(name, proxy.url.removesuffix("/net.onnx"))
        server.acts = [answer(302, Location=url), whole(CONTENT)]
        fetch(toy(url))
        assert proxy.seen == []
    assert len(server.seen) == 2
    assert got(home)
