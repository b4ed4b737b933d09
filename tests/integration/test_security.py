"""TLS, SCRAM and access rules, end to end: who may read what, and what a worker does that may not."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from forebay.client.client import ForebayClient
from forebay.contract.handlers import Output
from forebay.contract.records import CorrectionAction, Request, ResponseStatus, ReviewTask
from forebay.contract.topics import RETRY_LEVELS
from forebay.embedded.files import write_private
from forebay.embedded.ports import Ports
from forebay.kafka.connection import confluent_options
from forebay.kafka.publisher import publish
from forebay.kafka.topic_admin import TopicAdmin
from forebay.operations.seen_writes import OutdatedError
from forebay.privacy.sealing import new_key_line
from forebay.settings import KafkaSettings, Settings, load
from forebay.trust.keys import new_secret
from forebay_agents.review.operations import WRITER, Decision, open_desk
from tests.integration.secure_broker import ADMIN, SecureBroker, secure_broker

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]
PREFIX = "secure."
BURIED = {name: ["WRITE"] for name in ("dlq", "clock", "alerts", *RETRY_LEVELS)}

RULES: Mapping[str, tuple[Mapping[str, list[str]], list[str]]] = {
    "redaction": (
        {"requests": ["READ"], "requests.redacted": ["WRITE"], "completions": ["WRITE"], **BURIED},
        ["redaction"],
    ),
    "response": ({"completions": ["READ"], "responses": ["WRITE"], "outcomes": ["WRITE"], **BURIED}, ["response"]),
    "completion": (
        {"requests.uncached": ["READ"], "completions": ["WRITE"], "usage": ["WRITE"], **BURIED},
        ["completion", "redaction"],
    ),
    "application": ({"requests": ["WRITE"], "responses": ["READ"]}, ["client"]),
    "reviewer": ({"reviews": ["READ"], "corrections": ["READ", "WRITE"], "audit": ["READ", "WRITE"]}, []),
    "reviewer-of-old": ({"reviews": ["READ"], "corrections": ["READ", "WRITE"], "audit": ["READ", "WRITE"]}, []),
}
"""Who needs what: only redaction and response touch the topics with personal data, beside the applications."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    folder = tmp_path_factory.mktemp("secure")
    with secure_broker(folder, Ports(folder / "ports.json"), list(RULES)) as found:
        TopicAdmin(found.settings(ADMIN, PREFIX)).create()
        for user, (topics, groups) in RULES.items():
            found.allow(
                user, {PREFIX + name: does for name, does in topics.items()}, [PREFIX + group for group in groups]
            )
        found.allow("reviewer", {}, [], writers=[PREFIX + WRITER])
        while not _may_read(found, "application", "responses"):  # the broker learns its rules from a log, in order
            time.sleep(0.1)
        yield found


