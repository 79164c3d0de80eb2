"""PyTorch itself, which an extra installs; without it, importing the room says how to get it."""

from __future__ import annotations

from fastaudio.heads.extras import require

require("torch", extra="torch", what="fastaudio.torch")
