"""What is believed of a record as it comes? Asked once, before anything reads a header of it.

A record is fresh unless it proves that it comes back: a retry by the proof of the stage that failed, a replay by that
of an operator (:mod:`forebay.trust.proofs`). Of a fresh one counts what its topic's writers may say: of a topic with
outside writers the trace, and where a door wants pieces of the answer; of an inner one what travels on with a request.
Everything else is dropped, counted, and named in a dead letter.

A record that claims to be this stage's retry, on a topic that only stages write to, and is none was made by somebody:
it is a dead letter (``forged_retry``) and answers nobody. So is one that holds sealed bytes without a proof: no
producer can seal.

Of what applications write it says, too, which tenant wrote it (:mod:`forebay.trust.tenants`); asked before the value is
read, so that a retry of what could not be read is still its tenant's.
"""

import asyncio
import base64
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

import structlog

from forebay.contract import headers as h
from forebay.contract.clock import Clock
from forebay.contract.failures import Transient
from forebay.contract.handlers import Route
from forebay.contract.topics import DELTA_PARTITIONS, RETRY_LEVELS, topic_named
from forebay.contract.wire import Delivered
from forebay.observability import spans
from forebay.observability.metrics import StageMetrics
from forebay.privacy.sealing import SealError, looks_sealed
from forebay.runtime.dead_letters import key_context
from forebay.runtime.rules import Rules
from forebay.settings.tenants import Identity
from forebay.trust.proofs import Signed

log = structlog.get_logger(__name__)

REPLAY_MS = 3_600_000
"""For so long a replay counts after its operator sent it."""
_AHEAD_MS = 300_000
"""So far may the operator's clock be ahead of the brokers'; ten times what ``clock_skew`` tells of."""
_HOLD_S = 1.0
_LOG_S = 60.0
"""Between two lines about dropped headers: a producer that sends some sends them with each record."""
_MOST_NAMES = 20
"""Of one line and one dead letter."""
_TRACE = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_OUTSIDE = frozenset({h.TRACEPARENT, h.REPLY_TO, h.STREAM})
_FORMED = _OUTSIDE | {h.SPANS}
"""What has a form of its own."""
_CLAIMS = frozenset({h.PROOF, h.RETRY_STAGE, h.SEALED})
"""Without one of these a record does not say that it comes back."""
_OF_PROOF = frozenset({h.PROOF, h.DUE_AT})
_OF_OLDER = h.KNOWN - {h.WRITER}
_OF_SEAL = frozenset({h.SEALED, h.SEALED_KEY, *h.ORIGIN})


class Standing(Enum):
    """What a record is: for the first time here, come back, another stage's, or made by somebody who may not."""

    FRESH = "fresh"
    RETRY = "retry"
    REPLAY = "replay"
    OTHERS = "others"
    FORGED = "forged"


class Admitted(NamedTuple):
    """A record with the headers that are believed; a tuple, because one is made for each record."""

    source: Delivered
    standing: Standing


