"""Files in stores are scanned where they lie, and a table opens no store that nobody named."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio.scanning.entries import SourceError, find_entries
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.remote import Stores
from fastaudio.scanning.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")
fsspec = pytest.importorskip("fsspec", reason="fsspec isn't installed")

MODEL = "instruments"


def sound(seconds: float, seed: int = 0) -> bytes:
    content = io.BytesIO()
    samples = np.random.default_rng(seed).normal(0, 0.1, int(16_000 * seconds)).astype(np.float32)
    soundfile.write(content, samples, 16_000, format="WAV")
    return content.getvalue()


@pytest.mark.parametrize(
    "url",
    [
        "s3://other/a.wav",
        "s3://bucket.other/a.wav",
        "s3:///other/a.wav",
        "s3://bucket@other/a.wav",
        "S3://other/a.wav",
        "http://169.254.169.254/latest",
        "https://bucket/a.wav",
        "zip://a.wav::http://host/a.zip",
        "zip://a.wav::s3://bucket/a.zip",
        "simplecache://x::s3://bucket/a.wav",
        "github://a:b@/a.wav",
        "reference://::s3://bucket/a.json",
        "hf://datasets/stranger/x/a.wav",
        "hf://datasets/me/other/a.wav",
        "hf://spaces/me/x/a.wav",
        "hf://me/x/a.wav",
        "hf://datasets/me/x/../../stranger/y/a.wav",
        "hf://datasets/me/x/%2e%2e/a.wav",
        "hf://datasets/me/x@refs/pr/1/a.wav",
        "hf://datasets",
    ],
)
def test_a_table_opens_no_store_that_nobody_named(tmp_path: Path, url: str) -> None:
    table = tmp_path / "list.csv"
    table.write_text(f"path\n{url}\n", encoding="utf-8")
    with pytest.raises(SourceError, match="if you trust the table, add --store"):
        find_entries([table], ["s3://bucket", "hf://datasets/me/x/night"])


def test_a_store_is_one_of_the_sources_or_one_that_is_named() -> None:
    stores = Stores(["s3://bucket/night/*.wav", "https://host/", "gs://"])
    assert stores.have("s3://bucket/other/b.wav")
    assert stores.have("S3://bucket/b.wav")
    assert stores.have("https://host/b.wav")
    assert stores.have("gs://any/b.wav")
    assert stores.have("file:///here.wav")  # as the path /here.wav does
    assert not stores.have("http://host/b.wav")
    assert Stores(["hf://datasets/me/x/*.wav"]).have("hf://datasets/me/x/deep/b.wav")
    assert Stores(["hf://me/x"]).have("hf://me/x/b.wav")
    assert Stores(["hf://"]).have("hf://datasets/stranger/y/b.wav")
    assert Stores([Stores([]).name_of("hf://datasets/a/b/c.wav")]).have("hf://datasets/a/b/d.wav")
    assert Stores(["zip://::s3://bucket/a.zip"]).have("zip://::s3://bucket/b.zip")


def test_the_remedy_that_an_error_names_works(tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe("/away/a.wav", sound(1))
    table = tmp_path / "list.csv"
    table.write_text("path,site\nmemory://away/a.wav,north\n", encoding="utf-8")
    with pytest.raises(SourceError) as told:
        scan([table], tmp_path / "out", chosen=Chosen(MODEL))
    store = str(told.value).partition("--store ")[2].partition(" ")[0]
    done = scan([table], tmp_path / "out", chosen=Chosen(MODEL), stores=[store])
    assert (done.n_done, done.n_failed) == (1, 0)


def test_files_behind_urls_are_waited_for_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    together, opened = threading.Barrier(2), MemoryFileSystem._open

    def slow(self: Any, *args: Any, **how: Any) -> Any:
        together.wait(60)  # for another one that opens a file now
        return opened(self, *args, **how)

    store = fsspec.filesystem("memory")
    for i in range(12):
        store.pipe(f"/slow/{i}.wav", sound(0.5, i))
    monkeypatch.setattr(MemoryFileSystem, "_open", slow)
    done = scan(["memory://slow"], tmp_path / "out", chosen=Chosen(MODEL), jobs=1)
    assert (done.n_done, done.n_failed) == (12, 0)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store of this machine that speaks S3."""
    server = pytest.importorskip("moto.server", reason="moto isn't installed")
    s3fs = pytest.importorskip("s3fs", reason="s3fs isn't installed")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    own = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    own.start()
    try:
        host, port = own.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3fs.S3FileSystem.clear_instance_cache()
        system = s3fs.S3FileSystem()
        system.mkdir("sounds")
        yield system
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        own.stop()


@pytest.mark.filterwarnings("ignore")  # of the server's packages
def test_a_bucket_is_scanned_and_only_what_changed_is_done_again(tmp_path: Path, bucket: Any) -> None:
    local = tmp_path / "in"
    local.mkdir()
    for i in range(4):
        bucket.pipe(f"sounds/night/deep/{i}.wav", sound(1 + i, i))
        (local / f"{i}.wav").write_bytes(sound(1 + i, i))
    bucket.pipe("sounds/night/bad.wav", b"RIFF, but nothing else")
    bucket.pipe("sounds/night/notes.txt", b"no sound")
    out = tmp_path / "out"
    done = scan(["s3://sounds/night"], out, chosen=Chosen(MODEL))
    assert (done.n_done, done.n_failed) == (5, 1)
    scan([local], tmp_path / "here", chosen=Chosen(MODEL))
    rows, wanted = (
        {row["path"].rpartition("/")[2]: row["scores"] for row in parquet.read_table(folder).to_pylist()}
        for folder in (out, tmp_path / "here")
    )
    assert {name: scores for name, scores in rows.items() if name != "bad.wav"} == wanted
    assert scan(["s3://sounds/night/**/*.wav"], out, chosen=Chosen(MODEL)).n_done == 0
    bucket.pipe("sounds/night/deep/0.wav", sound(2, 9))
    assert scan(["s3://sounds/night"], out, chosen=Chosen(MODEL)).n_done == 1
    table = tmp_path / "list.csv"
    table.write_text("path,site\ns3://sounds/night/deep/1.wav,north\n", encoding="utf-8")
    with pytest.raises(SourceError, match="--store s3://sounds"):
        find_entries([table])
    done = scan([table], tmp_path / "listed", chosen=Chosen(MODEL), stores=["s3://sounds"])
    assert (done.n_done, done.n_failed) == (1, 0)
