"""A condition begins and ends: a worker of notify has the webhook told, signed, within seconds."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from forebay.contract.clock import now_ms
from forebay.contract.records import Alert, AlertState, Severity
from forebay.kafka.publisher import publish
from forebay.settings import Settings
from forebay.state.conditions import alert_output

pytestmark = pytest.mark.embedded

KEY = "shared-with-the-webhook"
PATIENCE_S = 240.0
BAD = Alert(kind="ledger_drift", subject="usage/0", severity=Severity.WARNING, summary="off", action="rebuild")


class Webhook:
    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                got.append((body, self.headers["forebay-signature"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def wait_for(self, messages: int) -> list[dict[str, Any]]:
        """Alerts of the last message, once there are so many, all of them ours."""
        begun = time.monotonic()
        while len(self.got) < messages:
            assert time.monotonic() - begun < PATIENCE_S
            time.sleep(0.05)
        for body, signed in self.got:
            at, _, digest = signed.removeprefix("t=").partition(",v1=")
            expected = hmac.new(KEY.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
            assert hmac.compare_digest(digest, expected)
        found: list[dict[str, Any]] = json.loads(self.got[-1][0])["alerts"]
        return found


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    thread = Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_webhook_hears_of_a_condition_and_of_its_end(
    settings: Settings, topics: object, webhook: Webhook, tmp_path: Path
) -> None:
    del topics
    configuration = tmp_path / "forebay.yaml"
    channel = {"type": "webhook", "url": webhook.url, "key": KEY}
    configuration.write_text(json.dumps({"notify": {"channels": {"ops": channel}, "group_s": 0.5}}), "utf-8")
    environment = {**os.environ, "FOREBAY_CONFIG": str(configuration), "FOREBAY_WORKER_PORT": "0"}
    with (
        (tmp_path / "log").open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "forebay", "worker", "notify"], env=environment, stdout=out, stderr=out
        ) as process,
    ):
        try:
            publish(settings, [alert_output(replace(BAD, created_at=now_ms(), starts_at=now_ms()))] * 3)
            [first] = webhook.wait_for(1)  # however long the worker takes to start
            assert (first["kind"], first["state"]) == ("ledger_drift", "firing")
            begun = time.monotonic()
            ended = replace(BAD, state=AlertState.RESOLVED, starts_at=now_ms(), ends_at=now_ms())
            publish(settings, [alert_output(ended)])
            [last] = webhook.wait_for(2)
            sys.stdout.write(f"the webhook heard of it after {time.monotonic() - begun:.2f} s\n")
            assert (last["state"], last["fingerprint"]) == ("resolved", first["fingerprint"])
        finally:
            process.kill()
