# ruff: noqa: INP001  # a program, no package
"""The server of `fastaudio serve` as an ASGI application within a program of your own; see docs/service.md.

    pip install 'fastaudio-toolkit[serve]'
    uvicorn --app-dir examples --timeout-graceful-shutdown 5 service:app
    curl --data-binary @examples/guitar.flac 'localhost:8000/v1/tag?top=3'

Each upload is decoded and run in a process of its own, which can't touch anything, within limits of time and
memory. Starlette and FastAPI mount `app` beside routes of your own: `Mount("/sound", app)`.
"""

from __future__ import annotations

import fastaudio as fa
from fastaudio import serving
from fastaudio.serving.application import Application

SETTINGS = serving.Settings(isolate=True, max_mb=100, max_s=3600, answer_s=120)
PIPELINE = fa.Pipeline.load("musicnn-mtt", threads=1)  # trusted; it never sees an upload in this process

app = Application([PIPELINE], SETTINGS)
