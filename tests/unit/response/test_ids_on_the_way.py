"""A user's id and a conversation's from ``requests`` to ``responses``: in every ending, and in no topic between."""

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Permanent, Rejected, Transient
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.records import Completion, Message, RedactedRequest, Request, ResponseStatus, UsageEvent
from forebay.operations.unanswered import Unanswered, expired
from forebay.privacy.fingerprints import FingerprintHeaders, guarded, marked
from forebay.privacy.people.names import Names
from forebay.privacy.people.travelling import TravellingIds
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.testing import KEYRING, MemoryVaultStore, StageRunner, memory_vault
from forebay.testing.stores import OPERATOR
from forebay.trust.proofs import Signed
from forebay_agents.redaction.detection.detector import Asked, Found
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.handler import RedactionHandler
from forebay_agents.redaction.metrics import RedactionMetrics
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.settings import RedactionSettings
from forebay_agents.response.handler import ResponseHandler

NAMES = Names(b"\2" * 32)
USER, CONVERSATION = "ann.lee@example.com", "ann.lee's-invoice"
ASKED = Request(
    request_id="r-1",
    tenant_id="acme",
    user_id=USER,
    conversation_id=CONVERSATION,
    messages=(Message(content="What is 12 + 7?"),),
)


class Uncounted:
    def add(self, *_: object) -> None:
        """Nobody counts here."""


class Marks(dict[str, str]):
    async def first(self, key: str, mark: str) -> str:
        return self.setdefault(key, mark)

    async def put(self, key: str, mark: str) -> None:
        self[key] = mark


class Path:
    """``redaction``, a stage between that answers or fails, and ``response``.

    Attributes:
        fails: what the stage between raises.
        finding: what redaction's detection raises.
    """

    def __init__(self, *, pseudonymise: bool = True, store: MemoryVaultStore | None = None) -> None:
        self.fails: Exception | None = None
        self.finding: Exception | None = None
        self.store = store or MemoryVaultStore()
        self._vault = memory_vault(store=self.store)
        ids, marks = TravellingIds(KEYRING, NAMES, pseudonymise=pseudonymise), FingerprintHeaders(KEYRING)
        redaction = RedactionHandler(
            self._find,
            self._vault,
            Policies(RedactionSettings()),
            RedactionMetrics(CollectorRegistry()),
            Uncounted(),
            max_messages=10,
            max_chars=1_000,
            ids=ids,
        )
        response = ResponseHandler(self._vault, marks, people=ids)
        guarding = guarded(redaction.handle, Marks(), marks)
        self.runner = StageRunner(
            self._stage("redaction", "requests", guarding, marked(redaction.on_failure, marks)),
            self._stage("cache", "requests.redacted", self._answer, self._unanswered),
            self._stage("response", "completions", response.handle, response.on_failure),
        )

    @staticmethod
    def _stage(name: str, topic: str, handle: Any, on_failure: Any) -> Stage:
        route = Route(topic=topic, handle=handle, on_failure=on_failure)
        return Stage(name=name, routes=[route], limits=StageSettings(max_attempts=2))

    async def _find(self, asked: Asked) -> Found:
        if self.finding is not None:
            raise self.finding
        spans = [
            [Span(start=at, end=at + 7, kind="PERSON", score=1.0)] if (at := part.text.find("Ann Lee")) >= 0 else []
            for part in asked.parts
        ]
        return Found(spans=spans, language="en")

    async def _answer(self, request: RedactedRequest, _context: Context) -> list[Output]:
        if self.fails is not None:
            raise self.fails
        done = Completion(
            request_id=request.request_id,
            tenant_id=request.tenant_id,
            user_id=request.user_id,
            status=ResponseStatus.OK,
            content="It is " + request.messages[-1].content,
            request=request,
        )
        spent = UsageEvent(request_id=request.request_id, tenant_id=request.tenant_id, user_id=request.user_id)
        return [
            Output(topic="completions", key=done.request_id, value=done),
            Output(topic="usage", key=f"{spent.tenant_id}|{spent.user_id}", value=spent),
        ]

    def _unanswered(self, request: RedactedRequest | None, context: Context, failure: Any) -> list[Output]:
        given = request or RedactedRequest(request_id=context.fallback_id)
        done = Completion(request_id=given.request_id, tenant_id=given.tenant_id, user_id=given.user_id)
        return [Output(topic="completions", key=done.request_id, value=replace(done, request=request))]

    async def ask(self, request: Request = ASKED) -> Any:
        await self.runner.send("requests", request, key=request.request_id)
        await self.runner.advance(3_600)
        return self.runner.topics.records("responses")[-1]

    def between(self) -> list[tuple[str, bytes]]:
        """Everything in topics that are not the application's own, and in Redis."""
        found = [("redis", f"{key} {value[0]!r}".encode()) for key, value in self.store.entries.items()]
        for one in self.runner.topics.log:
            if one.topic not in ("requests", "responses"):
                texts = [one.source.key or b"", one.source.value or b"", *one.source.headers.values()]
                found += [(one.topic, text) for text in texts]
        return found


def assert_nobody_is_named(path: Path) -> None:
    for topic, text in path.between():
        assert b"ann.lee" not in text, topic


