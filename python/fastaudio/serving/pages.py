"""The web page at `/` and what it loads: files of this package, by names that were listed at the start."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from fastaudio.serving.refusing import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


class Pages:
    """Gives the page's files; a name that isn't in the list is no path, whatever it holds."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """List the files of a folder that have a known type."""
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in _TYPES
        }

    async def index(self, request: Request) -> Response:
        """Answer `GET /`."""
        return self._answer(request, "index.html")

    async def static(self, request: Request) -> Response:
        """Answer `GET /static/NAME`."""
        return self._answer(request, request.path_params["name"])

    def _answer(self, request: Request, name: str) -> Response:
        path = self._files.get(name)
        if path is None:
            raise Refused(404, "not_found", f"path: expected a file of the page, got {name[:60]!r}")
        content = path.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=_TYPES[path.suffix], headers=headers)
