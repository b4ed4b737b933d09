"""`forebay ask` shows an answer as it comes, and never takes a part of one for the whole."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forebay.cli.asking import app
from forebay.cli.asking.by_http import AnswerError, texts


def chunk(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n"


WHOLE = [chunk("Once"), b"\n", b": waiting\n", chunk(" upon"), b'data: {"choices": []}\n', b"data: [DONE]\n"]


def test_the_words_of_a_stream_come_in_order() -> None:
    assert list(texts(WHOLE)) == ["Once", " upon"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (WHOLE[:4], "before the answer did"),
        (
            [*WHOLE[:2], b'data: {"error": {"code": "stream_restarted", "message": "again"}}\n'],
            "stream_restarted: again",
        ),
    ],
)
def test_a_stream_without_an_end_is_no_answer(lines: list[bytes], told: str) -> None:
    seen: list[str] = []
    with pytest.raises(AnswerError, match=told):
        seen.extend(texts(lines))
    assert seen[:1] == ["Once"] or not seen


class Door(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []


class Handler(BaseHTTPRequestHandler):
    """Streams, or answers whole, or refuses, by the question."""

    server: Door

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, self.headers["authorization"], body))
        if body["messages"][0]["content"] == "refuse":
            self._send(401, json.dumps({"error": {"code": "invalid_api_key", "message": "no"}}).encode())
        elif body["stream"]:
            self._send(200, b"".join(WHOLE))
        else:
            self._send(200, json.dumps({"choices": [{"message": {"content": "Once \x1b[31mupon"}}]}).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the library's name


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(door: Door, *arguments: str, key: str = "fb-key") -> Any:
    environment = {"OPENAI_BASE_URL": f"http://127.0.0.1:{door.server_port}/v1", "OPENAI_API_KEY": key}
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_an_answer_is_printed_as_text_and_nothing_else(door: Door) -> None:
    done = ask(door, "What?")
    assert (done.exit_code, done.stdout) == (0, "Once \\x1b[31mupon\n")
    assert door.asked == [
        (
            "/v1/chat/completions",
            "Bearer fb-key",
            {"model": "auto", "stream": False, "messages": [{"role": "user", "content": "What?"}]},
        )
    ]


def test_a_stream_is_printed_and_the_key_may_be_in_a_file(door: Door, tmp_path: Path) -> None:
    (tmp_path / "edge.key").write_text("fb-of-the-stack\n")
    done = ask(door, "--stream", "--model", "small", "--data-dir", str(tmp_path), "What?", key="")
    assert (done.exit_code, done.stdout) == (0, "Once upon\n")
    assert door.asked[0][1] == "Bearer fb-of-the-stack"
    assert door.asked[0][2]["model"] == "small"


def test_a_refusal_is_told_with_its_code(door: Door) -> None:
    done = ask(door, "refuse")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "forebay: invalid_api_key: no\n")


def test_without_a_door_it_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "edge.key").write_text("fb-of-the-stack\n")
    environment = {"OPENAI_BASE_URL": "", "OPENAI_API_KEY": ""}
    done = CliRunner().invoke(app, ["--data-dir", str(tmp_path), "What?"], env=environment)
    assert done.exit_code == 1
    assert "forebay up" in done.stderr
