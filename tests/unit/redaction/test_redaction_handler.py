"""The redaction stage without servers: a finder that knows a few names, a vault in memory."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.canonical import prompt_hash
from forebay.contract.failures import Permanent, Rejected, Transient
from forebay.contract.ids import refused_id
from forebay.contract.records import (
    Completion,
    Error,
    Message,
    MessageRole,
    Params,
    RedactedRequest,
    Request,
    ResponseStatus,
)
from forebay.privacy.fingerprints import FingerprintHeaders
from forebay.privacy.vault import Vault
from forebay.testing import KEYRING, MemoryVaultStore, context, memory_vault
from forebay_agents.redaction.detection.detector import Asked, Found
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.handler import RedactionHandler
from forebay_agents.redaction.metrics import RedactionMetrics
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.public.deciding import Decision
from forebay_agents.redaction.public.reasons import Reason, Veto
from forebay_agents.redaction.settings import Action, Profile, RedactionSettings, TenantRules
from forebay_agents.response.handler import ResponseHandler

SECRETS = {"Ana Lee": "PERSON", "Bath": "LOCATION", "078-05-1120": "US_SSN", "4111": "CREDIT_CARD"}


async def find(asked: Asked) -> Found:
    found: list[list[Span]] = []
    for part in asked.parts:
        spans = []
        for value, kind in SECRETS.items():
            start = part.text.find(value)
            if start >= 0:
                spans.append(Span(start=start, end=start + len(value), kind=kind, score=1.0))
        found.append(sorted(spans, key=lambda span: span.start))
    return Found(spans=found, language="en")


CONTEXT = context("requests", key=b"r1", accepted_at=5)


class Counted:
    """Daily counts in memory."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, tenant_id: str, actions: Mapping[tuple[str, str], int]) -> None:
        for (entity, action), count in actions.items():
            self.counts[tenant_id, entity, action] += count


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def daily() -> Counted:
    return Counted()


@pytest.fixture
def store() -> MemoryVaultStore:
    return MemoryVaultStore()


@pytest.fixture
def vault(store: MemoryVaultStore) -> Vault:
    return memory_vault(store=store)


@pytest.fixture
def handler(vault: Vault, registry: CollectorRegistry, daily: Counted) -> RedactionHandler:
    policies = Policies(RedactionSettings(tenants={"strict": TenantRules(policy={"US_SSN": Action.BLOCK})}))
    return RedactionHandler(
        find, vault, policies, RedactionMetrics(registry), daily, max_messages=10, max_chars=1000, clock_ms=lambda: 9
    )


def _request(*contents: str, **changes: object) -> Request:
    messages = tuple(Message(content=content) for content in contents)
    return replace(Request(request_id="r1", messages=messages), **changes)  # type: ignore[arg-type]  # test helper


async def _redact(handler: RedactionHandler, request: Request) -> RedactedRequest:
    [output] = await handler.handle(request, CONTEXT)
    assert output.topic == "requests.redacted"
    assert isinstance(output.value, RedactedRequest)
    assert output.key == output.value.prompt_hash == prompt_hash(output.value)
    return output.value


async def test_a_request_comes_out_with_pseudonyms_and_goes_back(handler: RedactionHandler, vault: Vault) -> None:
    redacted = await _redact(handler, _request("I am Ana Lee in Bath", "Ana Lee again", metadata={"who": "Ana Lee"}))
    assert [m.content for m in redacted.messages] == ["I am <PERSON_1> in <LOCATION_1>", "<PERSON_1> again"]
    assert redacted.metadata == {"who": "<PERSON_1>"}
    assert redacted.entities == {"LOCATION": 1, "PERSON": 1}
    assert redacted.accepted_at == 5
    assert redacted.vault_ref is not None
    completion = Completion(
        request_id="r1", status=ResponseStatus.OK, content="Hi [person 1] of <LOCATION_1>!", request=redacted
    )
    output, _kept = await ResponseHandler(vault, FingerprintHeaders(KEYRING)).handle(completion, CONTEXT)
    assert output.value.content == "Hi Ana Lee of Bath!"  # type: ignore[union-attr]  # it is a Response


