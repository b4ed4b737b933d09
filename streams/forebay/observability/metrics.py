"""What does a worker count? Prometheus metrics of the substrate; stages add their own.

Labels are closed sets (stage, topic, code, tier, model): never a user, a tenant's text or a request id.
"""

from contextlib import suppress

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

# Handlers take from 0.2 ms (pass-through) to minutes (a large model); Faust's own buckets end at 10 s.
LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """All metrics of the substrate, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        of_topic = ["stage", "topic"]
        self.records_in = Counter("forebay_records_in", "Records taken from a topic.", of_topic, registry=registry)
        self.passed_over = Counter(
            "forebay_records_passed_over",
            "Records of which the key said that the stage has nothing to do with them; they are not decoded.",
            of_topic,
            registry=registry,
        )
        self.records_out = Counter("forebay_records_out", "Records delivered to a topic.", of_topic, registry=registry)
        self.failed = Counter(
            "forebay_records_failed", "Records that ended without success.", [*of_topic, "code"], registry=registry
        )
        self.retried = Counter(
            "forebay_records_retried", "Records sent to a retry topic.", [*of_topic, "code"], registry=registry
        )
        self.held = Counter(
            "forebay_records_held",
            "Times that a record waited in its place for what has no room: redis_full.",
            [*of_topic, "code"],
            registry=registry,
        )
        self.dead_lettered = Counter(
            "forebay_dead_letters", "Records sent to the dead letter queue.", [*of_topic, "code"], registry=registry
        )
        self.headers_dropped = Counter(
            "forebay_headers_dropped",
            "Headers that records came with and that were not believed.",
            ["topic"],
            registry=registry,
        )
        self.in_flight = Gauge("forebay_records_in_flight", "Records in handlers now.", ["stage"], registry=registry)
        self.latency = Histogram(
            "forebay_stage_latency_seconds",
            "Time in the handler.",
            of_topic,
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.write_ahead = Histogram(
            "forebay_write_ahead_seconds",
            "Time until the brokers had what a handler wrote before it went on, such as the ledger's entry of a call.",
            ["stage"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.egress_blocked = Counter(
            "forebay_egress_blocked",
            "Values that the last check kept from leaving, by where they were going and kind.",
            ["sink", "kind"],
            registry=registry,
        )
        self.lag = Gauge(
            "forebay_consumer_lag",
            "Records of a partition not yet finished.",
            [*of_topic, "partition"],
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "forebay_consumer_lag_seconds",
            "Seconds since the oldest record of a partition that is not yet finished was written; 0: there is none.",
            [*of_topic, "partition"],
            registry=registry,
        )
        self.skipped = Counter(
            "forebay_records_skipped",
            "Records that no stage will read, by why: retention, recreated, out_of_range or unreadable.",
            ["topic", "reason"],
            registry=registry,
        )
        self.topic_changes = Counter(
            "forebay_topic_changes",
            "Topics that changed under a running stage: missing, recreated or partitions_added.",
            [*of_topic, "change"],
            registry=registry,
        )
        self.problems = Gauge(
            "forebay_stage_problem",
            "1 while a worker is not ready for this reason: topic_missing, unassigned, standing_still or no_broker.",
            ["stage", "problem"],
            registry=registry,
        )
        self.delivery_errors = Counter(
            "forebay_delivery_errors",
            "Sends that the broker did not acknowledge and that were tried again.",
            ["stage", "error"],
            registry=registry,
        )
        self.withheld = Counter(
            "forebay_outputs_withheld",
            "Records whose outputs were not published, since another worker may have their partition.",
            of_topic,
            registry=registry,
        )
        self.hints_lost = Counter(
            "forebay_hints_lost",
            "Hints, such as pieces of answers, that were lost here, by why: full, invalid, refused, not_delivered or "
            "no_producer.",
            ["stage", "reason"],
            registry=registry,
        )
        self.clock_skew = Gauge(
            "forebay_clock_skew_seconds",
            "By how much the machine's clock is ahead of the brokers'; below 0: behind.",
            ["stage"],
            registry=registry,
        )
        self.clock_unknown = Counter(
            "forebay_clock_unknown",
            "Times that the brokers did not say what time it is.",
            ["stage"],
            registry=registry,
        )
        self.build = Gauge("forebay_build_info", "Always 1.", ["version", "stage"], registry=registry)


METRICS = Metrics()
"""The process's metrics."""


