"""What does the requester get? The outcome, with personal data restored from the vault."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Failure, Permanent
from forebay.contract.handlers import Context, Output
from forebay.contract.records import Completion, Error, MessageRole, RedactedRequest, Response, ResponseStatus
from forebay.observability.spans import read, worked
from forebay.privacy.people.travelling import Ids
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer
from forebay.privacy.vault import Owner
from forebay_agents.response.goals import Goal, kept
from forebay_agents.response.outcomes import outcome_of
from forebay_agents.response.settings import Addresses


class Maps(Protocol):
    """The part of the vault that is needed here."""

    async def load(self, ref: str, owner: Owner, request_id: str) -> PseudonymMap:
        """The map behind ``ref`` of this request of ``owner``.

        Raises:
            Permanent: ``vault_expired``, or ``vault_mismatch``: it is another request's.
        """
        ...


class Marks(Protocol):
    """The part of :class:`forebay.privacy.fingerprints.FingerprintHeaders` that is needed here."""

    def opened(self, headers: h.Headers, request_id: str) -> dict[str, bytes]:
        """The header that says which body the response is about."""
        ...

    def sent_id(self, headers: h.Headers, request_id: str) -> str:
        """The id under which the response goes back."""
        ...


class People(Protocol):
    """The part of :class:`forebay.privacy.people.travelling.TravellingIds` that is needed here."""

    def put_back(self, headers: h.Headers, tenant_id: str, request_id: str, called: Ids) -> Ids:
        """The ids that the application gave."""
        ...


class Counts(Protocol):
    """The part of :class:`forebay_agents.response.metrics.ResponseMetrics` that is needed here."""

    def responded(self, kept: Mapping[Goal, bool]) -> None:
        """A response went out, and keeps these promises, or not."""
        ...

    def withheld(self, pseudonyms: int) -> None:
        """So many stayed in an answer."""
        ...


class ResponseHandler:
    """Makes terminal responses.

    Args:
        maps: the vault.
        marks: which body a response is about, and under which id it was asked for.
        people: what their user and conversation were called; ``None``: as the completion says.
        addresses: whether personal data may get into addresses that a model wrote.
        metrics: counts what did not, and which promises were kept.
        answer_s: how long an answer may take, in seconds.
        clock_ms: ms since the epoch.
        metadata_keys: keys of metadata that outcomes keep.
    """

    def __init__(
        self,
        maps: Maps,
        marks: Marks,
        clock_ms: Clock = now_ms,
        *,
        people: People | None = None,
        addresses: Addresses = Addresses.WITHHOLD,
        metrics: Counts | None = None,
        metadata_keys: Sequence[str] = (),
        answer_s: float = 3.0,
    ) -> None:
        self._metadata_keys = metadata_keys
        self._maps = maps
        self._marks = marks
        self._people = people
        self._clock_ms = clock_ms
        self._withhold = addresses is Addresses.WITHHOLD
        self._metrics = metrics
        self._answer_s = answer_s

    async def handle(self, completion: Completion, context: Context) -> list[Output]:
        """The response to ``completion``. Without its mapping it is ``failed``: wrong names are no answer.

        Raises:
            Permanent: ``vault_mismatch``: the mapping is not the addressee's. Somebody wrote that: a dead letter.
        """
        started = time.perf_counter()
        request = completion.request or RedactedRequest()
        try:
            mapping = await self._mapping(completion, request)
        except Permanent as failure:
            if failure.code == "vault_mismatch":
                raise
            return self._outputs(completion, context, None, started, failure)
        restorer = Restorer(mapping, _own_texts(request), withhold=self._withhold)
        return self._outputs(completion, context, restorer, started)

    async def _mapping(self, completion: Completion, request: RedactedRequest) -> PseudonymMap:
        """What is restored: of the one who gets the response, whoever the request inside says that it is of."""
        if not request.vault_ref:
            return PseudonymMap()
        addressee = (completion.tenant_id, completion.user_id, completion.request_id)
        if addressee != (request.tenant_id, request.user_id, request.request_id):
            raise Permanent("vault_mismatch", "the answer is addressed to somebody else than who asked")
        owner = Owner(tenant_id=completion.tenant_id, user_id=completion.user_id)
        return await self._maps.load(request.vault_ref, owner, completion.request_id)

    def on_failure(self, completion: Completion | None, context: Context, failure: Failure) -> Sequence[Output]:
        """A failed response: also a completion that cannot be read has somebody waiting for it."""
        known = completion or Completion(request_id=context.fallback_id)
        return self._outputs(known, context, None, time.perf_counter(), failure)

    def _outputs(
        self,
        completion: Completion,
        context: Context,
        restorer: Restorer | None,
        started: float,
        failure: Failure | None = None,
    ) -> list[Output]:
        """The response and its outcome; no ``restorer``: whatever might hold a pseudonym is left out."""
        request = completion.request or RedactedRequest()
        error, status = completion.error, completion.status
        if failure is not None:
            error, status = Error(code=failure.code, message=failure.message), ResponseStatus.FAILED
        content, calls, metadata = "", None, {}
        degraded = completion.degraded
        if restorer is not None:
            content = restorer.restore_text(completion.content)
            degraded = degraded or restorer.withheld > 0
            if restorer.withheld and self._metrics is not None:
                self._metrics.withheld(restorer.withheld)
            calls = None if completion.tool_calls is None else restorer.restore_json(completion.tool_calls)
            metadata = {restorer.restore(k): restorer.restore(v) for k, v in request.metadata.items()}
        headers = context.source.headers
        answered = completion.request_id or context.fallback_id
        request_id = self._marks.sent_id(headers, answered)
        ids = Ids(user_id=completion.user_id, conversation_id=request.conversation_id)
        if self._people is not None:
            ids = self._people.put_back(headers, completion.tenant_id, answered, ids)
        response = Response(
            request_id=request_id,
            tenant_id=completion.tenant_id,
            user_id=ids.user_id,
            conversation_id=ids.conversation_id,
            status=status,
            content=content,
            tool_calls=calls,
            finish_reason=completion.finish_reason,
            error=error,
            source=completion.source,
            tier=completion.tier,
            model=completion.model,
            attempts=len(completion.attempts),
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            cached_prompt_tokens=completion.cached_prompt_tokens,
            cost_nanousd=completion.cost_nanousd,
            saved_nanousd=completion.saved_nanousd,
            confidence=completion.confidence,
            redactions=request.entities,
            timings=self._timings(completion, context, started),
            degraded=degraded,
            degraded_reason="address" if restorer is not None and restorer.withheld else None,
            metadata=metadata,
            supersedes=h.text(context.source.headers, h.SUPERSEDES),
            accepted_at=request.accepted_at or context.accepted_at,
            responded_at=self._clock_ms(),
        )
        if self._metrics is not None:
            self._metrics.responded(kept(response, self._answer_s))
        about = self._marks.opened(headers, request_id)
        outcome = outcome_of(completion, response, context, time.perf_counter() - started, self._metadata_keys)
        return [
            Output(topic="responses", key=request_id, value=response, headers=about),
            Output(topic="outcomes", key=outcome.request_id, value=outcome),
        ]

    @staticmethod
    def _timings(completion: Completion, context: Context, started: float) -> dict[str, int]:
        """Microseconds by stage: of the completion, of the spans, and of this one."""
        mine = {"response": round(1e6 * (time.perf_counter() - started))}
        return {**completion.timings, **worked(read(context.source.headers.get(h.SPANS, b""))), **mine}


_OWN = frozenset({MessageRole.USER, MessageRole.SYSTEM, MessageRole.DEVELOPER})
"""Whose texts are the requester's own: what models and tools wrote before is believed no more than this answer."""


def _own_texts(request: RedactedRequest) -> list[str]:
    return [message.content for message in request.messages if message.role in _OWN]