def _may_read(broker: SecureBroker, user: str, topic: str) -> bool:
    """Asked of the broker itself (KIP-430): what may this user do with the topic?"""
    from confluent_kafka import KafkaError, KafkaException, TopicCollection
    from confluent_kafka.admin import AclOperation, AdminClient

    admin = AdminClient(confluent_options(broker.settings(user, PREFIX)))
    asked = admin.describe_topics(TopicCollection([PREFIX + topic]), include_authorized_operations=True)
    try:
        return AclOperation.READ in asked[PREFIX + topic].result(30).authorized_operations
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise
        return False


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(broker: SecureBroker, redis_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker as a user; its log is ``STAGE.log``."""
    keys = tmp_path / "vault.keys"
    write_private(keys, new_key_line("test") + "\n")
    for stage in ("redaction", "response", "completion"):
        write_private(tmp_path / f"{stage}.secret", new_secret())
    processes = []

    def run(stage: str, user: str, password: str | None = None) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            **broker.environment(user, password),
            "FOREBAY_KAFKA_TOPIC_PREFIX": PREFIX,
            "FOREBAY_REDIS_URL": redis_url,
            "FOREBAY_REDIS_KEY_PREFIX": PREFIX,
            "FOREBAY_VAULT_KEYS_FILE": str(keys),
            "FOREBAY_RETRY_SECRET_FILE": str(tmp_path / "{stage}.secret"),
        }
        with (tmp_path / f"{stage}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "forebay", "worker", stage],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def as_application(broker: SecureBroker, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in (broker.environment("application") | {"FOREBAY_KAFKA_TOPIC_PREFIX": PREFIX}).items():
        monkeypatch.setenv(name, value)
    return load()


def test_a_request_goes_through_on_secured_connections(start: Start, as_application: Settings, tmp_path: Path) -> None:
    start("redaction", "redaction")
    start("response", "response")
    with ForebayClient(as_application) as client:
        # Refused by redaction itself, so that two stages make the whole way: an empty conversation.
        answer = client.ask(Request(messages=()), timeout_s=120)
    assert (answer.status, answer.error.code if answer.error else "") == (ResponseStatus.REJECTED, "invalid_request")


@pytest.mark.parametrize(("user", "exclusive"), [("reviewer", True), ("reviewer-of-old", False)])
def test_a_reviewer_decides_alone_where_he_may(
    broker: SecureBroker, monkeypatch: pytest.MonkeyPatch, user: str, exclusive: bool
) -> None:
    """Who has no right to be the only writer decides all the same, on what stands there, and is told."""

    def settings(of: str) -> Settings:
        for name, value in (broker.environment(of) | {"FOREBAY_KAFKA_TOPIC_PREFIX": PREFIX}).items():
            monkeypatch.setenv(name, value)
        return load()

    task = ReviewTask(review_id=f"review-{user}", request_id=user)
    publish(settings(ADMIN), [Output(topic="reviews", key=task.review_id, value=task)])
    with open_desk(settings(user)) as desk:
        decision = Decision(review_id=user, action=CorrectionAction.REJECT, reviewer=user)
        assert desk.decide(decision).exclusive is exclusive
        with pytest.raises(OutdatedError):
            desk.decide(decision)
        assert [one for one in desk.open_tasks() if one.task.request_id == user] == []


def test_plain_text_is_refused(broker: SecureBroker) -> None:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    from forebay.kafka.connection import silent

    plain = AdminClient(confluent_options(KafkaSettings(bootstrap=broker.bootstrap)), logger=silent())
    with pytest.raises(KafkaException):
        plain.list_topics(timeout=3)


@pytest.mark.parametrize(
    ("user", "topic", "allowed"),
    [
        ("redaction", "requests", True),
        ("response", "requests", False),
        ("completion", "requests", False),
        ("completion", "responses", False),
        ("redaction", "responses", False),
        ("application", "responses", True),
        ("application", "requests", False),
        ("application", "dlq", False),
    ],
)
def test_personal_data_is_read_by_those_who_need_it(broker: SecureBroker, user: str, topic: str, allowed: bool) -> None:
    assert _may_read(broker, user, topic) is allowed


@pytest.mark.parametrize(
    ("stage", "user", "password", "said"),
    [
        ("response", "response", "wrong", "refuse user 'response'"),
        ("redaction", "completion", None, "user 'completion' may not read topic secure.requests"),
        ("response", "application", None, "may not read topic secure.completions"),
    ],
)
def test_a_worker_that_may_not_says_so_and_exits(
    start: Start, tmp_path: Path, stage: str, user: str, password: str | None, said: str
) -> None:
    process = start(stage, user, password)
    assert process.wait(120) == 2, "the status of a wrong configuration: a supervisor does not start it again"
    last = (tmp_path / f"{stage}.log").read_text("utf-8").splitlines()[-1]
    assert last.startswith("forebay: ")
    assert said in last


@pytest.mark.parametrize("command", [["dlq", "list"], ["spend"]])
def test_a_command_with_a_wrong_password_says_so_and_exits(broker: SecureBroker, command: list[str]) -> None:
    environment = {**os.environ, **broker.environment("application", "wrong"), "FOREBAY_KAFKA_TOPIC_PREFIX": PREFIX}
    done = subprocess.run(
        [sys.executable, "-m", "forebay", *command], env=environment, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert b"refuse user 'application'" in done.stderr
    assert b"Traceback" not in done.stderr
