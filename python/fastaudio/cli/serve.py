"""The command `fastaudio serve`: a web server that tags files and live sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio.cards import DEFAULT_MODEL
from fastaudio.cli.arguments import OK, Commands, add_command, add_isolate, natural, positive, seconds
from fastaudio.cli.terminal import flush_stderr, tell
from fastaudio.pipeline import Pipeline
from fastaudio.serving import Settings, serve

if TYPE_CHECKING:
    import argparse

_HELP = """\
tag files and live sound over HTTP

Serve models on this machine: a page to try them in a browser at /, files by POST /v1/tag, live sound by the
WebSocket /v1/live. /docs says what they take and give.

examples:
  fastaudio serve                                the default model at http://127.0.0.1:8000
  fastaudio serve --model musicnn-mtt --model silero-vad --port 9000
  fastaudio serve --archive embeddings --archive scored --labels labels.csv     search and label scans
  curl --data-binary @song.mp3 'localhost:8000/v1/tag?top=3'
  fastaudio serve --host 0.0.0.0 --allow-host NAME --token-file token --tls-cert cert.pem --tls-key key.pem
  curl -H "Authorization: Bearer $(cat token)" --data-binary @song.mp3 https://name:8000/v1/tag

Others than this machine need --host and a token, which its callers send. --isolate is for files of strangers.
It needs the extra [serve].

exit status: 0 Ctrl-C or SIGTERM ended it, 2 wrong usage, or the address or a model can't be used
"""
_MOST_TOKEN = 4096
_HERE = ("127.0.0.1", "localhost", "::1")


def add(commands: Commands) -> None:
    """Add the command."""
    usual = Settings()
    parser = add_command(commands, "serve", _run, _HELP)
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help=f"name, or path of a card or a packed model ({DEFAULT_MODEL}); may be given several times",
    )
    parser.add_argument(
        "--untrained", action="store_true", help="run untrained weights too, although their tags mean nothing"
    )
    parser.add_argument("--host", default=usual.host, help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=natural, default=usual.port, metavar="N", help="port (%(default)s)")
    parser.add_argument(
        "--token-file", metavar="FILE", help="a file with the token that callers have to send"
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="certificate, for https")
    parser.add_argument("--tls-key", metavar="FILE", help="its key")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name under which others reach it"
    )
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="URL", help="a page elsewhere that may use it"
    )
    parser.add_argument(
        "--max-mb", type=seconds, default=usual.max_mb, metavar="MB", help="size of an upload (%(default)g)"
    )
    parser.add_argument(
        "--max-s", type=seconds, default=usual.max_s, metavar="S", help="sound of an upload (%(default)g s)"
    )
    parser.add_argument(
        "--jobs", type=positive, default=usual.jobs, metavar="N", help="uploads to run at once (one per core)"
    )
    parser.add_argument(
        "--max-streams",
        type=positive,
        default=usual.max_streams,
        metavar="N",
        help="live streams at once (32 per core)",
    )
    parser.add_argument(
        "--archive",
        action="append",
        default=[],
        metavar="SCAN",
        help="a folder that fastaudio scan has written, to search; one of embeddings, one of scores",
    )
    parser.add_argument(
        "--archive-model", metavar="NAME", help="where the model of the archive's embeddings is now"
    )
    parser.add_argument(
        "--archive-root",
        default=".",
        metavar="FOLDER",
        help="where the scans ran, for their paths (.)",
    )
    parser.add_argument(
        "--labels", metavar="FILE", help="a CSV for the labels that are given to the archive on the page"
    )
    add_isolate(parser)


def _run(args: argparse.Namespace) -> int:
    settings = Settings(
        host=args.host,
        port=args.port,
        token=None if args.token_file is None else _token(Path(args.token_file)),
        allowed_hosts=tuple(args.allow_host),
        allowed_origins=tuple(args.allow_origin),
        tls_cert=None if args.tls_cert is None else Path(args.tls_cert),
        tls_key=None if args.tls_key is None else Path(args.tls_key),
        max_mb=args.max_mb,
        max_s=args.max_s,
        jobs=args.jobs,
        max_streams=args.max_streams,
        isolate=args.isolate,
        archive=tuple(map(Path, args.archive)),
        archive_model=args.archive_model,
        archive_root=Path(args.archive_root),
        labels=None if args.labels is None else Path(args.labels),
    )
    names = dict.fromkeys(args.model or [DEFAULT_MODEL])
    pipelines = [Pipeline.load(name, threads=1, untrained=args.untrained) for name in names]

    def ready(url: str) -> None:
        tell(f"serving {', '.join(names)} at {url}; Ctrl-C ends\n")
        flush_stderr()

    if settings.token is not None and settings.tls_cert is None and args.host not in _HERE:
        tell("serve: without --tls-cert, others on the network can read the token and the sound\n")
    try:
        serve(pipelines, settings, ready=ready)
    except KeyboardInterrupt:  # which uvicorn passes on once it has ended
        return OK
    return OK


def _token(path: Path) -> str:
    """Return the text of a token's file, without white space around it.

    Raises:
        OSError: it can't be read.
        ValueError: it holds no token.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_TOKEN + 1)
    token = data.decode("utf-8", "replace").strip()
    if not token or len(data) > _MOST_TOKEN or not token.isascii() or not token.isprintable():
        raise ValueError(
            f"serve: expected a token of printable ASCII in {str(path)!r:.200}, got another; "
            "python -c 'import secrets; print(secrets.token_urlsafe())' makes one"
        )
    return token
