"""The main job as its users run it: `forebay up`, `forebay send`, kill -9 of everything in turn, and nothing left over.

The provider is simulated (real HTTP, no cost); Kafka, Redis and every stage are real, in processes of their own.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from forebay.cli.asking.by_http import asked
from forebay.embedded.supervision.state import live
from forebay_agents.evaluation.handler import JUDGE

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]

STAGES = {"redaction", "cache", "completion", "response", "cost", "evaluation", "review", "retry"}
TAKES = {
    "redaction": "requests",
    "cache": "requests.redacted",
    "completion": "requests.uncached",
    "response": "completions",
    "cost": "usage",
}
PERSONAL = ("Karen Whitfield", "219-09-9999", "4111 1111 1111 1111", "karen.whitfield@example.com")


class Installation:
    """A running stack, by its command line."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.data = folder / ".forebay"
        self._environment = environment

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = self._command(arguments)
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, text=True, check=False, capture_output=True, **options
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(arguments), cwd=self.folder, env=self._environment, text=True, stdout=subprocess.PIPE
        )

    def status(self) -> dict[str, Any]:
        """What ``forebay status`` says; it starts a process and asks the brokers, so it is not for waiting."""
        found = self.run("status", "--json", timeout=60)
        assert found.returncode == 0, found.stderr
        status: dict[str, Any] = json.loads(found.stdout)
        return status

    def processes(self) -> dict[str, dict[str, Any]]:
        state = live(self.data)
        assert state is not None
        return {row.name: row.public() for row in state.processes}

    def wait_until(self, holds: Callable[[dict[str, dict[str, Any]]], bool], timeout_s: float = 120) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds(self.processes()):
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.1)

    def json_lines(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints."""
        done = self.run(*arguments, timeout=120)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ask(self, request_id: str, question: str) -> dict[str, Any]:
        """The response to one question of Ann's."""
        line = json.dumps({"request_id": request_id, "tenant_id": "people", "user_id": "ann", "messages": question})
        done = self.run("send", "--wait", "--json", "--timeout", "60", input=line, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def tasks(self, request_id: str) -> list[dict[str, Any]]:
        """Open review tasks of a request."""
        return [task for task in self.json_lines("review", "list", "--json") if task["request_id"] == request_id]

    def start_script(self, text: str) -> subprocess.Popen[str]:
        """A Python script that finds this stack and has ``load``, while it runs."""
        return subprocess.Popen(self._script(text), env=self._environment, text=True, stdout=subprocess.PIPE)

    def _script(self, text: str) -> list[str]:
        start = (
            "import sys; from forebay.embedded.discovery import apply_to_environment; "
            "from forebay.settings import load\napply_to_environment(sys.argv[1])\n"
        )
        return [sys.executable, "-c", start + text, str(self.data)]

    def script(self, text: str) -> str:
        """What a Python script prints that finds this stack and has ``load``."""
        command = self._script(text)
        done = subprocess.run(command, env=self._environment, text=True, check=False, capture_output=True, timeout=180)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @staticmethod
    def _command(arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "forebay", *arguments]


@pytest.fixture(scope="module")
def invoice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the simulated provider bills."""
    return tmp_path_factory.mktemp("i") / "invoice"


PRICES = {"sim-small": {"input": 0.05, "output": 0.2}, "sim-large": {"input": 0.5, "output": 2.0}}
"""Dollars for a million tokens."""


@pytest.fixture(scope="module")
def provider(invoice: Path) -> Iterator[str]:
    """URL of a simulated provider."""
    models = {
        model: {f"{kind}_nanousd": round(1_000 * dollars) for kind, dollars in price.items()}
        for model, price in PRICES.items()
    }
    script = invoice.with_name("script.json")
    script.write_text(json.dumps({"models": models}))
    command = [sys.executable, "-m", "loadtest.provider", "--invoice", str(invoice), "--config", str(script)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["base_url"]
        process.terminate()


@pytest.fixture(scope="module")
def installation(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    tiers = {
        f"FOREBAY_TIER_{tier}_{key}": value
        for tier in ("SMALL", "LARGE")
        for key, value in (("MODEL", f"openai/sim-{tier.lower()}"), ("URL", provider), ("KEY", "none"))
    }
    prices = {f"openai/{model}": price for model, price in PRICES.items()}
    others = {"FOREBAY_EVALUATION_SAMPLE_RATE": "0.05", "FOREBAY_MODELS_PRICES": json.dumps(prices)}
    others |= {"FOREBAY_RETRY_DELAYS_S": "[1, 3, 10]"}
    found = Installation(folder, outside | tiers | others)
    started = found.run("up", "--detach", timeout=240)
    assert started.returncode == 0, started.stdout + started.stderr
    yield found
    found.run("down", timeout=60)


def write_requests(path: Path, count: int, kind: str) -> None:
    with path.open("w") as file:
        for number in range(count):
            text = f"{kind} {number}: what is {number} + {number % 7}? I am Karen Whitfield, SSN 219-09-9999, card "
            text += "4111 1111 1111 1111, karen.whitfield@example.com."
            file.write(json.dumps({"request_id": f"{kind}-{number}", "messages": [{"role": "user", "content": text}]}))
            file.write("\n")


def fetch(port: int, path: str) -> tuple[int, str]:
    with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
        return answer.status, answer.read().decode()


def configure(provider: str, patch: Mapping[str, Any]) -> None:
    """Change the simulated provider's script."""
    url = f"{provider.removesuffix('/v1')}/admin/config"
    with urlopen(Request(url, json.dumps(patch).encode()), timeout=30) as answer:
        assert answer.status == 200


def asked_once_known(asking: Request, deadline: float) -> str:
    """The id of a request by HTTP with a key that is so new that no door may know it yet."""
    while True:
        try:
            with urlopen(asking, timeout=60) as answer:
                return str(answer.headers["x-request-id"])
        except HTTPError as error:
            with error:
                if error.code != 401 or time.monotonic() > deadline:
                    raise
        time.sleep(0.1)


def answers(sending: subprocess.Popen[str], timeout_s: float) -> list[dict[str, Any]]:
    output, _ = sending.communicate(timeout=timeout_s)
    assert sending.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


def test_every_part_is_there(installation: Installation) -> None:
    status = installation.status()
    assert status.keys() == {"processes", "edge", "topics", "lag", "lag_seconds"}
    processes = {process["name"]: process for process in status["processes"]}
    assert {process.get("stage") for process in processes.values()} >= STAGES
    assert {"kafka", "redis"} <= processes.keys()
    for process in processes.values():
        assert process["state"] == "ready"
        assert psutil.pid_exists(process["pid"])


def test_every_worker_tells_how_it_is_and_what_it_counted(installation: Installation, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    write_requests(requests, 5, "counted")
    assert len(answers(installation.start("send", str(requests), "--wait", "--json"), 120)) == 5
    for stage in STAGES:
        port = installation.processes()[stage]["port"]
        told = {path: fetch(port, path) for path in ("healthz", "readyz", "metrics")}
        assert told["healthz"] == (200, '{"status": "alive"}')
        ready = json.loads(told["readyz"][1])
        assert (told["readyz"][0], ready["status"], ready["problems"]) == (200, "ready", {})
        assert ready["lag"].keys() == {stage}
        status, metrics = told["metrics"]
        counted = {
            (family.name, sample.labels.get("stage"), sample.labels.get("topic")): sample.value
            for family in text_string_to_metric_families(metrics)
            for sample in family.samples
            if sample.name in ("forebay_records_in_total", "forebay_build_info")
        }
        assert status == 200
        assert ("forebay_build_info", stage, None) in counted
        if stage in TAKES:
            assert counted["forebay_records_in", stage, TAKES[stage]] >= 5
        assert "counted" not in metrics, "no request is named in a metric"


def test_a_trained_router_is_used_and_rolled_back(installation: Installation, tmp_path: Path) -> None:
    def colour(thing: str, town: str) -> str:
        return f"Which colour of {thing} is sold most in {town}?"

    def asked(*questions: str) -> list[str]:
        return [installation.ask(f"colour-{time.monotonic_ns()}", text)["tier"] for text in questions]

    def in_use() -> set[str]:
        _, metrics = fetch(installation.processes()["completion"]["port"], "metrics")
        return {
            sample.labels["version"]
            for family in text_string_to_metric_families(metrics)
            for sample in family.samples
            if sample.name == "forebay_router_info" and sample.value == 1
        }

    def until(version: str) -> None:
        deadline = time.monotonic() + 60
        while in_use() != {version}:
            assert time.monotonic() < deadline, in_use()
            installation.ask(f"look-{time.monotonic_ns()}", f"What is {time.monotonic_ns()} plus one?")

    # Each thing is asked about once: with only the town changed, the cache would know the question again.
    # Judges say: what the small model says of colours is always wrong, and of journeys always right.
    rows = tmp_path / "judged.jsonl"
    things, towns = ("lamp", "kettle", "drill", "boat", "chair"), ("Rome", "Oslo", "Nice", "Cork", "Lund", "Gent")
    with rows.open("w") as file:
        for (thing, town), right in itertools.product(itertools.product(things, towns), (0, 1)):
            prompt = f"How do I travel to {town} with a {thing}?" if right else colour(thing, town)
            models = {"small": {"correct": right, "cost": 1}, "large": {"correct": 1, "cost": 10}}
            file.write(json.dumps({"prompt": prompt, "models": models}) + "\n")
    assert in_use() == {"heuristic"}
    assert "small" in asked(colour("lamp", "Bonn"), colour("chair", "Bonn"))
    [trained] = installation.json_lines("tiers", "train", str(rows), "--json")
    until(trained["version"])
    assert asked(colour("boat", "Kiel"), colour("kettle", "Kiel")) == ["large"] * 2
    assert installation.run("tiers", "rollback", timeout=60).stdout == "current: heuristic\n"
    until("heuristic")
    assert "small" in asked(colour("sofa", "Graz"), colour("drill", "Graz"))


def test_a_corrected_answer_is_given_the_next_time(installation: Installation) -> None:
    question = "Which colour has the roof of the turbine hall at the lower basin?"
    assert installation.ask("disliked", question)["content"] != "It is green."
    feedback = "Feedback(request_id='disliked', tenant_id='people', user_id='ann', rating=FeedbackRating.DOWN)"
    installation.script(
        "from forebay.contract.handlers import Output; from forebay.kafka.publisher import publish\n"
        "from forebay.contract.records import Feedback, FeedbackRating\n"
        f"publish(load(), [Output(topic='feedback', key='disliked', value={feedback})])"
    )
    deadline = time.monotonic() + 60
    while not (tasks := installation.tasks("disliked")):
        assert time.monotonic() < deadline
    (task,) = tasks
    assert (task["tenant_id"], task["reason"], task["question"]) == ("people", "negative_feedback", question)
    corrected = installation.run("review", "correct", "disliked", "It is green.", "--reviewer", "tester", timeout=60)
    assert (corrected.returncode, corrected.stdout) == (0, f"{task['review_id']}: correct\n")
    assert installation.tasks("disliked") == []
    numbers = itertools.count()
    while (answer := installation.ask(f"again-{next(numbers)}", question))["content"] != "It is green.":
        assert time.monotonic() < deadline
    assert (answer["source"], answer["cost_nanousd"]) == ("correction", 0)
    assert answer["saved_nanousd"] > 0


def test_spend_is_what_the_responses_cost_and_the_judge(installation: Installation, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    write_requests(requests, 40, "spent")
    sending = installation.start("send", str(requests), "--wait", "--json", "--tenant", "payer", "--user", "ann")
    paid = sum(answer["cost_nanousd"] for answer in answers(sending, 120))
    assert paid > 0
    assert (
        installation.script("from forebay.kafka.lag import wait_until_idle; print(wait_until_idle(load(), 120))")
        == "True"
    )
    judged = installation.json_lines("tail", "evaluations", "--from-beginning", "--end")
    judging = sum(line["value"]["cost_nanousd"] for line in judged if line["value"]["tenant_id"] == "payer")
    for window in ("hour", "day", "month"):
        *rows, total = installation.json_lines("spend", "--json", "--window", window, "--tenant", "payer")
        of_user = {
            user: installation.json_lines("spend", "--json", "--window", window, "--tenant", "payer", "--user", user)
            for user in ("ann", JUDGE)
        }
        cost = {user: found[-1]["cost_nanousd"] for user, found in of_user.items()}
        assert cost == {"ann": paid, JUDGE: judging}
        assert sum(row["cost_nanousd"] for row in rows) == total["cost_nanousd"] == paid + judging
        assert {row["pending_nanousd"] for row in rows} == {0}


def test_each_response_has_an_outcome_that_says_where_its_time_went(installation: Installation, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    write_requests(requests, 8, "told")
    told = {
        one["request_id"]: one for one in answers(installation.start("send", str(requests), "--wait", "--json"), 60)
    }
    lines = installation.json_lines("tail", "outcomes", "--from-beginning", "--end")
    found = {line["key"]: line["value"] for line in lines if line["key"] in told}
    assert found.keys() == told.keys()
    for request_id, outcome in found.items():
        answer = told[request_id]
        assert (outcome["status"], outcome["cost_nanousd"]) == (answer["status"], answer["cost_nanousd"])
        spans = [entry.split(";") for entry in outcome["spans"].split(",")]
        stages = [stage for stage, *_ in spans]
        assert stages[:2] == ["redaction", "cache"]
        assert stages[-1] == "response"
        assert [ended for *_, ended in spans] == ["ok"] * len(spans)
        waited_and_worked = sum(int(waited) + int(micros) // 1_000 for _, _, waited, micros, _ in spans)
        assert waited_and_worked <= 60_000
        assert set(stages) <= answer["timings_us"].keys()
    text = json.dumps(lines)
    assert not [word for word in PERSONAL if word in text]


def test_a_person_is_told_everything_and_forgotten(installation: Installation, tmp_path: Path) -> None:
    user, file = "ada.king@example.com", tmp_path / "told.json"
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"request_id": "hers", "messages": "Write to Ada King"}) + "\n")
    of = ("--tenant", "people", "--user", user)
    [answer] = answers(installation.start("send", str(requests), "--wait", "--json", *of), 60)
    assert (answer["user_id"], answer["status"]) == (user, "ok")
    assert installation.run("subject", "export", *of, str(file), timeout=60).returncode == 0
    told = json.loads(file.read_text("utf-8"))
    assert "Ada King" in json.dumps(told["stored"]["vault"])
    assert {one["record"]["request_id"] for one in told["topics"]["completions"]} == {"hers"}
    first, second = ({row["place"]: row for row in installation.json_lines("erase", "--json", *of)} for _ in range(2))
    assert (first["vault"]["removed"], first["fingerprints"]["removed"]) == (1, 1)
    assert [row["place"] for row in second.values() if row["removed"]] == []
    assert second["usage"]["left"] == first["usage"]["left"] > 0
    misspelt = installation.run("erase", "--tenant", "poeple", "--user", user, timeout=60)
    assert (misspelt.returncode, misspelt.stdout) == (3, "")
    for topic in ("requests.redacted", "completions", "usage", "spend", "evaluations", "audit"):
        assert user not in installation.run("tail", topic, "--from-beginning", "--end", timeout=60).stdout


def test_two_processes_that_use_one_id_get_one_answer_and_one_refusal(
    installation: Installation, tmp_path: Path
) -> None:
    sendings = []
    for asker in ("first", "second"):
        lines = [{"request_id": f"shared-{number}", "messages": f"the {asker} asks {number}"} for number in range(20)]
        requests = tmp_path / f"{asker}.jsonl"
        requests.write_text("".join(json.dumps(line) + "\n" for line in lines))
        sendings.append(installation.start("send", str(requests), "--wait", "--json", "--timeout", "60"))
    found: dict[str, list[str]] = {}
    for sending in sendings:
        output, _ = sending.communicate(timeout=120)
        for answer in map(json.loads, output.splitlines()):
            found.setdefault(answer["request_id"], []).append((answer["error"] or {}).get("code") or answer["status"])
    assert {tuple(sorted(outcomes)) for outcomes in found.values()} == {("idempotency_conflict", "ok")}
    assert len(found) == 20


def test_nothing_is_lost_when_everything_is_killed_in_turn(installation: Installation, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    write_requests(requests, 500, "killed")
    sending = installation.start("send", str(requests), "--wait", "--json", "--timeout", "300")
    time.sleep(2)
    for name in [*sorted(STAGES), "kafka"]:
        before = installation.processes()[name]
        os.kill(before["pid"], signal.SIGKILL)
        installation.wait_until(
            lambda now, name=name, before=before: (
                now[name]["state"] == "ready" and now[name]["restarts"] > before["restarts"]
            )
        )
    found = answers(sending, 320)
    assert sorted(answer["request_id"] for answer in found) == sorted(f"killed-{number}" for number in range(500))
    assert {answer["status"] for answer in found} == {"ok"}


def test_a_door_hears_an_answer_while_it_is_written_and_restores_the_name_in_it(
    installation: Installation, provider: str
) -> None:
    slow = {"repeats": True, "token_chars": 3, "latency": {"tokens_per_s": 60}}
    configure(provider, {"chunk_tokens": 1, "models": {"sim-large": slow}})
    try:
        found = json.loads(
            installation.script(
                "import json; from forebay.contract.records import Message, Request\n"
                "from tests.integration.listener import listen\n"
                "text = 'I am Karen Whitfield, SSN 219-09-9999. Write a greeting that says Karen Whitfield twice.'\n"
                "request = Request(request_id='heard', tier='large', messages=(Message(content=text),))\n"
                "print(json.dumps(listen(load(), request)))"
            )
        )
    finally:
        configure(provider, {"chunk_tokens": None, "models": {"sim-large": dict.fromkeys(slow)}})
    assert found["status"] == "ok"
    assert found["content"].count("Karen Whitfield") == 2
    assert len(found["pieces"]) > 10, "in pieces that end anywhere"
    assert "Karen" not in "".join(text for _, _, text in found["pieces"])
    assert "219-09-9999" in found["live"], "restored before the record was there"
    assert found["live"] + found["rest"] == found["content"]


def test_by_http_too_a_name_is_restored_while_the_model_writes(installation: Installation, provider: str) -> None:
    edge = installation.status()["edge"]
    key = (installation.folder / edge["key_file"]).read_text("utf-8").strip()
    slow = {"repeats": True, "token_chars": 3, "latency": {"tokens_per_s": 15}}
    configure(provider, {"chunk_tokens": 1, "models": {"sim-large": slow}})
    try:
        question = "By HTTP: I am Karen Whitfield, and my ferry leaves at nine. Greet Karen Whitfield."
        parts = [
            (time.monotonic(), part)
            for part in asked(edge["base_url"], key, "large", question, stream=True, timeout_s=120)
        ]
        shown = installation.run("ask", "--stream", "--model", "large", f"{question} Again.", timeout=120)
    finally:
        configure(provider, {"chunk_tokens": None, "models": {"sim-large": dict.fromkeys(slow)}})
    text = "".join(part for _, part in parts)
    assert text.startswith("You said: By HTTP: I am Karen Whitfield,")
    assert text.count("Karen Whitfield") == 2
    assert parts[-1][0] - parts[0][0] > 1.0, "the model writes for three seconds, and is heard meanwhile"
    assert (shown.returncode, shown.stdout.count("Karen Whitfield")) == (0, 2), shown.stderr


def test_by_http_the_ledger_names_the_holder_of_the_key_whoever_else_a_request_names(
    installation: Installation,
) -> None:
    holder, url = "grace.hopper@example.com", installation.status()["edge"]["base_url"]
    [made] = installation.json_lines("keys", "create", "--tenant", "people", "--user", holder, "--json")
    body = {"model": "small", "messages": [{"role": "user", "content": "How deep is the basin of the third lock?"}]}
    body |= {"user": "mallory", "metadata": {"tenant_id": "payer", "user_id": "mallory", "key_id": "abcdefghijkl"}}
    headers = {"content-type": "application/json", "authorization": f"Bearer {made['key']}"}
    headers |= {"x-forebay-user": "mallory", "x-forebay-tenant": "payer", "x-forebay-key-id": "abcdefghijkl"}
    asking = Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    request_id = asked_once_known(asking, time.monotonic() + 60)
    pseudonym = installation.script(
        f"from forebay.privacy.people.names import needed_names\nprint(needed_names(load()).user('people', '{holder}'))"
    )
    assert holder not in pseudonym
    ledger = [
        line["value"]
        for line in installation.json_lines("tail", "usage", "--from-beginning", "--end")
        if line["value"]["request_id"] == request_id and not line["value"]["user_id"].startswith("forebay:")
    ]
    assert {(one["tenant_id"], one["user_id"], one["key_id"]) for one in ledger} == {
        ("people", pseudonym, made["key_id"])
    }
    responses = installation.json_lines("tail", "responses", "--restricted", "--from-beginning", "--end")
    [response] = [line["value"] for line in responses if line["key"] == request_id]
    assert (response["tenant_id"], response["user_id"]) == ("people", holder)
    assert "mallory" not in json.dumps([ledger, response])


@pytest.mark.long
@pytest.mark.parametrize("says", ["the same", "something else"])
def test_an_answer_whose_worker_is_killed_goes_on_or_is_told_to_be_another(
    installation: Installation, provider: str, invoice: Path, says: str
) -> None:
    slow = {"repeats": True, "token_chars": 3, "latency": {"tokens_per_s": 15}}
    configure(provider, {"chunk_tokens": 1, "models": {"sim-large": slow}})
    name = f"cut-{says.replace(' ', '-')}"
    listening = installation.start_script(
        "import json; from functools import partial; from forebay.contract.records import Message, Request\n"
        "from tests.integration.listener import listen\n"
        f"text = '{name}: I am Karen Whitfield. Say Karen Whitfield, and that my ferry leaves at nine.'\n"
        f"request = Request(request_id='{name}', tier='large', messages=(Message(content=text),))\n"
        "begun = partial(print, 'begun', flush=True)\n"
        "print(json.dumps(listen(load(), request, 180.0, begun)))"
    )
    with listening:
        assert listening.stdout is not None
        try:
            assert listening.stdout.readline() == "begun\n"
            before = installation.processes()["completion"]
            os.kill(before["pid"], signal.SIGKILL)
            if says == "something else":
                configure(provider, {"models": {"sim-large": {"repeats": None}}})
            found = json.loads(listening.stdout.readline())
        finally:
            configure(provider, {"chunk_tokens": None, "models": {"sim-large": dict.fromkeys(slow)}})
    installation.wait_until(lambda now: now["completion"]["state"] == "ready")
    attempts = dict.fromkeys(attempt for attempt, _, _ in found["pieces"])
    assert (found["status"], len(attempts)) == ("ok", 2)
    assert "Karen" not in json.dumps(found["pieces"])
    if says == "the same":
        assert found["live"] + found["rest"] == found["content"]
        assert found["content"].count("Karen Whitfield") == 2
    else:
        assert found["rest"] is None, "told to be another answer"
        assert found["live"].startswith("You said")
        assert not found["content"].startswith("You said")
    usage = installation.json_lines("tail", "usage", "--from-beginning", "--end")
    entered = {line["value"]["attempt_id"] for line in usage if line["value"]["request_id"] == name}
    billed = {json.loads(line)["attempt_id"] for line in invoice.read_text("utf-8").splitlines()}
    assert entered == set(attempts), "each call has its entry"
    assert entered & billed, "and who was asked has billed"


def test_personal_data_is_only_where_it_may_be(installation: Installation, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    write_requests(requests, 20, "personal")
    found = answers(installation.start("send", str(requests), "--wait", "--json"), 120)
    assert len(found) == 20
    script = (
        "import sys; from pathlib import Path; from forebay.embedded.discovery import apply_to_environment\n"
        "apply_to_environment(sys.argv[1])\n"
        "from forebay.settings import load; from forebay.demo.leaks import find_leaks\n"
        "from forebay.demo.examples import read_personal_data\n"
        "print(find_leaks(load(), read_personal_data(Path(sys.argv[2])), Path(sys.argv[1], 'logs').glob('*.log*')))"
    )
    values = tmp_path / "values.txt"
    values.write_text("\n".join(PERSONAL) + "\n")
    command = [sys.executable, "-c", script, str(installation.data), str(values)]
    looked = subprocess.run(command, text=True, capture_output=True, check=True, timeout=120)
    assert looked.stdout.strip() == "[]"
    values.write_text("what is 3 + 3\n")  # the search does find what is there
    looked = subprocess.run(command, text=True, capture_output=True, check=True, timeout=120)
    assert "requests.redacted" in looked.stdout


def test_whatever_a_record_is_no_stage_stops_and_every_request_gets_an_end(
    installation: Installation, invoice: Path
) -> None:
    installation.wait_until(lambda processes: all(one["state"] == "ready" for one in processes.values()))
    command = [sys.executable, "-m", "loadtest.any_record", "--records", "300", "--patience", "120"]
    command += ["--data", str(installation.data), "--invoice", str(invoice)]
    done = subprocess.run(command, text=True, check=False, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_outlives_a_killed_supervisor(installation: Installation) -> None:
    processes = [psutil.Process(process["pid"]) for process in installation.processes().values()]
    os.kill(int((installation.data / "lock").read_text()), signal.SIGKILL)
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
