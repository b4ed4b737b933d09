"""What happens to a request? Validate, find, replace, remember, hand on: the redaction stage in one function.

A request that cannot be redacted is never handed on: every failure becomes a completion without text.
"""

import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from forebay.contract.canonical import prompt_hash
from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Failure, Rejected, Transient
from forebay.contract.handlers import Context, Output, aside
from forebay.contract.ids import plain_id
from forebay.contract.records import Completion, Error, RedactedRequest, Request, ResponseStatus
from forebay.privacy.egress import EgressGuard
from forebay.privacy.fingerprints import answered_id
from forebay.privacy.people.travelling import TravellingIds
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Conversation, Owner, Vault
from forebay_agents.redaction.conversation.memory import remembered
from forebay_agents.redaction.detection.detector import Asked, Found
from forebay_agents.redaction.metrics import RedactionMetrics
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.pseudonymise import Pseudonymised, pseudonymise
from forebay_agents.redaction.public.deciding import left_by_reason
from forebay_agents.redaction.public.facts import sealed
from forebay_agents.redaction.request_parts import Part, collect, rebuild
from forebay_agents.redaction.settings import Action
from forebay_agents.redaction.surrogates import Surrogates
from forebay_agents.redaction.validation import validate

_SWAPS = 16
"""Attempts to extend a conversation that other requests extend at the same moment; each failure is their progress."""

Find = Callable[[Asked], Awaitable[Found]]
"""Finds personal data in what is asked; off the event loop."""


class Counts(Protocol):
    """The part of :class:`forebay_agents.redaction.daily_counts.Daily` that is needed here."""

    def add(self, tenant_id: str, actions: Mapping[tuple[str, str], int]) -> None:
        """Findings of a request by entity and action."""
        ...


