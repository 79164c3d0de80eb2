"""The interface, described: as OpenAPI for programs, and as a plain page for people."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from fastaudio._core import __version__
from fastaudio.live.sources import ENCODINGS
from fastaudio.serving import live
from fastaudio.serving.uploads import CHANNELS, HOP_S, KNOWN, MOST_TOP, RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATUSES = {
    400: "a parameter, a form or a message that is wrong",
    401: "no token, or a wrong one",
    403: "a Host or an Origin that isn't this server's",
    404: "no such path, or no such model",
    405: "another method",
    408: "the upload comes too slowly",
    413: "too many bytes, or too much sound",
    415: "no sound",
    422: "sound that can't be run within the limits",
    429: "too many at once; Retry-After says when to come back",
    503: "no room, or the server is stopping",
    504: "not done in time",
    507: "the disk is full",
}


def _parameters(names: Sequence[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what each parameter of a query means, and its JSON schema."""
    flag = {"type": "integer", "enum": [0, 1], "default": 0}
    rate = {"type": "integer", "minimum": RATE[0], "maximum": RATE[1]}
    channels = {"type": "integer", "minimum": CHANNELS[0], "maximum": CHANNELS[1], "default": 1}
    return {
        "model": ("the model", {"type": "string", "enum": list(names), "default": names[0]}),
        "hop_s": (
            "step between windows, in seconds",
            {"type": "number", "minimum": HOP_S[0], "maximum": HOP_S[1]},
        ),
        "top": ("how many tags", {"type": "integer", "minimum": 1, "maximum": MOST_TOP, "default": 5}),
        "min_score": ("leave out tags with lower scores, and events with lower peaks", {"type": "number"}),
        "events": ("whether to give events, with their beginning and end", flag),
        "onset": (
            "score at which an event begins; implies events. By default the model's own thresholds, or 0.5",
            {"type": "number", "minimum": 0, "maximum": 1},
        ),
        "format": (
            "JSON, or the events as a label track for Audacity or a selection table for Raven",
            {"type": "string", "enum": ["json", "audacity", "raven"], "default": "json"},
        ),
        "windows": ("whether to give all scores of each window", flag),
        "spectrogram": ("whether to give a small mel-spectrogram", flag),
        "kind": (
            "whether to say what kind of sound it is, if the model hears one kind",
            flag | {"default": 1},
        ),
        "pcm": (
            "the body is raw samples of this type, interleaved",
            {"type": "string", "enum": list(ENCODINGS)},
        ),
        "rate": ("rate of raw samples, in Hz", rate),
        "channels": ("channels of raw samples", channels),
        "name": ("what a table for Raven calls the file", {"type": "string", "maxLength": 200}),
        "provisional_s": ("a first, early result after that many seconds", {"type": "number", "minimum": 0}),
        "overflow": (
            "what happens when sound comes too fast: the server takes no more of it, or drops the oldest",
            {"type": "string", "enum": ["block", "drop_oldest"], "default": "block"},
        ),
    }


MOST_FOUND = 500
"""Stretches of an archive in an answer."""

_LIVE_TEXT = (
    'A WebSocket. Binary messages are samples, cut anywhere; the text "end" ends the sound. The server sends '
    "JSON: ready, window, event, mel, level, stats, error, end."
)


