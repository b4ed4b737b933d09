"""Everybody does their work with exactly the rights that `forebay rights` prints, and others are refused.

One story on one installation, in the order of the file: TLS, SCRAM and an authorizer that allows nothing by default.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.integration.secured import PEOPLE, PREFIX, STAGES, Secured, secured

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("rights")) as found:
        yield found


def told(done: "subprocess.CompletedProcess[str]") -> str:
    return f"status {done.returncode}: {done.stdout[-500:]}{done.stderr[-1500:]}"


def lines(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert done.returncode == 0, told(done)
    return [json.loads(line) for line in done.stdout.splitlines()]


def asked(request_id: str, text: str) -> str:
    return json.dumps({"request_id": request_id, "tenant_id": "acme", "user_id": "u-1", "messages": text})


def test_a_deployer_makes_the_topics_and_writes_down_what_is_about_to_run(at: Secured) -> None:
    made = at.cli("deployer", "topics", "create")
    assert made.returncode == 0, told(made)
    described = at.cli("deployer", "topics", "describe")
    assert described.returncode == 0, told(described)
    checked = at.cli("deployer", "config", "check", "--audit")
    assert checked.returncode == 0, told(checked)
    before, after = at.read("audit")
    assert before.action == "configuration.start"
    assert after.details["kafka_user"] == "deployer"


def test_every_stage_is_ready_as_its_own_user(at: Secured) -> None:
    at.start(STAGES)


def test_an_application_asks_and_is_answered(at: Secured) -> None:
    questions = [asked("q-0", "What is 12 + 7?"), asked("q-1", "I am Jane Miller."), asked("q-2", "What is 12 + 7?")]
    done = at.cli("application", "send", "--wait", "--json", "--timeout", "60", stdin="\n".join(questions))
    assert [row["status"] for row in lines(done)] == ["ok"] * 3


def test_a_request_outlives_an_outage_meanwhile_people_work(at: Secured) -> None:
    at.outage(20)
    with at.asking(asked("late", "A question that nobody asked before?")) as answer:
        _dislikes(at, "q-1")
        _reviews(at, "q-1")
        _replays(at)
        _watches(at)
        assert json.loads(answer())["status"] == "ok"
    at.until(lambda: bool(at.read("spend")), 30, "spend of the late request")


def _dislikes(at: Secured, request_id: str) -> None:
    program = (
        "import sys; from forebay import ForebayClient, Feedback\n"
        "with ForebayClient() as client:\n"
        "    client.send_feedback(Feedback(request_id=sys.argv[1], tenant_id='acme', user_id='u-1', rating='down'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, request_id], env=at.environment("application"), capture_output=True, text=True,
        timeout=60, cwd=at.folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, told(done)


def _reviews(at: Secured, request_id: str) -> None:
    at.until(lambda: any(task.request_id == request_id for task in at.read("reviews")), 30, "the review task")
    assert request_id in {task["request_id"] for task in lines(at.cli("reviewer", "review", "list", "--json"))}
    decide = ("reviewer", "review", "reject", request_id, "--reason", "wrong")

    closed = f"kafka-acls.sh --add --deny-principal User:reviewer --operation Write --topic {PREFIX}audit"
    with at.granted(closed):
        done = at.cli(*decide)
        assert done.returncode == 1, told(done)
    assert at.read("corrections") == [], "what cannot be written down does not happen"

    done = at.cli(*decide)
    assert done.returncode == 0, told(done)
    assert done.stderr == "", "he may write alone"
    assert [one.action.value for one in at.read("corrections")] == ["reject"]


def _replays(at: Secured) -> None:
    """What nobody can read is a dead letter; an operator sees it, sends it back, and gives up the next."""
    at.produce("application", "requests", b"not avro")
    at.until(lambda: len(at.read("dlq")) == 1, 30, "the dead letter")
    [letter] = lines(at.cli("operator", "dlq", "list", "--json"))
    done = at.cli("operator", "dlq", "replay", "--id", letter["id"], "--yes", "--settle", "5")
    assert "replayed 1" in done.stdout, told(done)
    at.until(lambda: len(at.read("dlq")) == 2, 30, "it fails again")
    [again] = lines(at.cli("operator", "dlq", "list", "--json"))
    done = at.cli("operator", "dlq", "drop", again["id"], "--reason", "a test")
    assert done.returncode == 0, told(done)
    purged = at.cli("operator", "cache", "purge", "--tenant", "acme", "--user", "u-9")
    assert purged.returncode == 0, told(purged)
    rotated = at.cli("operator", "vault", "rotate")
    assert rotated.returncode == 0, told(rotated)
    whole = json.loads(at.cli("operator", "audit", "verify", "--json").stdout)
    assert (whole["whole"], whole["unfinished"]) == (True, []), whole


def _watches(at: Secured) -> None:
    for command in (("status",), ("spend", "--json")):
        done = at.cli("watcher", *command)
        assert done.returncode == 0, told(done)


def test_no_stage_was_refused_a_key_or_a_command_of_redis(at: Secured) -> None:
    assert [row for row in at.refused_by_redis() if row.partition(" ")[0] in STAGES] == []


def test_what_each_stage_has_to_try_again_comes_back_to_it(at: Secured) -> None:
    """Its Redis forbids all three what they need; each writes to a retry topic, and the scheduler to each's topic."""
    stages = ("redaction", "completion", "response")
    for stage in stages:
        at.redis_says("redis", "ACL", "SETUSER", stage, "resetkeys")
    with at.asking(asked("again", "My name is Jane Miller, and what is tried again?")) as answer:
        for stage in stages:
            at.until(partial(_was_retried, at, stage), 30, f"a retry of {stage}")
            at.allow_redis(stage)
        assert json.loads(answer())["status"] == "ok"


def _was_retried(at: Secured, stage: str) -> bool:
    return stage in at.retried()


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_was_refused_what_it_asked_of_the_brokers(at: Secured, stage: str) -> None:
    assert [row for row in sorted(at.denied()) if row[0] == stage] == []


@pytest.mark.parametrize("user", ["completion", *PEOPLE])
def test_nobody_else_reads_personal_data(at: Secured, user: str) -> None:
    may = {topic for topic in ("requests", "responses") if at.may_read(user, topic)}
    assert may == ({"responses"} if user == "application" else set())


@pytest.mark.parametrize(("user", "topic"), [("stranger", "responses"), ("operator", "requests")])
def test_whoever_looks_without_the_right_is_told_and_sees_nothing(at: Secured, user: str, topic: str) -> None:
    done = at.cli(user, "tail", topic, "--from-beginning", "--end", "--restricted")
    assert done.returncode != 0, told(done)
    assert done.stdout == ""


def test_a_user_of_redis_reaches_its_own_keys_only(at: Secured) -> None:
    for user, key in (("completion", "vault:pepper"), ("review", "claim:completion|4:acme|3:q-0"), ("cost", "x")):
        with pytest.raises(Exception, match=r"(?i)no permissions"):
            at.redis_says("redis", "GET", f"{PREFIX}{key}", user=user)
    for user in ("completion", "operator"):
        with pytest.raises(Exception, match=r"(?i)no permissions"):
            at.redis_says("redis", "FLUSHALL", user=user)
