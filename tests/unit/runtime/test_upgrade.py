"""What lay in the topics before there were proofs: served and replayed within the written period.

``tests/data/before_proofs.json`` was written by commit 57b8136: what each stage made of a transient and of a permanent
failure, and what its scheduler sent back.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from forebay.contract import headers as h
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.records import Alert
from forebay.contract.wire import Delivered, Encoded
from forebay.operations.dead_letters.letters import letter_of
from forebay.operations.dead_letters.plan import Plan
from forebay.operations.dead_letters.replay import Replayer
from forebay.runtime.stage import Stage
from forebay.settings import Settings, StageSettings
from forebay.testing import MemoryTopics, Outcome, StageRunner, VirtualClock, delivered
from forebay.testing.clock import BEGINNING_MS as NOW
from forebay.testing.stores import OPERATOR
from forebay_agents.retry.agent import Scheduler
from tests.unit.operations.dead_letters.bench import MemoryJournal, ScriptedOutcomes

BEFORE: Any = json.loads(Path("tests/data/before_proofs.json").read_text("utf-8"))
STAGES = sorted(BEFORE["letters"])


def record_of(kept: dict[str, Any], topic: str | None = None) -> Delivered:
    headers = {name: value.encode() for name, value in kept["headers"].items()}
    return delivered(topic or kept["topic"], b64decode(kept["value"]), key=b64decode(kept["key"]), headers=headers)


def running(stage: str, unsigned_until_ms: int = 0) -> tuple[StageRunner, list[Context]]:
    seen: list[Context] = []

    async def handle(record: Any, context: Context) -> Sequence[Output]:
        assert record.request_id == "r-before"
        seen.append(context)
        return [Output(topic="alerts", key="k", value=Alert())]

    topic = BEFORE["returned"][stage]["topic"]
    route = Route(topic=topic, handle=handle)
    settings = Settings({"retry": {"unsigned_until_ms": unsigned_until_ms}})
    topics = MemoryTopics(VirtualClock(NOW + 20_000), settings)
    return StageRunner(Stage(name=stage, routes=[route], limits=StageSettings()), topics=topics), seen


async def sent(runner: StageRunner, source: Delivered | Encoded) -> Outcome:
    return await runner.send(source.topic, source.value, key=source.key, headers=dict(source.headers))


@pytest.mark.parametrize("stage", STAGES)
async def test_a_retry_of_before_is_served_within_the_period(stage: str) -> None:
    returned = record_of(BEFORE["returned"][stage])
    runner, seen = running(stage, NOW + 60_000)
    assert [output.topic for output in (await sent(runner, returned)).outputs] == ["alerts"]
    assert (seen[0].attempt, seen[0].accepted_at) == (2, NOW)
    runner, seen = running(stage, NOW + 10_000)
    late = await sent(runner, returned)
    assert late.dead_letter is not None
    assert (late.dead_letter.code, seen) == ("forged_retry", [])


@pytest.mark.parametrize("stage", STAGES)
async def test_the_scheduler_sends_a_retry_of_before_where_it_came_from(stage: str) -> None:
    waiting = record_of(BEFORE["retries"][stage])
    clock = VirtualClock(NOW + 20_000)
    route = Route(topic=waiting.topic, handle=Scheduler(clock, clock.sleep).handle, raw=True)
    scheduling = StageRunner(Stage(name="retry", routes=[route], limits=StageSettings()), topics=MemoryTopics(clock))
    [back] = (await sent(scheduling, waiting)).outputs
    assert (back.topic, back.source.value) == (BEFORE["returned"][stage]["topic"], waiting.value)


def replayed(letters: Sequence[Delivered], now_ms: Callable[[], int]) -> list[Encoded]:
    journal = MemoryJournal()
    with journal.open() as steps:
        Replayer(
            journal=steps,
            signer=OPERATOR,
            position=lambda _letter: None,
            outcomes=ScriptedOutcomes(),
            plan=Plan(by="ann", settle_s=0.0),
            now_ms=now_ms,
        ).run([letter_of(letter) for letter in letters])
    return journal.sent


@pytest.mark.parametrize("stage", STAGES)
async def test_a_letter_of_before_is_replayed(stage: str) -> None:
    runner, seen = running(stage)
    [record] = replayed([record_of(BEFORE["letters"][stage])], runner.clock)
    outcome = await sent(runner, record)
    assert [output.topic for output in outcome.outputs] == ["alerts"]
    assert (seen[0].attempt, seen[0].source.headers[h.SUPERSEDES]) == (1, b"bug")


@pytest.mark.parametrize("stage", STAGES)
async def test_a_letter_of_the_period_after_can_still_be_replayed(stage: str) -> None:
    """A retry that came too late is a dead letter like any other: nothing is lost."""
    runner, seen = running(stage)
    late = (await sent(runner, record_of(BEFORE["returned"][stage]))).dead_letter
    assert late is not None
    [record] = replayed([late.source], runner.clock)
    assert [output.topic for output in (await sent(runner, record)).outputs] == ["alerts"]
    assert len(seen) == 1
