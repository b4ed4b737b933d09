"""Is what lies in the download cache what is locked? Fetched from a server of this test's own."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from forebay import artifacts
from forebay.artifacts import Artifact, ArtifactError

CONTENT = b"the bytes of a jar" * 1_000
PATH = "/org/example/thing/1.0/thing-1.0-q.jar"


class Served(ThreadingHTTPServer):
    """A Maven repository: what it has by path, how often each was asked for, and how it may fail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {PATH: CONTENT}
        self.asked: list[str] = []
        self.halves = 0
        """So many answers end in the middle."""


class _Handler(BaseHTTPRequestHandler):
    server: Served

    def do_GET(self) -> None:
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = self.server.halves > 0
        self.server.halves -= half
        self.wfile.write(content[: len(content) // 2] if half else content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """The only repository there is, with an empty cache; the group ``things`` is locked."""
    from jgo.maven import _core

    artifact = Artifact(
        group="org.example",
        name="thing",
        version="1.0",
        packaging="jar",
        classifier="q",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
    server = Served()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("FOREBAY_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(artifacts, "locked", lambda _group: [artifact])
    monkeypatch.setattr(_core, "DEFAULT_REMOTE_REPOS", {"here": f"http://127.0.0.1:{server.server_port}"})
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_fetched_once(repository: Served, tmp_path: Path) -> None:
    assert not artifacts.is_cached("things")
    told: list[Path] = []
    (path,) = artifacts.fetch("things", told.append)
    assert path.read_bytes() == CONTENT
    assert tmp_path in path.parents
    assert artifacts.is_cached("things")
    assert artifacts.fetch("things", told.append) == [path]
    assert told == [path, path]
    assert repository.asked == [PATH]
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path], "nothing else is left behind"


@pytest.mark.parametrize(
    "damaged", [b"", CONTENT[:100], CONTENT.replace(b"jar", b"war")], ids=["empty", "half", "changed"]
)
def test_a_damaged_file_is_fetched_again(repository: Served, damaged: bytes) -> None:
    (path,) = artifacts.fetch("things")
    path.write_bytes(damaged)
    assert artifacts.fetch("things")[0].read_bytes() == CONTENT
    assert repository.asked == [PATH, PATH]


def test_a_half_download_is_tried_again(repository: Served) -> None:
    repository.halves = 2
    assert artifacts.fetch("things")[0].read_bytes() == CONTENT
    assert len(repository.asked) == 3


@pytest.mark.parametrize(
    ("files", "told"),
    [({PATH: b"of somebody else"}, "does not have the locked checksum"), ({}, "is there a network")],
)
def test_what_is_not_locked_is_never_taken(
    repository: Served, files: dict[str, bytes], told: str, tmp_path: Path
) -> None:
    repository.files = files
    with pytest.raises(ArtifactError, match=told) as found:
        artifacts.fetch("things")
    assert "thing-1.0-q.jar" in str(found.value)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not artifacts.is_cached("things")


def test_the_locked_groups_can_be_read() -> None:
    for group in ("kafka", "minilm"):
        locked = artifacts.locked(group)
        assert locked
        assert all(len(artifact.sha256) == 64 for artifact in locked)
