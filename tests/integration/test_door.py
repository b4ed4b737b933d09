"""Two doors on a real broker, with a stand-in for the stages: what one was asked, the other answers when it is gone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import openai
import pytest

from forebay.contract.records import ApiKey
from forebay.embedded.ports import is_free
from forebay.operations.api_keys import Shown, created, keys_of, revoke
from forebay.operations.audit.recording import unrecorded
from forebay.operations.publishing import publish
from forebay.settings import Settings
from tests.integration.responder import Responder

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]
HELLO: Any = [{"role": "user", "content": "Which colour has the gate?"}]


@dataclass
class Door:
    """A process that serves."""

    process: "subprocess.Popen[str]"
    url: str
    clients: ExitStack = field(default_factory=ExitStack)
    """Closed with the door: their connections are kept, and nobody else ends them."""

    def get(self, path: str, key: str) -> tuple[int, Any]:
        asked = HttpRequest(self.url + path, headers={"authorization": f"Bearer {key}"})
        try:
            with urlopen(asked, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def client(self, key: str) -> openai.OpenAI:
        client = openai.OpenAI(base_url=self.url, api_key=key, max_retries=0, timeout=60)
        return self.clients.enter_context(client)


@contextmanager
def door(folder: Path, **environment: str) -> Iterator[Door]:
    """A door of the installation that the environment names, once it is ready."""
    own = {"FOREBAY_EDGE_PORT": "0", "FOREBAY_EDGE_LAME_DUCK_S": "0", "FOREBAY_EDGE_DRAIN_S": "0.5", **environment}
    command = [sys.executable, "-m", "forebay", "worker", "edge"]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **own}, stderr=subprocess.PIPE, text=True)
    try:
        served = Door(process, f"http://127.0.0.1:{_ready(process)}/v1")
        with served.clients:
            yield served
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _ready(process: "subprocess.Popen[str]") -> int:
    assert process.stderr is not None
    for line in process.stderr:
        told: Mapping[str, Any] = json.loads(line) if line.startswith("{") else {}
        if told.get("event") == "worker_ready":
            return int(told["port"])
    raise AssertionError("the door ended")


@pytest.fixture
def key(shared_settings: Settings) -> Shown:
    wanted = ApiKey(tenant_id="acme", user_id="u-1")
    with created(wanted, unrecorded, partial(publish, shared_settings)) as shown:
        return shown


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_door_was_asked_another_answers(
    shared_settings: Settings, responder: Responder, key: Shown, tmp_path: Path
) -> None:
    named = {"idempotency-key": "gate"}
    with door(tmp_path) as first, door(tmp_path) as second:
        client = first.client(key.key)
        answer = client.chat.completions.create(model="auto", messages=HELLO)
        assert answer.choices[0].message.content == HELLO[0]["content"]
        asked = responder.asked[-1]
        assert (asked.tenant_id, asked.user_id, asked.key_id) == ("acme", "u-1", key.key_id)
        stream = client.chat.completions.create(model="auto", messages=HELLO, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == HELLO[0]["content"]

        # One is killed while its request is worked on; the answer comes all the same, and the other one has it.
        responder.hold.set()
        accepted = first.client(key.key).chat.completions.with_raw_response.create(
            model="auto",
            messages=HELLO,
            extra_headers={**named, "prefer": "respond-async"},
        )
        assert accepted.status_code == 202
        first.process.kill()
        responder.hold.clear()
        found = second.get(accepted.headers["location"].removeprefix("/v1") + "?wait=30", key.key)
        assert (found[0], found[1]["status"]) == (200, "ok")
        again = second.client(key.key).chat.completions.with_raw_response.create(
            model="auto",
            messages=HELLO,
            extra_headers=named,
        )
        assert again.headers["idempotent-replayed"] == "true"
        assert len([one for one in responder.asked if one.request_id == found[1]["id"]]) == 1

        with door(tmp_path) as third:  # knows the answers of before it was started
            assert third.get(f"/requests/{found[1]['id']}", key.key)[1]["status"] == "ok"
            revoke(key.key_id, lambda: keys_of(shared_settings), unrecorded, partial(publish, shared_settings))
            for one in (second, third):
                until(lambda one=one: one.get("/models", key.key)[0] == 401)
                assert one.get("/models", key.key)[1]["error"]["code"] == "revoked_api_key"


def test_what_no_door_remembers_is_in_its_topic(
    shared_settings: Settings, responder: Responder, key: Shown, tmp_path: Path
) -> None:
    with door(tmp_path) as one:
        for named in ({}, {"idempotency-key": "long ago"}):
            one.client(key.key).chat.completions.create(model="auto", messages=HELLO, extra_headers=named)
    ids = [asked.request_id for asked in responder.asked[-2:]]
    with (
        created(ApiKey(tenant_id="globex", user_id="u-1"), unrecorded, partial(publish, shared_settings)) as other,
        door(tmp_path, FOREBAY_EDGE_RECENT_S="1") as young,
    ):
        until(lambda: young.get("/models", other.key)[0] == 200)
        for request_id in ids:
            status, found = young.get(f"/requests/{request_id}", key.key)
            assert (status, found["response"]["choices"][0]["message"]["content"]) == (200, HELLO[0]["content"])
            nobodys = young.get(f"/requests/{request_id[:-1]}{'b' if request_id[-1] == 'a' else 'a'}", key.key)
            assert young.get(f"/requests/{request_id}", other.key) == nobodys
            assert nobodys[0] == 404


def test_a_door_that_is_stopped_says_where_the_answer_will_be(
    shared_settings: Settings, responder: Responder, key: Shown, tmp_path: Path
) -> None:
    assert shared_settings is not None
    responder.hold.set()
    with door(tmp_path) as one:
        asking = subprocess.Popen(
            [sys.executable, "-c", _ASK, one.url, key.key], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        until(lambda: bool(responder.asked))
        one.process.send_signal(signal.SIGTERM)
        output, _ = asking.communicate(timeout=60)
        assert output.split() == ["504", "still_running", f"/v1/requests/{responder.asked[-1].request_id}"]
        assert one.process.wait(60) == 0
        assert is_free(int(one.url.rpartition(":")[2].removesuffix("/v1")))
    responder.hold.clear()


_ASK = """
import json, sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen
body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "Hm?"}]}).encode()
headers = {"authorization": f"Bearer {sys.argv[2]}", "content-type": "application/json"}
try:
    urlopen(Request(sys.argv[1] + "/chat/completions", body, headers), timeout=60)
except HTTPError as error:
    print(error.code, json.loads(error.read())["error"]["code"], error.headers["location"])
"""