def openapi(names: Sequence[str], *, archive: bool = False) -> dict[str, Any]:
    """Return the interface as OpenAPI 3.1; `names` are the models'.

    With `archive`, it has the paths that search and label one.
    """
    known = _parameters(names)
    streamed = known | {
        "format": ("type of a sample", {"type": "string", "enum": ["f32le", "s16le"], "default": "f32le"})
    }
    body = {"content": {"application/octet-stream": {}, "multipart/form-data": {}}, "required": True}
    json_of = {"application/json": {"schema": {"type": "object"}}}
    errors = {str(status): {"description": text, "content": _error()} for status, text in _STATUSES.items()}
    tag = {
        "summary": "Tag a sound file, or raw samples",
        "parameters": [_parameter(name, *known[name]) for name in KNOWN],
        "requestBody": body,
        "responses": {
            "200": {"description": "tags, and what else was asked for", "content": json_of},
            **errors,
        },
    }
    stream = {
        "summary": "Tag live sound",
        "description": _LIVE_TEXT,
        "parameters": [_parameter(name, *streamed[name], required=name == "rate") for name in live.KNOWN],
        "responses": {
            "101": {"description": "the WebSocket is open"},
            "401": errors["401"],
            "403": errors["403"],
        },
    }
    plain = {
        "/v1/models": "The models that are served",
        "/healthz": "Whether the server runs",
        "/metrics": "Counts and times, as Prometheus reads them",
        "/openapi.json": "This description",
    }
    paths = {
        path: {"get": {"summary": text, "responses": {"200": {"description": "it"}}}}
        for path, text in plain.items()
    }
    searched = _archive(errors, body)
    if not archive:
        searched = {"/v1/archive": searched["/v1/archive"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "fastaudio", "version": __version__},
        "paths": {"/v1/tag": {"post": tag}, "/v1/live": {"get": stream}, **searched, **paths},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _archive(errors: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Return the paths of an archive. `id` names a stretch that an answer has told of before."""
    flag = {"type": "integer", "enum": [0, 1], "default": 0}
    text = {"type": "string", "maxLength": 200}
    known: dict[str, tuple[str, dict[str, Any]]] = {
        "id": ("a stretch of an answer before", text),
        "label": ("a label of the scan's model", text),
        "top": ("how many", {"type": "integer", "minimum": 1, "maximum": MOST_FOUND, "default": 20}),
        "per_file": ("whether to give the best of each file only", flag),
        "new": ("whether to leave out what has a label", flag),
        "after": ("how many to leave out first", {"type": "integer", "minimum": 0, "default": 0}),
    }
    json_of = {"application/json": {"schema": {"type": "object"}}}

    def path(summary: str, *names: str, needs: str = "", **more: Any) -> dict[str, Any]:
        parameters = [_parameter(name, *known[name], required=name == needs) for name in names]
        answers = {"200": {"description": "it"}} | {str(at): errors[str(at)] for at in (400, 404, 429, 504)}
        return {"summary": summary, "parameters": parameters, "responses": answers} | more

    def told(*names: str) -> dict[str, Any]:
        schema = {"type": "object", "properties": dict.fromkeys(names, text)}
        return {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": True}}

    like = path("Stretches like the body's sound, or like one of them", "id", "top", "per_file", "new")
    like["requestBody"] = body | {"required": False}
    like["responses"]["200"] = {"description": "stretches, the most alike first", "content": json_of}
    return {
        "/v1/archive": {"get": path("What there is to search in, and the labels that were given")},
        "/v1/archive/like": {"post": like},
        "/v1/archive/label": {
            "get": path(
                "Where a label's scores are highest", "label", "top", "per_file", "new", needs="label"
            )
        },
        "/v1/archive/next": {
            "get": path("What the model is least sure of, without a label", "top", "per_file", "after")
        },
        "/v1/archive/sound": {"get": path("A stretch as WAV, a minute of it at most", "id", needs="id")},
        "/v1/archive/labels": {"post": path("Give a stretch a label", **told("id", "label", "by"))},
        "/v1/archive/undo": {"post": path("Take a label back", **told("id", "label", "when", "by"))},
    }


def _parameter(name: str, text: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema, "required": required}


def _error() -> dict[str, Any]:
    texts = {"type": {"type": "string"}, "message": {"type": "string"}}
    error = {"type": "object", "properties": texts, "required": list(texts)}
    schema = {"type": "object", "properties": {"error": error}, "required": ["error"]}
    return {"application/json": {"schema": schema}}


def docs_page(described: dict[str, Any]) -> str:
    """Return the description as a page that loads nothing."""
    parts = []
    for path, methods in described["paths"].items():
        for method, what in methods.items():
            parts.append(
                f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(what['summary'])}.</p>"
            )
            if "description" in what:
                parts.append(f"<p>{escape(what['description'])}</p>")
            parts.append(_table("parameter", "meaning", map(_row, what.get("parameters", []))))
            answers = {status: text["description"] for status, text in what["responses"].items()}
            parts.append(_table("status", "meaning", answers.items()))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>fastaudio: the interface</title><h1>The interface</h1>"
        '<p>Also as <a href="openapi.json">OpenAPI</a>. '
        'Errors are <code>{"error": {"type": ..., "message": ...}}</code>.</p>' + "".join(parts) + "</html>"
    )


def _row(parameter: dict[str, Any]) -> tuple[str, str]:
    schema = parameter["schema"]
    values = ", ".join(map(str, schema.get("enum", [])))
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = "" if low is None else f"from {low:g}" + ("" if high is None else f" to {high:g}")
    default = f"default {schema['default']}" if "default" in schema else ""
    more = "; ".join(text for text in (values, bounds, default) if text)
    return parameter["name"], parameter["description"] + (f" ({more})" if more else "")


def _table(left: str, right: str, rows: Any) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(text)}</td></tr>" for name, text in rows
    )
    return f"<table><tr><th>{left}</th><th>{right}</th></tr>{cells}</table>" if cells else ""
