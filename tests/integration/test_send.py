"""``forebay send`` on a real broker, with a stand-in for the stages: each line ends in one line, whatever it is."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from forebay.cli import send as command
from forebay.client.client import ForebayClient, NotDeliveredError
from forebay.contract.records import Error, Request, Response, ResponseStatus
from forebay.settings import KafkaSettings, Settings
from tests.integration.responder import Responder, echo

pytestmark = pytest.mark.embedded


def send(text: str | bytes, *options: str) -> Result:
    return CliRunner().invoke(command.app, [*options, "-"], input=text)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_request_has_its_response(responder: Responder, tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"request_id": "a", "messages": "one"}\n\nplain text\n{"tenant_id": "b", "messages": "three"}\n')
    done = CliRunner().invoke(command.app, [str(file), "--wait", "--json", "--tenant", "acme", "--user", "me"])
    assert done.exit_code == 0
    found = {line["content"]: line for line in lines(done)}
    assert found.keys() == {"one", "plain text", "three"}
    assert found["one"]["request_id"] == "a"
    assert [found[text]["tenant_id"] for text in ("one", "plain text", "three")] == ["acme", "acme", "b"]
    assert {line["user_id"] for line in found.values()} == {"me"}
    assert {(line["status"], line["source"], line["tier"], line["error"]) for line in found.values()} == {
        ("ok", "model", "small", None)
    }
    assert all(line["latency_ms"] > 0 for line in found.values())


def test_people_see_content_or_the_error(responder: Responder) -> None:
    def reply(request: Request) -> list[Response]:
        if request.messages[0].content == "no":
            error = Error(code="pii_blocked", message="not accepted")
            return [Response(request_id=request.request_id, status=ResponseStatus.REJECTED, error=error)]
        return echo(request)

    responder.reply = reply
    done = send("no\nyes\n", "--wait")
    assert done.exit_code == 0, "a rejection is a response"
    served, rejected = sorted(done.stdout.splitlines())  # they come from two partitions, in either order
    assert rejected == "[rejected: pii_blocked] not accepted"
    assert served.startswith("[model small ")
    assert served.endswith("] yes")


def test_without_waiting_it_prints_the_ids(responder: Responder) -> None:
    done = send('{"request_id": "ids-1", "messages": "one"}\n{"request_id": "ids-2", "messages": "two"}\n')
    assert (done.exit_code, done.stdout) == (0, "ids-1\nids-2\n")
    done = send('{"request_id": "ids-3", "messages": "one"}\n', "--json")
    assert lines(done) == [{"request_id": "ids-3"}]


@pytest.mark.parametrize("wait", [(), ("--wait",)])
def test_a_bad_line_has_one_line_in_its_place(
    responder: Responder, shared_settings: Settings, wait: Sequence[str]
) -> None:
    large = json.dumps({"request_id": "large", "messages": "x" * shared_settings[KafkaSettings].max_record_bytes})
    bad = [
        b'{"messages": ',
        b'{"request_id": "misspelt", "message": "one"}',
        b'{"request_id": "long", "messages": "one", "max_cost_nanousd": 1180591620717411303424}',
        b"\xff\xfe",
        large.encode(),
    ]
    done = send(b"\n".join([b"first", *bad, b"last"]), "--json", *wait)
    assert done.exit_code == 1
    assert done.stderr == ""
    found = lines(done)
    errors = [line for line in found if line.get("error")]
    assert [line.get("id") for line in errors] == [None, "misspelt", "long", None, "large"]
    assert [line["error"]["code"] for line in errors] == ["invalid_request"] * 4 + ["request_too_large"]
    assert len(found) == len(bad) + 2


def test_a_refused_repetition_takes_no_response_from_the_first(responder: Responder, shared_settings: Settings) -> None:
    good = json.dumps({"request_id": "twice", "messages": "one"})
    large = json.dumps({"request_id": "twice", "messages": "x" * shared_settings[KafkaSettings].max_record_bytes})
    done = send(f"{good}\n{large}\n", "--wait", "--json")
    assert done.exit_code == 1
    assert sorted(line.get("request_id", "refused") for line in lines(done)) == ["refused", "twice"]


def test_repeated_ids_have_one_response_while_they_wait(responder: Responder) -> None:
    one = json.dumps({"request_id": "repeated", "messages": "one"})
    answered: list[Request] = []

    def reply(request: Request) -> list[Response]:
        answered.append(request)
        return echo(request) if len(answered) == 3 else []

    responder.reply = reply
    done = send(f"{one}\n{one}\n{one}\n", "--wait", "--json")
    assert done.exit_code == 0
    assert [line["request_id"] for line in lines(done)] == ["repeated"]


def test_a_missing_response_is_exit_status_1(responder: Responder) -> None:
    responder.reply = lambda request: echo(request) if request.request_id != "lost" else []
    done = send('{"request_id": "lost", "messages": "one"}\nanother\n', "--wait", "--json", "--timeout", "1")
    assert done.exit_code == 1
    assert [line["content"] for line in lines(done)] == ["another"]
    assert "1 of 2 requests got no response in time" in done.stderr


def test_a_response_that_cannot_be_read_has_its_line(responder: Responder) -> None:
    responder.reply = lambda _request: [b"no avro"]
    done = send('{"request_id": "garbled", "messages": "one"}\n', "--wait", "--json")
    assert done.exit_code == 1
    (line,) = lines(done)
    assert (line["id"], line["error"]["code"]) == ("garbled", "not_avro")


@pytest.mark.parametrize("wait", [(), ("--wait",)])
def test_what_the_brokers_do_not_take_has_its_line(
    responder: Responder, monkeypatch: pytest.MonkeyPatch, wait: Sequence[str]
) -> None:
    def refused(self: ForebayClient, _request: Request) -> "Future[Response]":
        future: Future[Response] = Future()
        future.set_exception(NotDeliveredError("the brokers are full"))
        return future

    monkeypatch.setattr(ForebayClient, "submit", refused)
    done = send('{"request_id": "refused", "messages": "one"}\n', "--json", *wait)
    assert done.exit_code == 1
    assert lines(done)[-1] == {
        "id": "refused", "error": {"code": "not_delivered", "message": "the brokers are full"},
    }  # fmt: skip


def test_more_lines_than_may_be_outstanding_do_not_stop_it(
    responder: Responder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_OUTSTANDING", 2)
    done = send("".join(f"line {number}\n" for number in range(20)), "--wait", "--json")
    assert done.exit_code == 0
    assert len(lines(done)) == 20
    responder.reply = lambda _request: []  # and also when nobody answers, it publishes all and ends
    before = len(responder.asked)
    done = send("".join(f"line {number}\n" for number in range(20)), "--wait", "--json", "--timeout", "0.2")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "20 of 20" in done.stderr
    assert len(responder.asked) - before >= 19  # the last may be on its way to the responder


@pytest.mark.parametrize("options", [(), ("--wait", "--json")])
def test_a_reader_that_goes_away_is_no_failure(
    responder: Responder, shared_settings: Settings, tmp_path: Path, options: Sequence[str]
) -> None:
    file = tmp_path / "requests.txt"
    file.write_text("".join(f"line {number}\n" for number in range(2_000)))
    with subprocess.Popen(
        [sys.executable, "-m", "forebay", "send", str(file), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},  # as users have it
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 0
        assert process.stderr.read() == b""
