"""Which topics are there? The one catalogue: name, key, record, retention, clean-up, and who may read it.

Names here are logical; on the broker they carry ``kafka.topic_prefix``.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from forebay.contract import records
from forebay.contract.records import Record


class Access(StrEnum):
    """Who may read a topic.

    ``restricted``: holds personal data; only the stages that need it, and the producers and consumers themselves.
    ``identifying``: holds no text, but users by the ids that applications gave them; kept and sealed as ``restricted``,
    with a key of the stage that reads it, since it need not open anything else.
    ``internal``: pseudonymous text; Forebay's stages, reviewers and operators.
    """

    RESTRICTED = "restricted"
    IDENTIFYING = "identifying"
    INTERNAL = "internal"


HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: logical name, without the prefix.
        key: what the record key is, in words; always UTF-8 text.
        record: type of the value; ``None`` for topics that carry the bytes of other topics.
        retention_ms: how long records are kept; ``None`` with compaction: for ever.
        compacted: only the newest record of a key is kept.
        access: who may read it.
        broker_time: records carry the broker's clock instead of the producer's.
        readers: stages that read it: retries of others are not sent there.
        outside: applications write to it, so that nothing is believed of its headers but the trace, and where a door
            wants pieces of the answer.
        partitions: their number, where it is not the settings' to say.
        of: whose records it holds, where it is one tenant's part of another topic (:func:`of_tenant`).
    """

    name: str
    key: str
    record: type[Record] | None
    retention_ms: int | None = 7 * DAY_MS
    compacted: bool = False
    access: Access = Access.INTERNAL
    broker_time: bool = False
    readers: tuple[str, ...] = ()
    outside: bool = False
    partitions: int | None = None
    of: str = ""
    doc: str = ""

    @property
    def kind(self) -> str:
        """Its name in the catalogue."""
        return self.of or self.name

    @property
    def subject(self) -> str:
        """Registry subject of the value without the topic prefix (TopicNameStrategy)."""
        return f"{self.kind}-value"


DELTA_PARTITIONS = 16
"""A door each, and what ``forebay-reply-to`` may name; doors that share one read each other's pieces, and drop them."""

