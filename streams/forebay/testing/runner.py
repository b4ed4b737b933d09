"""What would a worker make of these records? Stages run on topics in memory, by the rules that workers run them by.

Decoding, deadlines, retries, seals, the last check for personal data, terminal outcomes and dead letters are the code
that a worker runs (:mod:`forebay.runtime.processing`). What is left out is what needs brokers: partitions, rebalances,
redelivery, ``Stage.background``. Records are handled one at a time, oldest first, so that a test is the same each time.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Self

from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Failure
from forebay.contract.handlers import Context, FailureHandler, Handler, Output, Route, no_outputs
from forebay.contract.records import Record
from forebay.contract.topics import RETRY_LEVELS, TOPICS, Access
from forebay.contract.wire import Encoded
from forebay.observability.metrics import Metrics, StageMetrics
from forebay.operations.dead_letters.letters import DeadLetter, letter_of
from forebay.privacy.sealing import Keyring
from forebay.runtime.dead_letters import DLQ
from forebay.runtime.processing import Processor
from forebay.runtime.reading.passing_over import PassingOver
from forebay.runtime.rules import Rules, Trusted, rules_of
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.state.replays import MemoryReplays
from forebay.testing.stores import KEYRING, OPERATOR
from forebay.testing.topics import MemoryTopics, Published, Retry
from forebay.trust.proofs import Operators, RetryProofs
from forebay.trust.tenant_keys import tenants

_SECRET = b"\2" * 32


def _proofs(stage: str) -> RetryProofs:
    return RetryProofs(stage, [_SECRET])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one stage made of one record.

    Attributes:
        stage: its name.
        source: the record.
        outputs: what was published for others, in order; what the handler wrote ahead comes first.
        retry: the record, where it is tried again.
        failure: why it ended without success, where it did: ``outputs`` are those of ``on_failure`` then.
        dead_letter: the record, where it was put into the dead letter queue.
    """

    stage: str
    source: Published
    outputs: Sequence[Published]
    retry: Retry | None
    failure: Failure | None
    dead_letter: DeadLetter | None

    def records(self, topic: str) -> list[Any]:
        """Decoded outputs to ``topic``."""
        return [output.record for output in self.outputs if output.topic == topic]

    @property
    def code(self) -> str:
        """Of the failure; empty when the handler succeeded."""
        if self.retry is not None:
            return self.retry.code
        return "" if self.failure is None else self.failure.code