class Ingress:
    """Admits the records of one route.

    Args:
        clock_ms: ms since the epoch.
        sleep: waits, in seconds, while nobody can say whether a replay is the first.
    """

    def __init__(
        self,
        route: Route,
        rules: Rules,
        metrics: StageMetrics,
        clock_ms: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        topic = topic_named(route.topic)
        self._topic = route.topic
        self._readers = () if topic is None else topic.readers
        self._outside = topic is not None and topic.outside
        self._allowed = _OUTSIDE if self._outside else h.LASTING
        self._identified = self._outside and rules.tenants.identity is not Identity.FIELD
        if self._identified and rules.tenants.identity is Identity.SIGNED:
            self._allowed |= {h.TENANT}
        self._rules = rules
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._told_at = -_LOG_S

    def admit(self, source: Delivered) -> Admitted:
        """``source`` as far as it is believed; asks nobody."""
        admitted = self._admitted(source)
        if not self._identified or admitted.standing is not Standing.FRESH:
            return admitted
        source = admitted.source
        headers = {name: value for name, value in source.headers.items() if name != h.TENANT}
        headers[h.WRITER] = self._rules.tenants.writer(source).encode()
        return admitted._replace(source=replace(source, headers=headers))

    def _admitted(self, source: Delivered) -> Admitted:
        headers = source.headers
        if (headers.keys() <= self._allowed and _sound(headers)) or self._topic in RETRY_LEVELS:
            return Admitted(source, Standing.FRESH)  # of a retry topic: who signed it reads it next
        if _CLAIMS.isdisjoint(headers):
            return Admitted(self._only(source, self._allowed), Standing.FRESH)
        return self._returned(source)

    async def is_first(self, source: Delivered) -> bool:
        """Whether a replay was not there before. While Redis does not say, it waits in its place."""
        letter, replay = h.text(source.headers, h.REPLAYED_LETTER) or "", h.text(source.headers, h.REPLAY_ID) or ""
        place = f"{source.topic}/{source.partition}/{source.offset}"
        while True:
            try:
                return await self._rules.replays.first(letter, replay, place)
            except Transient as failure:
                self._metrics.held(self._topic, failure.code)
            await self._sleep(_HOLD_S)

    def _returned(self, source: Delivered) -> Admitted:
        """A record that says of itself that it comes back."""
        headers, rules = source.headers, self._rules
        stage = h.text(headers, h.RETRY_STAGE)
        if stage is not None and stage != rules.stage and self._is_anothers(stage, headers):
            return Admitted(source, Standing.OTHERS)
        if stage == rules.stage and h.text(headers, h.ORIGIN_TOPIC) == self._topic:
            proof = headers.get(h.PROOF, b"")
            signed = Signed(key=source.key, value=source.value, headers=headers)
            if rules.proofs.holds(proof, signed):
                return Admitted(self._with_key(_without(source, _OF_PROOF)), Standing.RETRY)
            if rules.operators.who(proof, signed) is not None and self._is_new(headers):
                return Admitted(self._with_key(_without(source, _OF_PROOF)), Standing.REPLAY)
            if self._is_older(source):
                return Admitted(_without(self._only(source, _OF_OLDER), _OF_PROOF), Standing.RETRY)
        if self._is_sealed(source):
            allowed = _OF_SEAL if h.text(headers, h.ORIGIN_TOPIC) == self._topic else _OF_SEAL - set(h.ORIGIN)
            return Admitted(self._with_key(self._only(source, allowed)), Standing.FORGED)
        ours = stage == rules.stage and not self._outside
        return Admitted(self._only(source, self._allowed), Standing.FORGED if ours else Standing.FRESH)

    def _is_anothers(self, stage: str, headers: h.Headers) -> bool:
        """Whether another consumer of the same topic asked for this retry.

        What a producer says silences nobody but who is named: only those who read its topic can be.
        """
        if h.text(headers, h.ORIGIN_TOPIC) != self._topic:
            return False
        return stage in self._readers or not self._outside

    def _is_older(self, source: Delivered) -> bool:
        """Whether it is of before there were proofs; believed for as long as one may wait, if the settings say so.

        On a topic of outside writers its bytes have to be sealed, which no producer can.
        """
        if h.PROOF in source.headers or self._clock_ms() >= self._rules.retry.unsigned_until_ms:
            return False
        return not self._outside or self._is_sealed(source) or self._rules.keyring is None

    def _is_new(self, headers: h.Headers) -> bool:
        """Whether a replay is young enough to count, and named."""
        now = self._clock_ms()
        at = h.number(headers, h.REPLAYED_AT, low=now - REPLAY_MS, high=now + _AHEAD_MS)
        return at is not None and h.REPLAYED_LETTER in headers and h.REPLAY_ID in headers

    def _is_sealed(self, source: Delivered) -> bool:
        """Whether a stage with the vault's key made the value."""
        context = h.text(source.headers, h.SEALED)
        if context is None or not context.startswith(f"{self._topic}/") or self._rules.keyring is None:
            return False
        if not source.value or not looks_sealed(source.value):
            return False
        try:
            self._rules.keyring.open(source.value, context)
        except SealError:
            return False
        return True

    def _with_key(self, source: Delivered) -> Delivered:
        """``source`` with the key that it had before it was kept under another."""
        sealed = source.headers.get(h.SEALED_KEY)
        if sealed is None:
            return source
        headers = {name: value for name, value in source.headers.items() if name != h.SEALED_KEY}
        key = source.key
        if self._rules.keyring is not None:
            try:
                key = self._rules.keyring.open(base64.b64decode(sealed, validate=True), key_context(headers))
            except (SealError, ValueError):
                key = None  # sealed for another record, or not at all
        return replace(source, key=key, headers=headers)

    def _only(self, source: Delivered, allowed: frozenset[str]) -> Delivered:
        """``source`` without the headers that are not ``allowed``, and with their names."""
        kept = {name: value for name, value in source.headers.items() if name in allowed}
        for name in _FORMED:
            if name in kept and not _sound({name: kept[name]}):
                del kept[name]
        dropped = tuple(name for name in source.headers if name not in kept)
        if dropped:
            self._metrics.headers_dropped(self._topic, len(dropped))
            self._tell(dropped)
        return replace(source, headers=kept, dropped=dropped)

    def _tell(self, dropped: Sequence[str]) -> None:
        ours = [name for name in dropped if name.startswith("forebay-") and h.PLAIN_NAME.fullmatch(name)]
        if ours and time.monotonic() - self._told_at >= _LOG_S:
            self._told_at = time.monotonic()
            log.warning("headers_dropped", stage=self._rules.stage, topic=self._topic, names=ours[:_MOST_NAMES])


def _sound(headers: h.Headers) -> bool:
    """Whether what strangers may say, and what travels on, has its form: a trace, spans, a number, one word."""
    if h.SPANS in headers and not spans.sound(headers[h.SPANS]):
        return False
    if h.TRACEPARENT in headers and _TRACE.fullmatch(headers[h.TRACEPARENT]) is None:
        return False
    if headers.get(h.STREAM, h.EARLY) != h.EARLY:
        return False
    return h.REPLY_TO not in headers or h.number(headers, h.REPLY_TO, high=DELTA_PARTITIONS - 1) is not None


def _without(source: Delivered, names: frozenset[str]) -> Delivered:
    return replace(source, headers={name: value for name, value in source.headers.items() if name not in names})
