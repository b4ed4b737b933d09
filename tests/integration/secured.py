"""A whole installation in which everybody is a user with its own rights: brokers, two Redis, eight workers, people.

Users and rights are made by the commands of docs/how-to/production.md and of ``forebay rights``: their lines are read,
and what they say is done (Kafka's scripts are not in the packages of the tests).
"""

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forebay.contract.records import Record
from forebay.embedded.parts import Layer, Part
from forebay.embedded.ports import Ports
from forebay.embedded.servers.http_probe import http_health
from forebay.embedded.servers.redis import redis_part
from forebay.kafka.connection import confluent_options
from forebay.operations import rights
from forebay.settings import KafkaSettings, load
from tests.integration.own_keys import make_keys
from tests.integration.secure_broker import ADMIN, SecureBroker, secure_broker
from tests.integration.written_rights import ROOT, filter_of, make_user, rules_of, shell_line
from tests.stack import running

PREFIX = "rights."
STAGES = tuple(rights.declared())
PEOPLE = ("application", "reviewer", "operator", "deployer", "watcher", "stranger")
_DENIED = re.compile(r"Principal = User:(\S+) is Denied operation = (\w+) .*? resource = (\w+):LITERAL:(\S+?),? for")


@dataclass
class Secured:
    """The installation; :func:`secured` makes it."""

    folder: Path
    broker: SecureBroker
    redis: Mapping[str, int]
    base_url: str
    admin: Any
    ports: Ports
    stack: ExitStack
    passwords: dict[str, str] = field(default_factory=dict)

    def add(self, user: str) -> None:
        """A user of the brokers and of Redis, by the commands of the documentation."""
        self.passwords[user] = secrets.token_hex(8)
        line = shell_line("how-to/production.md", "kafka-configs.sh", "--entity-type users")
        make_user(self.admin, line.replace("USER", user).replace("PASSWORD", self.passwords[user]))
        if rules := rules_of(self.printed(user, "--kafka")):
            for done in self.admin.create_acls(rules).values():
                done.result(30)
        self.allow_redis(user)

    def allow_redis(self, user: str) -> None:
        """What ``forebay rights`` says for both Redis."""
        for name, option in (("redis", "--redis"), ("redis-cache", "--redis-cache")):
            for rule in self.printed(user, option):
                assert self.redis_says(name, *shlex.split(rule.replace("PASSWORD", self.passwords[user]))) == "OK"

    def printed(self, user: str, option: str) -> list[str]:
        """Lines of ``forebay rights USER OPTION``."""
        from typer.testing import CliRunner

        from forebay.cli.rights import app

        names = {
            "FOREBAY_KAFKA_TOPIC_PREFIX": PREFIX,
            "FOREBAY_REDIS_KEY_PREFIX": PREFIX,
            "FOREBAY_REDIS_CACHE_URL": "redis://another:1",  # with one Redis `--redis` has the rights for both
        }
        done = CliRunner().invoke(app, [user, option], env=names, catch_exceptions=False)
        return done.stdout.splitlines()

    @contextmanager
    def granted(self, line: str) -> Iterator[None]:
        """One more rule, for as long as the block runs."""
        [rule] = rules_of([line])
        for done in self.admin.create_acls([rule]).values():
            done.result(30)
        time.sleep(1)  # the broker learns its rules from a log
        yield
        for gone in self.admin.delete_acls([filter_of(rule)]).values():
            gone.result(30)
        time.sleep(1)

    def may_read(self, user: str, topic: str) -> bool:
        """Asked of the broker itself (KIP-430)."""
        from confluent_kafka import KafkaException, TopicCollection
        from confluent_kafka.admin import AclOperation, AdminClient

        name = PREFIX + topic
        admin = AdminClient(confluent_options(self._kafka(user)))
        asked = admin.describe_topics(TopicCollection([name]), include_authorized_operations=True)
        try:
            return AclOperation.READ in asked[name].result(30).authorized_operations
        except KafkaException:
            return False

    def produce(self, user: str, topic: str, value: bytes) -> None:
        """A record of any bytes."""
        from confluent_kafka import Producer

        producer = Producer(confluent_options(self._kafka(user)))
        producer.produce(PREFIX + topic, value, b"k")
        assert producer.flush(30) == 0

    def _kafka(self, user: str) -> KafkaSettings:
        known = replace(self.broker, passwords={**self.broker.passwords, **self.passwords})
        return known.settings(user, PREFIX)

    def redis_says(self, name: str, *words: str, user: str = "default") -> Any:
        """The answer of a Redis, to its administrator unless a user is named."""
        from redis import Redis

        password = self.passwords.get(user) or (self.folder / name / "password").read_text().strip()
        client = Redis.from_url(self._redis_url(name, user, password))
        answer = client.execute_command(*words)
        client.close()
        return answer.decode() if isinstance(answer, bytes) else answer

    def refused_by_redis(self) -> list[str]:
        """What its users asked of either Redis in vain: who, what, and on what."""
        logs = [entry for name in self.redis for entry in self.redis_says(name, "ACL", "LOG")]
        found = [{key.decode(): value for key, value in zip(one[::2], one[1::2], strict=True)} for one in logs]
        return sorted(
            {f"{one['username'].decode()} {one['reason'].decode()} {one['object'].decode()}" for one in found}
        )

    def _redis_url(self, name: str, user: str, password: str) -> str:
        return f"redis://{user}:{password}@127.0.0.1:{self.redis[name]}/0"

    def environment(self, user: str, **more: str) -> dict[str, str]:
        """Of a process of ``user``: what is theirs, and nobody else's keys."""
        password = self.passwords[user]
        found = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
        found |= {name: os.environ[name] for name in ("FOREBAY_CACHE_DIR",) if name in os.environ}
        found |= self.broker.environment(user, password) | {
            "FOREBAY_KAFKA_TOPIC_PREFIX": PREFIX,
            "FOREBAY_KAFKA_PARTITIONS": "1",
            "FOREBAY_REDIS_KEY_PREFIX": PREFIX,
            "FOREBAY_REDIS_URL": self._redis_url("redis", user, password),
            "FOREBAY_REDIS_CACHE_URL": self._redis_url("redis-cache", user, password),
            "FOREBAY_CONFIG": str(self.folder / "forebay.yaml"),
            "FOREBAY_EVALUATION_SAMPLE_RATE": "1.0",
            "FOREBAY_RETRY_DELAYS_S": "[1,2,3]",
            "FOREBAY_DLQ_OPERATORS": (self.folder / "operators.json").read_text(),
        }
        if user in ("redaction", "response", "operator"):
            found["FOREBAY_VAULT_KEYS_FILE"] = str(self.folder / "vault.keys")
        if user in ("completion", "evaluation"):
            for tier in ("SMALL", "LARGE"):
                found |= {f"FOREBAY_TIER_{tier}_URL": self.base_url, f"FOREBAY_TIER_{tier}_KEY": "x"}
        if user in STAGES and user != "retry":
            found["FOREBAY_RETRY_SECRET_FILE"] = str(self.folder / f"{user}.secret")
        if user == "operator":
            found["FOREBAY_DLQ_SIGNING_KEY_FILE"] = str(self.folder / "operator.key")
        return found | more

    def cli(self, user: str, *arguments: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """A command as ``user``."""
        return subprocess.run(
            [sys.executable, "-m", "forebay", *arguments],
            env=self.environment(user, **more), input=stdin, capture_output=True, text=True, timeout=120,
            cwd=self.folder, check=False,
        )  # fmt: skip

    @contextmanager
    def asking(self, line: str) -> Iterator[Callable[[], str]]:
        """An application sends a request and waits; gives what waits for the line of its answer."""
        with subprocess.Popen(
            [sys.executable, "-m", "forebay", "send", "--wait", "--json", "--timeout", "90"],
            env=self.environment("application"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=self.folder,
        ) as sender:  # fmt: skip
            assert sender.stdin is not None
            assert sender.stdout is not None
            sender.stdin.write(line)
            sender.stdin.close()
            yield sender.stdout.read

    def start(self, stages: Sequence[str]) -> None:
        """The workers, each as its own user; returns once all are ready."""
        parts = [self._worker(stage) for stage in stages]
        self.stack.enter_context(running(parts, self.folder / "logs-workers"))

    def _worker(self, stage: str) -> Part:
        port = self.ports.take(f"worker-{stage}")
        return Part(
            name=stage,
            layer=Layer.WORKER,
            command=[sys.executable, "-m", "forebay", "worker", stage],
            environment=self.environment(stage, FOREBAY_WORKER_PORT=str(port)),
            health=lambda: http_health(port, "/readyz"),
            stop_s=15.0,
        )

    @staticmethod
    def until(true: Callable[[], bool], patience_s: float, what: str) -> None:
        """Wait for it."""
        deadline = time.monotonic() + patience_s
        while not true():
            assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}"
            time.sleep(0.2)

    def outage(self, seconds: int) -> None:
        """The provider answers nobody for so long."""
        request = urllib.request.Request(
            self.base_url.removesuffix("/v1") + "/admin/outage",
            data=json.dumps({"for_s": seconds, "kind": "503"}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            answer.read()

    def read(self, topic: str) -> list[Record]:
        """All records of a topic, as the brokers' administrator."""
        from forebay.kafka.reader import read_topic

        return [record.value for record in read_topic(self._as_admin(), topic)]

    def retried(self) -> set[str]:
        """Stages whose records wait for their second try, or did."""
        from forebay.contract import headers as h
        from forebay.kafka.reader import read_topic

        records = read_topic(self._as_admin(), "retry.10s")
        return {record.source.headers[h.RETRY_STAGE].decode() for record in records}

    def _as_admin(self) -> Any:
        import pytest

        with pytest.MonkeyPatch.context() as patch:
            for name, value in (self.broker.environment(ADMIN) | {"FOREBAY_KAFKA_TOPIC_PREFIX": PREFIX}).items():
                patch.setenv(name, value)
            return load()

    def denied(self) -> set[tuple[str, str, str, str]]:
        """User, operation, kind and name (without the prefix) of everything that the brokers refused so far."""
        log = (self.folder / "broker" / "logs" / "kafka.log").read_text("utf-8", "replace")
        return {
            (user, operation, kind.upper(), name.removeprefix(PREFIX))
            for user, operation, kind, name in _DENIED.findall(log)
        }


@contextmanager
def secured(folder: Path) -> Iterator[Secured]:
    """Servers and users, no worker yet."""
    from confluent_kafka.admin import AdminClient

    ports = Ports(folder / "ports.json")
    with ExitStack() as stack:
        broker = stack.enter_context(secure_broker(folder / "broker", ports, [], denials=True))
        places = {name: ports.take(name) for name in ("redis", "redis-cache")}
        parts = [
            redis_part(folder / name, port, memory_mb=128, of_cache=name != "redis")[0] for name, port in places.items()
        ]
        stack.enter_context(running(parts, folder / "logs-redis"))
        provider = subprocess.Popen(
            [sys.executable, "-m", "loadtest.provider", "--port", "0", "--profile", "instant"],
            stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        stack.callback(_stop, provider)
        assert provider.stdout is not None
        with provider.stdout:
            base_url = json.loads(provider.stdout.readline())["base_url"]
        admin = AdminClient(confluent_options(broker.settings(ADMIN, "")))
        found = Secured(folder, broker, places, base_url, admin, ports, stack)
        make_keys(folder, STAGES)
        for user in (*STAGES, *PEOPLE):
            found.add(user)
        yield found


def _stop(process: "subprocess.Popen[Any]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