class RedactionHandler:
    """Redacts requests.

    Args:
        find: see :data:`Find`.
        vault: keeps what pseudonyms stand for.
        policies: what happens to what was found, by tenant.
        metrics: counts it.
        daily: counts it by tenant.
        max_messages: most messages of a request.
        max_chars: most characters of a request.
        ids: takes the ids of users and conversations off; by default with keys that this process alone has.
        guard: looks at what was written, with what was just replaced; a hit fails the request.
        asked_key: hashes the values of which a fact is asked, the same in all workers; by default this process's alone.
        clock_ms: ms since the epoch.
    """

    def __init__(
        self,
        find: Find,
        vault: Vault,
        policies: Policies,
        metrics: RedactionMetrics,
        daily: Counts,
        *,
        max_messages: int,
        max_chars: int,
        guard: EgressGuard | None = None,
        ids: TravellingIds | None = None,
        asked_key: bytes | None = None,
        clock_ms: Clock = now_ms,
    ) -> None:
        self._asked_key = asked_key or os.urandom(32)
        self._find = find
        self._vault = vault
        self._policies = policies
        self._metrics = metrics
        self._daily = daily
        self._max_messages = max_messages
        self._max_chars = max_chars
        self._guard = guard
        self._ids = ids or TravellingIds.of_this_process()
        self._clock_ms = clock_ms

    async def handle(self, request: Request, context: Context) -> list[Output]:
        """The redacted request, keyed by its canonical prompt."""
        started = time.perf_counter()
        validate(request, max_messages=self._max_messages, max_chars=self._max_chars)
        named = self._ids.taken_off(request, request.request_id)
        redacted = await self._redact(request, named.request)
        redacted = replace(redacted, accepted_at=context.accepted_at)
        redacted = replace(redacted, prompt_hash=await aside(_length(redacted), prompt_hash, redacted))
        elapsed = time.perf_counter() - started
        self._metrics.redacted(sum(len(message.content) for message in request.messages), elapsed)
        return [Output(topic="requests.redacted", key=redacted.prompt_hash, value=redacted, headers=named.headers)]

    async def _redact(self, request: Request, named: Request) -> RedactedRequest:
        """``named`` is ``request`` with the names that records have for its user and conversation."""
        owner = Owner(tenant_id=named.tenant_id, user_id=named.user_id)
        parts = collect(request)
        known = Conversation()
        if request.conversation_id is not None:
            known = await self._vault.conversation(_asker(request), request.conversation_id)
        policy = self._policies.of(request.tenant_id)
        profile = policy.profile_of(request.redaction)
        found = await self._find(
            Asked(parts=parts, known=dict(known.tags), tenant_id=request.tenant_id, profile=profile)
        )
        left = left_by_reason(found.public)
        self._metrics.left_public(left)
        blocked = policy.blocked(found.spans)
        if blocked:
            self._count(request, {(kind, Action.BLOCK.value): 1 for kind in blocked})
        policy.refuse(found.spans)
        result = await self._number(request, owner, parts, found, known)
        if self._guard is not None:
            enforce = partial(self._guard.enforce, sink="redaction")
            await aside(sum(map(len, result.texts)), enforce, result.texts, result.mapping.originals)
        self._count(request, result.actions)
        redacted = rebuild(named, result.texts)
        return replace(
            redacted,
            entities=result.entities,
            vault_ref=await self._keep(result.mapping, owner, request.request_id),
            language=found.language,
            redaction=profile.value,
            asked=sealed(found.asked, self._asked_key, request.tenant_id),
            public={f"{kind}.{reason}": count for (kind, reason), count in left.items()},
        )

    async def _number(
        self,
        request: Request,
        owner: Owner,
        parts: Sequence[Part],
        found: Found,
        known: Conversation,
    ) -> Pseudonymised:
        """Number the values; in a conversation, agreed with the requests that are in flight beside this one."""
        texts = [part.text for part in parts]
        policy = self._policies.of(request.tenant_id)
        stand_in = None
        if policy.surrogates:
            seed = request.conversation_id or request.request_id
            stand_in = Surrogates(f"{request.tenant_id}/{request.user_id}/{seed}", found.language, texts).of
        for _ in range(_SWAPS):
            result = await aside(sum(map(len, texts)), pseudonymise, texts, found.spans, known.tags, policy, stand_in)
            tags = remembered(result.tags, found.open)
            if request.conversation_id is None or tags == known.tags:
                return result
            conversation = _asker(request), request.conversation_id
            if await self._vault.extend(*conversation, known, tags, known_as=owner):
                return result
            known = await self._vault.conversation(*conversation)
        raise Transient("redis_unavailable", "too many requests extend one conversation at once")

    def _count(self, request: Request, actions: Mapping[tuple[str, str], int]) -> None:
        self._metrics.acted(actions)
        self._daily.add(request.tenant_id, actions)

    async def _keep(self, mapping: PseudonymMap, owner: Owner, request_id: str) -> str | None:
        return await self._vault.store(mapping, owner, request_id) if mapping.originals else None

    def on_failure(self, request: Request | None, context: Context, failure: Failure) -> Sequence[Output]:
        """A terminal completion: ids and the error, no text."""
        return [failed_completion(request, context, failure, self._clock_ms(), self._ids)]


def _asker(request: Request) -> Owner:
    return Owner(tenant_id=request.tenant_id, user_id=request.user_id)


def _plain(request: Request, tenant_id: str) -> Request:
    """``request`` with none but plain ids, as one of ``tenant_id``; of nobody it has none."""
    conversation = request.conversation_id or ""
    known = plain_id(tenant_id)
    return replace(
        request,
        tenant_id=tenant_id if known else "",
        user_id=request.user_id if known and plain_id(request.user_id) else "",
        conversation_id=conversation if known and plain_id(conversation) else None,
    )


def _length(request: RedactedRequest) -> int:
    return sum(len(message.content) for message in request.messages)


def failed_completion(
    request: Request | None, context: Context, failure: Failure, now_ms: int, ids: TravellingIds
) -> Output:
    """The completion of a request that cannot be redacted; an id that is no plain id is handed on as a digest."""
    status = ResponseStatus.REJECTED if isinstance(failure, Rejected) else ResponseStatus.FAILED
    given = request or Request()
    request_id = answered_id(given.request_id, context)
    tenant_id = given.tenant_id if context.tenant_id is None else context.tenant_id
    named = ids.taken_off(_plain(given, tenant_id), request_id)
    completion = Completion(
        request_id=request_id,
        tenant_id=named.request.tenant_id,
        user_id=named.request.user_id,
        status=status,
        error=Error(
            code=failure.code,
            message=failure.message,
            retry_at=failure.retry_at if isinstance(failure, Rejected) else None,
        ),
        completed_at=now_ms,
    )
    return Output(topic="completions", key=request_id, value=completion, headers=named.headers)