class StageRunner:
    """Runs stages on topics in memory, as ``forebay worker NAME …`` runs them on real ones.

    Args:
        stages: what to run; more than one shares the topics, each with a consumer group of its own.
        topics: empty ones by default.
        keyring: seals what leaves a restricted topic.

    Attributes:
        outcomes: everything that was handled so far.
        registry: the Prometheus registry with the counters of the substrate (``forebay_records_failed`` …).

    Raises:
        ValueError: a stage has a ``setup``: that needs Faust's tables. Test its rules and its handler.
    """

    def __init__(
        self,
        *stages: Stage,
        topics: MemoryTopics | None = None,
        keyring: Keyring = KEYRING,
    ) -> None:
        self.topics = topics or MemoryTopics()
        self.clock = self.topics.clock
        self.outcomes: list[Outcome] = []
        self.registry = CollectorRegistry()
        self._keyring = keyring
        self._replays = MemoryReplays()
        self._stages = stages
        for stage in stages:
            if stage.setup is not None:
                raise ValueError(f"stage {stage.name} sets up tables of Faust: test its rules and its handler instead")
        metrics = Metrics(self.registry)
        self._readers = [self._reader(stage, route, metrics) for stage in stages for route in stage.routes]

    @classmethod
    def of(
        cls,
        topic: str,
        handle: Handler,
        *,
        on_failure: FailureHandler = no_outputs,
        name: str = "stage",
        topics: MemoryTopics | None = None,
        **limits: Any,
    ) -> Self:
        """A runner of a stage with one route.

        Args:
            topic: logical name of what it reads.
            handle: see :data:`forebay.contract.handlers.Handler`.
            on_failure: see :data:`forebay.contract.handlers.FailureHandler`.
            name: of the stage.
            topics: empty ones by default.
            limits: keys of the section ``stage``, such as ``max_attempts``.
        """
        route = Route(topic=topic, handle=handle, on_failure=on_failure)
        return cls(Stage(name=name, routes=[route], limits=StageSettings(**limits)), topics=topics)

    async def send(
        self,
        topic: str,
        value: Record | bytes | None,
        *,
        key: str | bytes | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> Outcome:
        """Publish a record and handle it, and whatever comes of it in the topics that the stages read.

        Returns:
            What became of this record; of several stages that read it, in the first.

        Raises:
            ValueError: none of the stages reads ``topic``, or see :meth:`MemoryTopics.publish`.
        """
        if all(reader.route.topic != topic for reader in self._readers):
            raise ValueError(f"no stage here reads {topic!r}")
        published = self.topics.publish(topic, value, key=key, headers=headers)
        await self.run()
        return next(outcome for outcome in self.outcomes if outcome.source is published)

    async def run(self) -> list[Outcome]:
        """Handle what nobody has read yet, oldest first, until nothing is left."""
        for stage in self._stages:
            if stage.warming is not None:
                await stage.warming
        done: list[Outcome] = []
        while unread := [(source.number, reader, source) for reader in self._readers if (source := reader.next)]:
            _, reader, source = min(unread, key=itemgetter(0))
            done.append(await reader.handle(source))
            self.outcomes.append(done[-1])
        return done

    async def advance(self, seconds: float) -> list[Outcome]:
        """Let time pass: what falls due meanwhile goes back to its topic and is handled at its time."""
        end_ms = self.clock() + round(1000 * seconds)
        done: list[Outcome] = []
        while (waiting := self.topics.retries) and waiting[0].due_at <= end_ms:
            self.clock.now_ms = max(self.clock(), waiting[0].due_at)
            self.topics.send_back()
            done += await self.run()
        self.clock.now_ms = max(self.clock(), end_ms)
        return done

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """What lies in the dead letter queue."""
        return [letter_of(one.source) for one in self.topics.published(DLQ)]

    def original(self, kept: Retry | DeadLetter) -> Any:
        """The record that waits or is dead, unsealed and decoded; ``None`` if it is no record."""
        value = kept.source.value
        if value is not None and (seal := h.text(kept.source.headers, h.SEALED)) is not None:
            own = TOPICS[kept.origin_topic].access is Access.IDENTIFYING
            keyring = Keyring(_proofs(kept.stage).sealing_keys()) if own else self._keyring
            value = keyring.open(value, seal)
        return self.topics.decode(kept.origin_topic, value)

    def _reader(self, stage: Stage, route: Route, metrics: Metrics) -> "_Reader":
        rules = rules_of(
            stage.name,
            stage.routes,
            stage.limits,
            self.topics.settings,
            self.topics.codecs,
            keyring=lambda: self._keyring,
            trusted=Trusted(
                proofs=_proofs(stage.name),
                operators=Operators({OPERATOR.name: b64decode(OPERATOR.public)}),
                replays=self._replays,
                tenants=tenants(self.topics.settings),
            ),
        )
        return _Reader(route, rules, StageMetrics(stage.name, metrics), self.topics)


class _Reader:
    """One route, and its place in its topic."""

    def __init__(self, route: Route, rules: Rules, metrics: StageMetrics, topics: MemoryTopics) -> None:
        self.route = route
        self._rules = rules
        self._metrics = metrics
        self._topics = topics
        self._position = 0

    @property
    def next(self) -> Published | None:
        """The oldest record that was not handled."""
        lying = self._topics.published(self.route.topic)
        return lying[self._position] if self._position < len(lying) else None

    async def handle(self, source: Published) -> Outcome:
        """Handle the next record."""
        self._position += 1
        if PassingOver(self.route, self._metrics).passes(source.source):
            return Outcome(
                stage=self._rules.stage, source=source, outputs=(), retry=None, failure=None, dead_letter=None
            )
        written: list[Published] = []
        failures: list[Failure] = []

        async def deliver(outputs: Sequence[Encoded]) -> None:
            written.extend(map(self._topics.append, outputs))

        def hint(hints: Sequence[Encoded]) -> None:
            for each in hints:
                self._topics.append(each)

        def on_failure(record: Any, context: Context, failure: Failure) -> Sequence[Output]:
            failures.append(failure)
            return self.route.on_failure(record, context, failure)

        route = replace(self.route, on_failure=on_failure)
        clock = self._topics.clock
        processor = Processor(route, self._rules, self._metrics, deliver, clock, clock.sleep, hint=hint)
        await deliver(await processor.process(source.source))
        kept = [one for one in written if one.topic in (*RETRY_LEVELS, DLQ)]
        return Outcome(
            stage=self._rules.stage,
            source=source,
            outputs=tuple(one for one in written if one not in kept),
            retry=next((retry for retry in self._topics.retries if retry.source in [one.source for one in kept]), None),
            failure=failures[-1] if failures else None,
            dead_letter=next((letter_of(one.source) for one in kept if one.topic == DLQ), None),
        )
