"""What a server allows: its address, who may ask, and how much they may ask for."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields
from pathlib import Path

CORES = os.cpu_count() or 1
LEAST_TOKEN = 16
_MOST = 1e9


@dataclass(frozen=True)
class Settings:
    """Bounds of a server; all have defaults.

    Attributes:
        host: the address that it listens at; any but a loopback one needs a `token`.
        port: its port; 0 for one that is free.
        token: what callers have to show, of at least 16 characters; None for no check.
        allowed_hosts: names, besides addresses and localhost, under which the server is reached.
        allowed_origins: pages of other origins that may use it, such as "https://example.org".
        tls_cert, tls_key: files of a certificate and its key, for https.
        max_mb: MB of 10**6 bytes of an upload.
        max_s: seconds of sound of an upload.
        max_spool_mb: MB of all uploads that are there at once; they lie on the disk.
        upload_s, pause_s: seconds for an upload to arrive, and for which nothing of it may arrive.
        answer_s: seconds for an upload's results, waiting included.
        jobs: uploads that are run at once.
        waiting: uploads that arrive or wait, besides these.
        max_streams: live streams at once.
        live_s, idle_s: seconds that a live stream may last, and for which it may bring nothing.
        max_connections: connections at once.
        header_s: seconds for a request's first lines to arrive.
        send_s: seconds for which a client may take nothing of what it is sent.
        isolate: whether each upload is decoded and run in a process of its own.
        archive: folders that `fastaudio scan` has written, to be searched: one of embeddings, one of scores.
        archive_model: where the model of the embeddings is now; None for where it was when the scan ran.
        archive_root: the folder where the scans ran, from which their paths lead to the files.
        labels: a CSV for the labels that clients give to stretches of the archive; None takes none.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    max_mb: float = 100.0
    max_s: float = 3600.0
    max_spool_mb: float = 1000.0
    upload_s: float = 60.0
    pause_s: float = 10.0
    answer_s: float = 120.0
    jobs: int = CORES
    waiting: int = 8 * CORES
    max_streams: int = 32 * CORES
    live_s: float = 14_400.0
    idle_s: float = 30.0
    max_connections: int = 400
    header_s: float = 10.0
    send_s: float = 10.0
    isolate: bool = False
    archive: tuple[Path, ...] = ()
    archive_model: str | None = None
    archive_root: Path = Path()
    labels: Path | None = None

    def __post_init__(self) -> None:
        """Check all bounds.

        Raises:
            TypeError, ValueError: one of a wrong type, or outside its range.
        """
        for one in fields(self):
            value = getattr(self, one.name)
            if one.type not in ("int", "float"):
                continue
            known = (int,) if one.type == "int" else (int, float)
            if isinstance(value, bool) or not isinstance(value, known):
                raise TypeError(f"Settings: expected {one.name} as {one.type}, got {value!r:.80}")
            least = 0 if one.name in ("port", "waiting") else 1 if one.type == "int" else 1e-3
            most = 65_535 if one.name == "port" else _MOST
            if not (math.isfinite(value) and least <= value <= most):
                raise ValueError(
                    f"Settings: expected {one.name} from {least:g} to {most:g}, got {value!r:.80}"
                )
        if self.token is not None and len(self.token) < LEAST_TOKEN:
            raise ValueError(
                f"Settings: expected a token of at least {LEAST_TOKEN} characters, got {len(self.token)}; "
                "python -c 'import secrets; print(secrets.token_urlsafe())' makes one"
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("Settings: expected tls_cert and tls_key together, got one of them; name both")
        if self.labels is not None and not self.archive:
            raise ValueError("Settings: expected labels with an archive, got them alone; name --archive too")

    @property
    def max_bytes(self) -> int:
        """Bytes of an upload."""
        return int(self.max_mb * 1e6)
