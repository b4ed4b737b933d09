"""What the door counts."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from forebay.contract.records import Response
from forebay.observability.metrics import LATENCY_BUCKETS


class EdgeMetrics:
    """Metrics of the door; labels are closed sets."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.requests = Counter(
            "forebay_edge_requests", "Requests by HTTP that were answered.", ["path", "status"], registry=registry
        )
        self.latency = Histogram(
            "forebay_edge_seconds",
            "Time until a request was answered, or its stream had ended.",
            ["path"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.first = Histogram(
            "forebay_edge_first_piece_seconds",
            "Time until the first text of a streamed answer was sent.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.added = Histogram(
            "forebay_edge_added_seconds",
            "Time that the door adds to an answer: to the brokers, back from them, and HTTP; not what stages take.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge("forebay_edge_in_flight", "Requests that wait for their answers now.", registry=registry)
        self.streams = Gauge("forebay_edge_streams", "Streams that are open now.", registry=registry)
        self.gone = Counter(
            "forebay_edge_gone", "Clients that left before their answer; it was made all the same.", registry=registry
        )
        self.refused = Counter(
            "forebay_edge_refused", "Requests that were refused, by code.", ["code"], registry=registry
        )
        self.ignored = Counter(
            "forebay_edge_ignored", "Fields of bodies that had no effect.", ["field"], registry=registry
        )
        self.joined = Counter(
            "forebay_edge_joined",
            "Requests that joined an equal one: it was replayed (recent) or is under way (in_flight).",
            ["with"],
            registry=registry,
        )
        self.pieces_ended = Counter(
            "forebay_edge_pieces_ended",
            "Answers whose live part ended before their record, by why: lost, json, address, restarted or no_mapping.",
            ["why"],
            registry=registry,
        )
        self.recent_bytes = Gauge("forebay_edge_recent_bytes", "Answers kept in memory.", registry=registry)
        self.keys_age = Gauge(
            "forebay_edge_keys_age_seconds",
            "Seconds since the brokers last said which keys there are.",
            registry=registry,
        )

    def note_added(self, took_s: float, response: Response) -> None:
        """Enter what of ``took_s`` the door itself took: but for when stages had the request, by their clocks."""
        added_s = took_s - (response.responded_at - response.accepted_at) / 1000
        if response.accepted_at and added_s >= 0:  # who joined a request that was under way says nothing of it
            self.added.observe(added_s)


METRICS = EdgeMetrics()
"""The process's metrics."""