async def test_every_text_of_a_request_is_redacted(handler: RedactionHandler) -> None:
    arguments = json.dumps({"Ana Lee": "078-05-1120", "card": 4111, "n": [1.5, True, None]})
    calls = json.dumps([{"id": "c1", "function": {"name": "f", "arguments": arguments}}])
    request = Request(
        request_id="r1",
        messages=(
            Message(role=MessageRole.SYSTEM, content="Ana Lee", name="Ana Lee"),
            Message(role=MessageRole.ASSISTANT, tool_calls=calls),
            Message(role=MessageRole.TOOL, content="Bath", tool_call_id="078-05-1120"),
        ),
        tools=json.dumps([{"function": {"description": "for Ana Lee"}}]),
        response_format=json.dumps({"enum": ["Bath"]}),
        params=Params(stop=("Ana Lee:",)),
        metadata={"Ana Lee": "x"},
    )
    redacted = await _redact(handler, request)
    assert not any(secret in repr(redacted) for secret in SECRETS)
    inner = json.loads(json.loads(redacted.messages[1].tool_calls or "")[0]["function"]["arguments"])
    assert inner == {"<PERSON_1>": "<US_SSN_1>", "card": "<CREDIT_CARD_1>", "n": [1.5, True, None]}


async def test_clean_json_is_passed_on_to_the_blank(handler: RedactionHandler) -> None:
    redacted = await _redact(handler, _request("hello", tools='[ {"type" :"function"}]'))
    assert redacted.tools == '[ {"type" :"function"}]'
    assert redacted.vault_ref is None


async def test_repeated_json_keys_hide_nothing(handler: RedactionHandler) -> None:
    with pytest.raises(Rejected, match="repeated keys"):
        await _redact(handler, _request("hi", tools='[{"a": "Ana Lee", "a": "x"}]'))
    calls = json.dumps([{"function": {"arguments": '{"a": "Ana Lee", "a": "x"}'}}])
    request = Request(request_id="r1", messages=(Message(role=MessageRole.ASSISTANT, tool_calls=calls),))
    assert "Ana Lee" not in repr(await _redact(handler, request))


async def test_a_conversation_keeps_its_pseudonyms(handler: RedactionHandler) -> None:
    first = await _redact(handler, _request("Ana Lee", conversation_id="c"))
    second = await _redact(handler, _request("Bath", conversation_id="c"))
    third = await _redact(handler, _request("078-05-1120 of Ana Lee", conversation_id="c"))
    assert first.messages[0].content == "<PERSON_1>"
    assert third.messages[0].content == "<US_SSN_1> of <PERSON_1>"
    assert second.entities == {"LOCATION": 1}


async def test_without_redis_only_clean_requests_pass(handler: RedactionHandler, store: MemoryVaultStore) -> None:
    store.down = True
    assert (await _redact(handler, _request("hello"))).vault_ref is None
    with pytest.raises(Transient) as down:
        await handler.handle(_request("Ana Lee"), CONTEXT)
    assert down.value.code == "redis_unavailable"


async def test_who_is_turned_away_hears_when_to_come_again(handler: RedactionHandler) -> None:
    [output] = handler.on_failure(_request("hello"), CONTEXT, Rejected("overloaded", "m", retry_at=7))
    assert isinstance(output.value, Completion)
    assert (output.value.status, output.value.error) == (
        ResponseStatus.REJECTED,
        Error(code="overloaded", message="m", retry_at=7),
    )


async def test_a_failure_becomes_a_completion_without_text(handler: RedactionHandler) -> None:
    bad = _request("Ana Lee", request_id="Ana Lee 078-05-1120", user_id="u 4111", task="x")
    for record, code, status in (
        (bad, "invalid_request", ResponseStatus.REJECTED),
        (None, "undecodable", ResponseStatus.FAILED),
    ):
        failure = Rejected(code, "m") if status is ResponseStatus.REJECTED else Permanent(code, "m")
        [output] = handler.on_failure(record, CONTEXT, failure)
        assert output.topic == "completions"
        assert isinstance(output.value, Completion)
        assert (
            output.key == output.value.request_id == ("requests-0-0" if record is None else refused_id(bad.request_id))
        )
        assert output.value.status is status
        assert output.value.error is not None
        assert output.value.error.code == code
        assert not any(secret in repr(output.value) for secret in SECRETS)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"messages": ()}, "messages"),
        ({"messages": (Message(content="  "),)}, "messages"),
        ({"messages": (Message(content="x"),) * 11}, "messages"),
        ({"messages": (Message(content="x" * 1001),)}, "messages"),
        ({"messages": (Message(content="x", tool_calls="[]"),)}, r"messages\[0\].tool_calls"),
        ({"messages": (Message(role=MessageRole.TOOL, content="x"),)}, r"messages\[0\].tool_call_id"),
        ({"tools": "{"}, "tools"),
        ({"params": Params(tool_choice="sometimes")}, "params.tool_choice"),
        ({"params": Params(tool_choice="{")}, "params.tool_choice"),
        ({"params": Params(reasoning_effort="ask Ana")}, "params.reasoning_effort"),
        ({"key_id": "ana@example.com"}, "key_id"),
        ({"tools": "{}"}, "tools"),
        ({"tools": "[" * 80 + "]" * 80}, "tools"),
        ({"response_format": "[]"}, "response_format"),
        ({"request_id": ""}, "request_id"),
        ({"user_id": "a|b"}, "user_id"),
        ({"conversation_id": "a b"}, "conversation_id"),
        ({"task": "call Ana Lee"}, "task"),
        ({"params": Params(temperature=float("nan"))}, "params.temperature"),
        ({"params": Params(top_p=1.1)}, "params.top_p"),
        ({"params": Params(max_tokens=0)}, "params.max_tokens"),
        ({"params": Params(stop=("",))}, "params.stop"),
        ({"priority": 10}, "priority"),
        ({"deadline_ms": 0}, "deadline_ms"),
        ({"max_cost_nanousd": -1}, "max_cost_nanousd"),
        ({"redaction": "none"}, "redaction"),
    ],
)
async def test_a_request_that_breaks_the_contract_is_rejected(
    handler: RedactionHandler, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Rejected, match=f"^{field} must|^{field} is|^{field} belong") as rejected:
        await handler.handle(_request("hi", **changes), CONTEXT)
    assert rejected.value.code == "invalid_request"
    assert "Ana" not in rejected.value.message