_ORIGINS = "as in the origin topic"
_CATALOGUE = (
    Topic(
        name="requests",
        key="request_id",
        record=records.Request,
        retention_ms=DAY_MS,
        access=Access.RESTRICTED,
        broker_time=True,
        readers=("redaction",),
        outside=True,
        doc="What applications ask. Deadlines count from the broker's timestamp.",
    ),
    Topic(
        name="requests.redacted",
        key="prompt_hash",
        record=records.RedactedRequest,
        readers=("cache",),
        doc="Keyed by the canonical prompt, so that equal questions meet in one partition.",
    ),
    Topic(
        name="requests.uncached",
        key="prompt_hash",
        record=records.RedactedRequest,
        readers=("completion",),
        doc="What no cache could answer.",
    ),
    Topic(
        name="completions",
        key="request_id",
        record=records.Completion,
        readers=("response", "cache", "evaluation", "review"),
        doc="Outcomes, pseudonymous.",
    ),
    Topic(
        name="responses",
        key="request_id",
        record=records.Response,
        retention_ms=DAY_MS,
        access=Access.RESTRICTED,
        doc="Terminal answers with personal data restored.",
    ),
    Topic(
        name="outcomes",
        key="request_id",
        record=records.Outcome,
        retention_ms=30 * DAY_MS,
        doc="What became of each request: ids, codes, counts and times, no text.",
    ),
    Topic(
        name="deltas",
        key="request_id",
        record=records.Delta,
        retention_ms=HOUR_MS // 6,
        partitions=DELTA_PARTITIONS,
        doc="Pieces of answers while models write them, for the doors: hints that may be lost. Pseudonymous.",
    ),
    Topic(
        name="usage",
        key="tenant_id|user_id",
        record=records.UsageEvent,
        retention_ms=400 * DAY_MS,
        broker_time=True,
        readers=("cost",),
        doc="The ledger: kept longer than a financial year. Nothing is booked for later than its record's timestamp.",
    ),
    Topic(
        name="spend",
        key="JSON array of tenant_id, user_id, model, window, window_start",
        record=records.Spend,
        retention_ms=None,
        compacted=True,
        readers=("completion",),
        doc="Projection of the ledger.",
    ),
    Topic(
        name="evaluations",
        key="request_id",
        record=records.Evaluation,
        retention_ms=90 * DAY_MS,
        readers=("cache",),
        doc="Verdicts.",
    ),
    Topic(
        name="cache.verify",
        key="request_id",
        record=records.CacheCheck,
        readers=("cache",),
        doc="Stored answers beside the answers to questions like theirs, to be judged off the critical path.",
    ),
    Topic(
        name="alerts",
        key="fingerprint",
        record=records.Alert,
        retention_ms=30 * DAY_MS,
        readers=("notify",),
        doc="For people: conditions that begin and end.",
    ),
    Topic(
        name="alerts.silences",
        key="silence_id",
        record=records.Silence,
        retention_ms=None,
        compacted=True,
        broker_time=True,
        readers=("notify",),
        doc="Of what nobody is to hear for a while.",
    ),
    Topic(
        name="notifications",
        key="channel",
        record=records.Notification,
        readers=("notify",),
        doc="Messages about alerts, one for each channel.",
    ),
    Topic(
        name="reviews",
        key="review_id",
        record=records.ReviewTask,
        retention_ms=30 * DAY_MS,
        readers=("cache",),
        doc="Open questions. The cache takes no correction but one that is asked for here.",
    ),
    Topic(
        name="feedback",
        key="request_id",
        record=records.Feedback,
        retention_ms=DAY_MS,
        access=Access.IDENTIFYING,
        readers=("review", "cache"),
        outside=True,
        doc="Users' verdicts.",
    ),
    Topic(
        name="corrections",
        key="request_id",
        record=records.Correction,
        retention_ms=400 * DAY_MS,
        readers=("cache",),
        doc="People's decisions; also the fine-tuning set.",
    ),
    *(
        Topic(name=f"retry.{level}", key=_ORIGINS, record=None, readers=("retry",), doc=f"Waits for the {which} delay.")
        for level, which in (("10s", "first"), ("1m", "second"), ("10m", "third"))
    ),
    Topic(
        name="dlq",
        key=_ORIGINS,
        record=None,
        retention_ms=30 * DAY_MS,
        doc="Original bytes (sealed when they may hold personal data) and forebay-dlq-* headers that say why.",
    ),
    Topic(
        name="dlq.state",
        key="dead_letter_id",
        record=records.DeadLetterState,
        retention_ms=None,
        compacted=True,
        broker_time=True,
        doc="What was done with each dead letter.",
    ),
    Topic(
        name="audit",
        key="audit_id",
        record=records.AuditEvent,
        retention_ms=400 * DAY_MS,
        broker_time=True,
        doc="What people did: to dead letters, to the vault. Each act names those before it.",
    ),
    Topic(
        name="keys",
        key="key_id",
        record=records.ApiKey,
        retention_ms=None,
        compacted=True,
        access=Access.IDENTIFYING,
        broker_time=True,
        doc="Keys of the HTTP door, hashes of their secrets, and what they may. Doors and `completion` follow it.",
    ),
    Topic(
        name="clock",
        key="host or worker.instance",
        record=None,
        retention_ms=DAY_MS,
        broker_time=True,
        doc="Empty records: each worker asks the brokers every few seconds what time it is.",
    ),
)

TOPICS = MappingProxyType({topic.name: topic for topic in _CATALOGUE})
"""Logical name to topic."""

APART = ("requests", "feedback", "responses")
"""What each tenant has a topic of its own of, where the topic says whose a record is (``tenants.identity: topic``)."""


def of_tenant(kind: str, tenant_id: str) -> str:
    """Name of a tenant's own part of ``kind``, one of :data:`APART`."""
    return f"{kind}.{tenant_id}"


def tenant_of(name: str) -> str | None:
    """Whose own topic ``name`` is, if it has the form of one."""
    kind, _, tenant = name.partition(".")
    return tenant if tenant and kind in APART and name not in TOPICS else None


@lru_cache(maxsize=4_096)
def topic_named(name: str) -> Topic | None:
    """The topic ``name``, also one that is a tenant's, whether there is such a tenant or not."""
    if tenant_of(name) is None:
        return TOPICS.get(name)
    kind = name.partition(".")[0]
    return replace(TOPICS[kind], name=name, of=kind)


RETRY_LEVELS = ("retry.10s", "retry.1m", "retry.10m")
"""Retry topics, shortest delay first; the delays themselves are settings."""
