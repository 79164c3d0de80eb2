"""Drives headless Chromium by its DevTools protocol: what a page does, sends, receives and looks like."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from browser import _FLAGS, chromium_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LIMIT_S = 120.0  # a browser beside much other work starts slowly


class Page:
    """A page of the browser.

    Attributes:
        events: all that the browser told of the page, in order.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._n = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> Any:
        """Call a method and return its result."""
        self._n += 1
        self._socket.send(json.dumps({"id": self._n, "method": method, "params": params}))
        until_s = time.monotonic() + LIMIT_S
        while time.monotonic() < until_s:
            message = json.loads(self._socket.recv(timeout=LIMIT_S))
            if message.get("id") == self._n:
                assert "error" not in message, message["error"]
                return message["result"]
            self.events.append(message)
        raise AssertionError(f"{method}: no answer in {LIMIT_S} s")

    def value(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, which may be a promise."""
        how = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        result = self.call("Runtime.evaluate", expression=expression, **how)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def until(self, expression: str, limit_s: float = LIMIT_S) -> Any:
        """Wait until an expression is true, and return it."""
        until_s = time.monotonic() + limit_s
        while not (value := self.value(expression)):
            if time.monotonic() > until_s:
                state = self.value("document.body.innerText")
                raise AssertionError(f"{expression}: not true in {limit_s} s; the page shows {state}")
            time.sleep(0.1)
        return value

    def size(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Give the page a size, and a scheme of colours."""
        how = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", **how)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what the page looks like as a PNG file."""
        got = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(got["data"]))

    def choose(self, selector: str, path: Path) -> None:
        """Choose a file as a user does with a button."""
        self.call("DOM.enable")
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def tabbed(self, n: int) -> list[str]:
        """Press the Tab key `n` times, and return what had the focus: its id, class or tag."""
        seen = []
        for _ in range(n):
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            seen.append(
                self.value(
                    "(({ id, dataset, className, tagName }) => id || dataset.form || className || tagName)"
                    "(document.activeElement)"
                )
            )
        return seen

    def of(self, method: str) -> list[dict[str, Any]]:
        """Return what the browser told by one kind of event so far."""
        self.value("1")  # so that what came before is read
        return [event["params"] for event in self.events if event["method"] == method]


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


@contextmanager
def page_of(url: str, folder: Path, *flags: str, origins: Sequence[str] = ()) -> Iterator[Page]:
    """Open a page in a browser of its own, whose profile is in `folder`; `origins` get the microphone."""
    from websockets.sync.client import connect

    profile = folder / "profile"
    command = [chromium_or_skip(), *_FLAGS, *flags, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    log = (folder / "chromium.log").open("wb")
    with log, subprocess.Popen([*command, "about:blank"], stdout=log, stderr=log) as process:
        try:
            port = _port(profile / "DevToolsActivePort", process)
            with urlopen(Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")) as answer:
                address = json.load(answer)["webSocketDebuggerUrl"]
            with connect(address, max_size=None, open_timeout=LIMIT_S) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Network", "Log"):
                    page.call(f"{domain}.enable")
                for origin in origins:
                    page.call("Browser.grantPermissions", origin=origin, permissions=["audioCapture"])
                page.call("Page.navigate", url=url)
                page.until("document.readyState === 'complete'")
                yield page
        finally:
            process.kill()


def _port(path: Path, process: subprocess.Popen[bytes]) -> int:
    until_s = time.monotonic() + LIMIT_S
    while time.monotonic() < until_s and process.poll() is None:
        if path.is_file() and (lines := path.read_text(encoding="ascii").splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError("Chromium gave no port for its tools")