@pytest.mark.parametrize(
    ("tenant", "asked", "read_with"),
    [
        ("careful", None, "strict"),
        ("careful", "balanced", "strict"),
        ("free", None, "strict"),
        ("free", "balanced", "balanced"),
        ("open", None, "balanced"),
        ("open", "strict", "strict"),
    ],
)
async def test_the_redacted_record_says_with_which_profile_it_was_read(
    vault: Vault, daily: Counted, registry: CollectorRegistry, tenant: str, asked: str | None, read_with: str
) -> None:
    seen: list[str | None] = []

    async def noting(asked: Asked) -> Found:
        seen.append(asked.profile)
        return await find(asked)

    rules = {
        "careful": TenantRules(profile=Profile.STRICT),
        "free": TenantRules(profile=Profile.STRICT, looser_requests=True),
        "open": TenantRules(profile=Profile.BALANCED),
    }
    policies, metrics = Policies(RedactionSettings(tenants=rules)), RedactionMetrics(registry)
    handler = RedactionHandler(noting, vault, policies, metrics, daily, max_messages=10, max_chars=1000)
    redacted = await _redact(handler, _request("hi", tenant_id=tenant, redaction=asked))
    assert seen == [redacted.redaction] == [read_with]


async def test_what_stays_is_counted_by_kind_and_reason(
    vault: Vault, daily: Counted, registry: CollectorRegistry
) -> None:
    span = Span(start=0, end=4, kind="LOCATION", score=1.0)
    asked = Decision(span=span, judged=Reason.ASKED, kind="places")

    async def knowing(_asked: Asked) -> Found:
        gone = Decision(span=span, judged=Veto.FIRST, kind="places")
        eponym = Decision(span=span, judged=Reason.EPONYM, kind="eponyms")
        return Found(spans=[[]], language="en", public=(asked, gone, asked, eponym))

    policies, metrics = Policies(RedactionSettings()), RedactionMetrics(registry)
    handler = RedactionHandler(knowing, vault, policies, metrics, daily, max_messages=10, max_chars=1000)
    redacted = await _redact(handler, _request("hi"))
    assert redacted.public == {"places.asked": 2, "eponyms.eponym": 1}
    labels = {"kind": "places", "reason": "asked"}
    assert registry.get_sample_value("forebay_redaction_public_total", labels) == 2


async def test_findings_are_counted_by_entity_action_and_tenant_and_never_by_value(
    handler: RedactionHandler, registry: CollectorRegistry, daily: Counted
) -> None:
    await _redact(handler, _request("Ana Lee in Bath, Ana Lee", tenant_id="acme"))
    labels = {"entity": "PERSON", "action": "pseudonymise"}
    assert registry.get_sample_value("forebay_redaction_entities_total", labels) == 1
    assert daily.counts == {("acme", "PERSON", "pseudonymise"): 1, ("acme", "LOCATION", "pseudonymise"): 1}
    assert registry.get_sample_value("forebay_redaction_characters_total") == 24


async def test_a_policy_that_blocks_rejects_the_request_and_counts_it(
    handler: RedactionHandler, daily: Counted
) -> None:
    with pytest.raises(Rejected) as rejected:
        await handler.handle(_request("078-05-1120", tenant_id="strict"), CONTEXT)
    assert rejected.value.code == "pii_blocked"
    assert "078" not in rejected.value.message
    assert daily.counts == {("strict", "US_SSN", "block"): 1}
    assert (await _redact(handler, _request("078-05-1120"))).messages[0].content == "<US_SSN_1>"
