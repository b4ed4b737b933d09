"""What becomes of a request here? It is published once, waited for by whoever asked it, and joined by who asks again.

A request is open until its answer came, whether or not anybody waits: a client that gave up can come again. Who asks
again is known by an id of its own (``idempotency-key``), or, as OpenAI's clients set none, by an equal body that says
it is a repetition (``x-stainless-retry-count``). A failure that passes is repeated to nobody: who comes again after it
is a new try.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future as ThreadFuture
from dataclasses import dataclass, field, replace
from typing import Any

from forebay.client.door_channel import DoorChannel, UnknownTenantError
from forebay.client.errors import NotDeliveredError, RequestTooLargeError
from forebay.contract.clock import elapsed_s
from forebay.contract.records import Feedback, Request, Response
from forebay.edge.answers import Answers
from forebay.edge.errors import Refused, passes
from forebay.edge.metrics import EdgeMetrics
from forebay.edge.past import Past
from forebay.privacy.fingerprints import fingerprint

_OPEN_S = 3_600.0
"""As long as ``completion.keep_s`` by default: what has no answer then is not known to be under way any more."""
_MOST_BODIES = 50_000
_DELIVERY_S = 15.0

Cause = tuple[str | None, str]
"""Key, and fingerprint of a body without its id."""


@dataclass(kw_only=True, eq=False, slots=True)
class Open:
    """A request that was published here, or found answered.

    Attributes:
        request: without its texts, which the brokers have: one that waits takes a few KiB, whatever was asked.
        mark: fingerprint of its body.
        answer: in the door's loop.
        sent: ends when the brokers have it; ``None``: it was answered before.
        replayed: its answer was there already.
    """

    request: Request
    mark: str
    answer: "asyncio.Future[Response]"
    sent: "asyncio.Future[None] | None" = None
    replayed: bool = False
    since_s: float = field(default_factory=elapsed_s)


class Desk:
    """Asks for many clients; for one event loop.

    Args:
        keep_s: so long an equal body counts as a repetition, in seconds.
        past: finds what is not remembered any more; without it nobody does.
    """

    def __init__(
        self, channel: DoorChannel, answers: Answers, metrics: EdgeMetrics, *, keep_s: float, past: Past | None = None
    ) -> None:
        self._past = past
        self._channel = channel
        self._answers = answers
        self._metrics = metrics
        self._keep_s = keep_s
        self._open: dict[str, Open] = {}
        self._bodies: OrderedDict[Cause, tuple[str, float]] = OrderedDict()
        self._loop = asyncio.get_running_loop()

    def ask(self, request: Request, headers: Mapping[str, bytes], *, named: bool, tries: int | None = None) -> Open:
        """Publish ``request``, unless it was asked before.

        Args:
            headers: of its record.
            named: its id is the client's, so that it may be known.
            tries: how often the client's library says that it has tried before; ``None``: it says nothing.

        Raises:
            Refused: ``idempotency_conflict``, ``request_too_large``, ``overloaded``, ``not_allowed``.
        """
        if tries is not None and not named:
            cause = request.key_id, fingerprint(replace(request, request_id=""))
            known = self._bodies.get(cause)
            if tries > 0 and known is not None and elapsed_s() - known[1] < self._keep_s:
                folded = replace(request, request_id=known[0])
                if not _passes(self._answers.about(folded)):
                    request, named = folded, True
            self._remember(cause, request.request_id)
        mark = fingerprint(request)
        if (one := self._open.get(request.request_id)) is not None:
            if one.mark != mark:
                raise Refused("idempotency_conflict", "this idempotency key is another request's")
            self._metrics.joined.labels("in_flight").inc()
            return one
        if named and (answered := self._answered(request, mark)) is not None:
            self._metrics.joined.labels("recent").inc()
            return answered
        return self._publish(request, mark, headers)

    def open_for(self, request_id: str, tenant_id: str) -> Open | None:
        """The request under that id, if it is under way here and this tenant's."""
        one = self._open.get(request_id)
        return one if one is not None and one.request.tenant_id == tenant_id else None

    def known(self, request_id: str, tenant_id: str) -> Response | None:
        """The answer that is known under that id, if it is this tenant's."""
        return self._answers.of_tenant(request_id, tenant_id)

    async def elsewhere(
        self, request_id: str, tenant_id: str, ends_at: float, cut: "asyncio.Future[None]"
    ) -> Response | None:
        """What is answered to a tenant under an id that another door was asked, whether now or long ago.

        Args:
            ends_at: so long it is waited for, if nothing is there; monotonic, in seconds.
            cut: ends it.

        Raises:
            Refused: too many look for old answers.
        """
        looking = asyncio.ensure_future(self._found(request_id, tenant_id))
        try:
            while not cut.done():
                waiting = self._answers.wait(request_id, None)
                answer = asyncio.wrap_future(waiting, loop=self._loop)
                try:
                    if (known := self.known(request_id, tenant_id)) is not None:  # it came between two looks
                        return known
                    left_s = ends_at - elapsed_s()
                    watched: set[asyncio.Future[Any]] = {answer, cut}
                    if looking.done():
                        if (past := looking.result()) is not None or left_s <= 0:
                            return past
                    else:
                        watched.add(looking)
                    patience_s = left_s if looking.done() else None
                    await asyncio.wait(watched, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
                    if answer.done() and answer.result().tenant_id == tenant_id:
                        return answer.result()
                finally:
                    answer.cancel()
                    self._answers.give_up(request_id, waiting)
        finally:
            looking.cancel()
        return None

    async def _found(self, request_id: str, tenant_id: str) -> Response | None:
        return None if self._past is None else await self._past.find(request_id, tenant_id)

    async def delivered(self, one: Open) -> None:
        """Wait until the brokers have it. Raises :class:`Refused` (``not_delivered``)."""
        if one.sent is not None:
            watched: set[asyncio.Future[Any]] = {one.sent, one.answer}
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED, timeout=_DELIVERY_S)
            self.check_sent(one)

    def check_sent(self, one: Open) -> None:
        """Raises :class:`Refused` if the brokers did not take it; then it can be asked again."""
        sent = one.sent
        if sent is None or not sent.done() or one.answer.done():
            return
        if sent.cancelled() or sent.exception() is not None:
            self._open.pop(one.request.request_id, None)
            raise Refused("not_delivered", "the brokers did not take the request within 10 s")

    async def tell(self, feedback: Feedback) -> None:
        """Publish feedback. Raises :class:`Refused`."""
        sent = self._produce("feedback", feedback, feedback.request_id, {})
        try:
            await asyncio.wrap_future(sent)
        except NotDeliveredError:
            raise Refused("not_delivered", "the brokers did not take the feedback within 10 s") from None

    def sweep(self) -> None:
        """Forget what was asked so long ago that no answer can be expected."""
        now = elapsed_s()
        for request_id in [name for name, one in self._open.items() if now - one.since_s > _OPEN_S]:
            one = self._open.pop(request_id)
            one.answer.cancel()
        while self._bodies and now - next(iter(self._bodies.values()))[1] > self._keep_s:
            self._bodies.popitem(last=False)

    @property
    def open(self) -> int:
        """Requests without an answer."""
        return len(self._open)

    def _answered(self, request: Request, mark: str) -> Open | None:
        found = self._answers.about(request)
        if _passes(found):  # asked under the same id: what was paid after all is kept there, and not paid again
            return None
        if found is None:
            if self._answers.conflicts(request):
                raise Refused("idempotency_conflict", "this idempotency key was used for another request")
            return None
        answer: asyncio.Future[Response] = self._loop.create_future()
        answer.set_result(found)
        return Open(request=request, mark=mark, answer=answer, replayed=True)

    def _publish(self, request: Request, mark: str, headers: Mapping[str, bytes]) -> Open:
        request_id = request.request_id
        slim = replace(request, messages=(), tools=None, response_format=None, metadata={})
        waiting = self._answers.wait(request_id, slim, mark)
        try:
            sent = self._produce("requests", request, request_id, headers)
        except BaseException:
            self._answers.give_up(request_id, waiting)
            raise
        one = Open(
            request=slim,
            mark=mark,
            answer=asyncio.wrap_future(waiting, loop=self._loop),
            sent=asyncio.wrap_future(sent, loop=self._loop),
        )
        self._open[request_id] = one

        def ended(_: object) -> None:
            self._answers.give_up(request_id, waiting)
            if self._open.get(request_id) is one:
                del self._open[request_id]

        one.answer.add_done_callback(ended)
        assert one.sent is not None
        one.sent.add_done_callback(_looked_at)
        return one

    def _produce(
        self, kind: str, record: Request | Feedback, key: str, headers: Mapping[str, bytes]
    ) -> "ThreadFuture[None]":
        try:
            return self._channel.publish(kind, record.tenant_id, key, self._channel.encode(kind, record), headers)
        except RequestTooLargeError as error:
            raise Refused("request_too_large", str(error)) from None
        except BufferError:
            raise Refused("overloaded", "more is waiting to be sent than there is room for") from None
        except UnknownTenantError:
            raise Refused("unknown_tenant", "the tenant of this API key is not known here") from None

    def _remember(self, cause: Cause, request_id: str) -> None:
        self._bodies[cause] = request_id, elapsed_s()
        self._bodies.move_to_end(cause)
        while len(self._bodies) > _MOST_BODIES:
            self._bodies.popitem(last=False)


def _passes(answer: Response | None) -> bool:
    """Whether an answer is a failure that a repetition is meant to make good: then it is asked afresh."""
    return answer is not None and answer.error is not None and passes(answer.error.code)


def _looked_at(future: "asyncio.Future[None]") -> None:
    if not future.cancelled():
        future.exception()  # whoever waits asks for it; nobody need
