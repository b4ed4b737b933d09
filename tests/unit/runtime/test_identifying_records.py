"""Feedback names users as applications do: what leaves its topic is sealed by the stage that reads it, for itself."""

from collections.abc import Sequence

import pytest

from forebay.contract import headers as h
from forebay.contract.failures import Failure, Permanent, Transient
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.records import Feedback
from forebay.contract.topics import TOPICS, Access
from forebay.privacy.sealing import key_id_of
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.testing import KEYRING, StageRunner
from forebay.testing.stores import OPERATOR
from forebay.trust.proofs import RetryProofs, Signed

HEARD = Feedback(request_id="r-1", tenant_id="acme", user_id="ann.lee@example.com")


class Heard:
    """Two stages that read feedback; ``fails`` is raised by the first."""

    def __init__(self) -> None:
        self.fails: Failure | None = None
        self.seen: list[Feedback] = []
        routes = {"review": self._hear, "cache": self._ignore}
        self.runner = StageRunner(
            *(
                Stage(name=name, routes=[Route(topic="feedback", handle=handle)], limits=StageSettings(max_attempts=2))
                for name, handle in routes.items()
            )
        )

    async def _hear(self, feedback: Feedback, _context: Context) -> Sequence[Output]:
        if self.fails is not None:
            raise self.fails
        self.seen.append(feedback)
        return ()

    async def _ignore(self, _feedback: Feedback, _context: Context) -> Sequence[Output]:
        return ()

    def left(self) -> list[tuple[str, bytes]]:
        """What is in other topics."""
        others = [one for one in self.runner.topics.log if one.topic != "feedback" or h.SEALED in one.headers]
        return [
            (one.topic, text)
            for one in others
            for text in (one.source.key or b"", one.source.value or b"", *one.source.headers.values())
        ]


@pytest.mark.parametrize("failure", [Transient("redis_unavailable", "x"), Permanent("bug", "x")], ids=str)
async def test_no_retry_and_no_dead_letter_names_the_user(failure: Failure) -> None:
    heard = Heard()
    heard.fails = failure
    await heard.runner.send("feedback", HEARD, key="r-1")
    await heard.runner.advance(3_600)
    assert [letter.stage for letter in heard.runner.dead_letters] == ["review"]
    assert [topic for topic, text in heard.left() if b"ann.lee" in text] == []


async def test_nor_does_the_letter_of_what_is_no_feedback() -> None:
    heard = Heard()
    await heard.runner.send("feedback", b"from ann.lee@example.com", key="ann.lee@example.com")
    assert len(heard.runner.dead_letters) == 2
    assert [topic for topic, text in heard.left() if b"ann.lee" in text] == []


async def test_a_retry_is_opened_by_its_stage() -> None:
    heard = Heard()
    heard.fails = Transient("redis_unavailable", "x")
    outcome = await heard.runner.send("feedback", HEARD, key="r-1")
    assert outcome.retry is not None
    assert heard.runner.original(outcome.retry) == HEARD
    heard.fails = None
    await heard.runner.advance(60)
    assert heard.seen == [HEARD]


async def test_a_replayed_letter_is_opened_by_its_stage_and_no_operator_can() -> None:
    heard = Heard()
    heard.fails = Permanent("bug", "x")
    await heard.runner.send("feedback", HEARD, key="r-1")
    [letter] = heard.runner.dead_letters
    assert key_id_of(letter.source.value or b"") not in KEYRING.key_ids
    heard.fails = None
    now = str(heard.runner.clock()).encode()
    replay = {h.REPLAYED_AT: now, h.REPLAYED_LETTER: b"l", h.REPLAY_ID: b"p", h.RETRY_STAGE: b"review"}
    kept = {name: value for name, value in letter.source.headers.items() if name in {h.SEALED, h.SEALED_KEY, *h.ORIGIN}}
    signed = Signed(key=letter.source.key, value=letter.source.value, headers=kept | replay)
    headers = dict(signed.headers) | {h.PROOF: OPERATOR.proof(signed)}
    await heard.runner.send("feedback", signed.value, key=signed.key, headers=headers)
    assert heard.seen == [HEARD]


def test_each_stage_has_a_key_of_its_own_and_a_new_secret_opens_what_the_old_one_sealed() -> None:
    old, new = b"\1" * 32, b"\2" * 32
    before = RetryProofs("review", [old]).sealing_keys()
    assert before != RetryProofs("cache", [old]).sealing_keys()
    after = RetryProofs("review", [new, old]).sealing_keys()
    assert next(iter(after.items())) not in before.items()
    assert before.items() <= after.items()
    assert old not in before.values()


def test_it_is_kept_no_longer_than_requests() -> None:
    assert TOPICS["feedback"].access is Access.IDENTIFYING
    assert TOPICS["feedback"].retention_ms == TOPICS["requests"].retention_ms
