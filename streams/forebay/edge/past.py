"""Which answers are older than what a door remembers? From the time in an id on they are looked for in their topic.

An id of ours says when it was made (UUIDv7); that of a key of idempotency does not, but is good for an hour. Of others
nobody knows from where on to look. Few are looked for at once: whoever makes ids up waits for those before him.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

import structlog

from forebay.client.door_channel import Arrived
from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.records import Response
from forebay.edge.answers import Answers, Reading
from forebay.edge.asked.request_of import NAMED
from forebay.edge.errors import Refused
from forebay.kafka.queries import broker_errors
from forebay.privacy.fingerprints import CONFLICT

_NAMED_MS = 3_600_000
"""As long as ``completion.keep_s`` by default: so long a key of idempotency is good."""
_SKEW_MS = 10_000
_AT_ONCE, _MOST_WAITING = 2, 16

log = structlog.get_logger(__name__)


class Topic(Protocol):
    """See :class:`forebay.client.past_responses.PastResponses`."""

    def under(self, request_id: str, tenant_id: str, since_ms: int) -> Iterable[Arrived]:
        """Responses under ``request_id``, oldest first. Blocks."""
        ...


class Past:
    """Finds answers in their topic; for one event loop."""

    def __init__(self, topic: Topic, answers: Answers, reading: Reading, clock: Clock = now_ms) -> None:
        self._topic = topic
        self._answers = answers
        self._reading = reading
        self._clock = clock
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def find(self, request_id: str, tenant_id: str) -> Response | None:
        """The tenant's answer under ``request_id``, if its id is older than what is remembered.

        Raises:
            Refused: ``overloaded``, too many are looked for.
        """
        now = self._clock()
        since_ms = now - _NAMED_MS if request_id.startswith(NAMED) else made_at(request_id)
        if since_ms is None or since_ms - _SKEW_MS > now - 1000 * self._answers.remembered_s:
            return None
        if self._waiting >= _MOST_WAITING:
            raise Refused("overloaded", "too many old answers are looked for")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._found, request_id, tenant_id, since_ms - _SKEW_MS)
        except broker_errors() as error:
            log.warning("past_not_read", error=type(error).__name__)
            return None
        finally:
            self._waiting -= 1

    def _found(self, request_id: str, tenant_id: str, since_ms: int) -> Response | None:
        """The first good answer, else what makes a failure good, else the failure."""
        found: Response | None = None
        for arrived in self._topic.under(request_id, tenant_id, since_ms):
            response = self._reading.decode(arrived)
            if response is None or response.tenant_id != tenant_id:
                continue
            if response.error is None:
                return response
            if found is None or h.SUPERSEDES in arrived.headers or _conflicts(found):
                found = response
        return found


def made_at(request_id: str) -> int | None:
    """When an id was made, in ms since the epoch; ``None``: it does not say."""
    try:
        one = UUID(request_id)
    except ValueError:
        return None
    return one.int >> 80 if one.version == 7 else None


def _conflicts(response: Response) -> bool:
    return response.error is not None and response.error.code == CONFLICT