class StageMetrics:
    """The substrate's metrics with the stage label filled in."""

    def __init__(self, stage: str, metrics: Metrics = METRICS) -> None:
        self.stage = stage
        self._all = metrics
        self._in = {}  # type: dict[str, Counter]
        self._latency = {}  # type: dict[str, Histogram]
        self._out = {}  # type: dict[str, Counter]
        self._passed_over = {}  # type: dict[str, Counter]
        self._in_flight = metrics.in_flight.labels(stage)

    def handled(self, topic: str, seconds: float) -> None:
        """A handler ended, well or not."""
        latency = self._latency.get(topic)
        if latency is None:
            latency = self._latency[topic] = self._all.latency.labels(self.stage, topic)
            self._in[topic] = self._all.records_in.labels(self.stage, topic)
        latency.observe(seconds)
        self._in[topic].inc()

    def passed_over(self, topic: str) -> None:
        """A record was not even decoded."""
        counter = self._passed_over.get(topic)
        if counter is None:
            counter = self._passed_over[topic] = self._all.passed_over.labels(self.stage, topic)
        counter.inc()

    def written_ahead(self, seconds: float) -> None:
        """The brokers acknowledged what a handler waited for."""
        self._all.write_ahead.labels(self.stage).observe(seconds)

    def delivered(self, topic: str) -> None:
        """The broker acknowledged an output."""
        counter = self._out.get(topic)
        if counter is None:
            counter = self._out[topic] = self._all.records_out.labels(self.stage, topic)
        counter.inc()

    def failed(self, topic: str, code: str) -> None:
        """A record ended without success."""
        self._all.failed.labels(self.stage, topic, code).inc()

    def retried(self, topic: str, code: str) -> None:
        """A record was sent to a retry topic."""
        self._all.retried.labels(self.stage, topic, code).inc()

    def held(self, topic: str, code: str) -> None:
        """A record waits in its place."""
        self._all.held.labels(self.stage, topic, code).inc()

    def headers_dropped(self, topic: str, count: int) -> None:
        """A record came with headers that are not believed."""
        self._all.headers_dropped.labels(topic).inc(count)

    def dead_lettered(self, topic: str, code: str) -> None:
        """A record was sent to the dead letter queue."""
        self._all.dead_lettered.labels(self.stage, topic, code).inc()

    def delivery_error(self, error: str) -> None:
        """A send failed and will be tried again."""
        self._all.delivery_errors.labels(self.stage, error).inc()

    def withheld(self, topic: str) -> None:
        """A record's outputs were not published: it is another worker's."""
        self._all.withheld.labels(self.stage, topic).inc()

    def hints_lost(self, reason: str, count: int = 1) -> None:
        """Hints were not published."""
        self._all.hints_lost.labels(self.stage, reason).inc(count)

    def in_flight(self, records: int) -> None:
        """Records in handlers now."""
        self._in_flight.set(records)

    def lag(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """Unfinished records of a partition, and seconds since the oldest of them was written."""
        self._all.lag.labels(self.stage, topic, str(partition)).set(records)
        self._all.lag_seconds.labels(self.stage, topic, str(partition)).set(seconds)

    def lag_elsewhere(self, topic: str, partition: int) -> None:
        """Another worker has the partition, and says how far it is."""
        for gauge in (self._all.lag, self._all.lag_seconds):
            with suppress(KeyError):  # never said anything of it
                gauge.remove(self.stage, topic, str(partition))

    def skipped(self, topic: str, reason: str, records: int) -> None:
        """Nobody will read these records."""
        self._all.skipped.labels(topic, reason).inc(records)

    def topic_changed(self, topic: str, change: str) -> None:
        """A topic is not what it was."""
        self._all.topic_changes.labels(self.stage, topic, change).inc()

    def problem(self, problem: str, there: bool) -> None:
        """Whether the worker is not ready for this reason."""
        self._all.problems.labels(self.stage, problem).set(there)