@pytest.mark.parametrize("text", ["What is 12 + 7?", "Write to Ann Lee"])
async def test_an_answer_has_the_ids_that_were_sent_and_nobody_between_knows_them(text: str) -> None:
    path = Path()
    response = await path.ask(replace(ASKED, messages=(Message(content=text),)))
    assert (response.user_id, response.conversation_id) == (USER, CONVERSATION)
    assert response.content == f"It is {text}"
    [redacted] = path.runner.topics.records("requests.redacted")
    assert redacted.user_id == NAMES.user("acme", USER)
    assert redacted.conversation_id == NAMES.conversation("acme", CONVERSATION)
    assert_nobody_is_named(path)


async def test_the_ledger_keeps_a_name_and_no_seal() -> None:
    path = Path()
    await path.ask()
    [entry] = path.runner.topics.published("usage")
    assert (entry.record.user_id, entry.key) == (NAMES.user("acme", USER), f"acme|{NAMES.user('acme', USER)}")
    assert h.IDS not in entry.source.headers


@pytest.mark.parametrize("failure", [Rejected("budget_exceeded", "x"), Permanent("bug", "x"), Transient("bug", "x")])
async def test_a_failure_of_a_stage_between_comes_back_with_them(failure: Exception) -> None:
    path = Path()
    path.fails = failure
    response = await path.ask()
    assert (response.user_id, response.conversation_id) == (USER, CONVERSATION)
    assert_nobody_is_named(path)


@pytest.mark.parametrize("failure", [Rejected("pii_blocked", "x"), Permanent("bug", "x"), Transient("bug", "x")])
async def test_a_failure_of_redaction_comes_back_with_them(failure: Exception) -> None:
    path = Path()
    path.finding = failure
    response = await path.ask()
    assert (response.user_id, response.conversation_id) == (USER, CONVERSATION)
    assert_nobody_is_named(path)


async def test_a_failure_since_redis_is_away_comes_back_with_them() -> None:
    path = Path()
    path.store.down = True
    response = await path.ask()
    assert (response.error.code, response.user_id) == ("retries_exhausted", USER)
    assert_nobody_is_named(path)


async def test_ids_that_are_no_plain_ids_are_refused_and_named_nowhere() -> None:
    path = Path()
    response = await path.ask(replace(ASKED, user_id="ann.lee\n", conversation_id="ann.lee is|me"))
    assert (response.status, response.user_id) == (ResponseStatus.REJECTED, "")
    assert_nobody_is_named(path)


async def test_a_replayed_letter_comes_back_with_them() -> None:
    path = Path()
    path.fails = Permanent("bug", "x")
    await path.ask()
    [letter] = path.runner.dead_letters
    path.fails = None
    now = str(path.runner.clock()).encode()
    kept = {name: value for name, value in letter.source.headers.items() if name in h.LASTING or name in h.ORIGIN}
    replay = {h.REPLAYED_AT: now, h.REPLAYED_LETTER: b"l", h.REPLAY_ID: b"p", h.RETRY_STAGE: b"cache"}
    signed = Signed(key=letter.source.key, value=letter.source.value, headers=kept | replay)
    headers = dict(signed.headers) | {h.PROOF: OPERATOR.proof(signed)}
    await path.runner.send("requests.redacted", signed.value, key=signed.key, headers=headers)
    response = path.runner.topics.records("responses")[-1]
    assert (response.status, response.user_id) == (ResponseStatus.OK, USER)


async def test_who_is_told_by_an_operator_that_his_record_was_lost_is_told_by_his_own_id() -> None:
    path = Path()
    await path.ask()
    [asked] = path.runner.topics.published("requests.redacted")
    lost = Unanswered(
        request_id="r-1",
        tenant_id="acme",
        user_id=asked.record.user_id,
        asked_at=0,
        headers=asked.source.headers,
    )
    [output] = expired([lost], 1)
    await path.runner.send("completions", output.value, key=output.key, headers=output.headers)
    assert path.runner.topics.records("responses")[-1].user_id == USER


async def test_a_conversation_goes_on_when_the_setting_is_changed() -> None:
    store = MemoryVaultStore()
    said = replace(ASKED, messages=(Message(content="I am Ann Lee"),))
    for number, pseudonymise in enumerate([False, True, False, True]):
        path = Path(pseudonymise=pseudonymise, store=store)
        before = len([key for key in store.entries if ":c:" in key])
        response = await path.ask(replace(said, request_id=f"r-{number}"))
        assert (response.content, response.user_id) == ("It is I am Ann Lee", USER)
        assert len([key for key in store.entries if ":c:" in key]) == max(before, 1)  # one conversation all along


async def test_what_was_under_way_when_the_setting_was_changed_is_answered() -> None:
    store = MemoryVaultStore()
    for pseudonymise in (True, False):
        path, after = Path(pseudonymise=pseudonymise, store=store), Path(pseudonymise=not pseudonymise, store=store)
        await path.ask(replace(ASKED, messages=(Message(content="I am Ann Lee"),)))
        [done, *_] = path.runner.topics.published("completions")
        await after.runner.send("completions", done.record, key=done.key, headers=done.source.headers)
        response = after.runner.topics.records("responses")[-1]
        assert (response.content, response.user_id) == ("It is I am Ann Lee", USER)
