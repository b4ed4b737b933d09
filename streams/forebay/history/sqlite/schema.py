"""Which tables are there? One for each kind of record, sums a minute and an hour, names, and where topics are read on.

``user_version`` of the file is :data:`VERSION`. A file of another version is not changed: it is moved aside and made
anew from the topics (:mod:`forebay.history.sqlite.opening`), so there are no migrations here.
"""

from forebay.history.sqlite.rows import CallRow, RequestRow

VERSION = 1

SLOW_MS = 3_000
"""Slower answers have an index of their own: "slow ones, newest first" reads nothing else."""

REQUEST, CALL = RequestRow._fields, CallRow._fields
"""Columns of ``calls`` that ``usage`` fills."""
TOLD = ("outcome", "first_token_ms")
"""Those that the request's outcome fills, where it says more than that the call answered."""

SUM_KEY = ("span", "at", "tenant", "status", "error", "source", "tier")
SUMS = ("n", "slow", "degraded", "escalated", "attempts", "prompt", "completion", "cached", "cost", "saved", "total_ms")
STAGE_KEY = ("span", "at", "stage")
STAGE_SUMS = ("n", "retried", "waited_ms", "worked_us")
CALL_KEY = ("at", "tenant", "purpose", "tier", "model")
CALL_SUMS = ("n", "failed", "avoided", "unpriced", "prompt", "completion", "cached", "cost", "saved")

SPEND_KEY = ("span", "at", "tenant", "user", "model", "tier", "purpose")
SPEND = (
    *("calls", "failed", "avoided", "prompt", "completion", "cost", "pending", "saved", "cached", "written"),
    *("written_1h", "reasoning", "unpriced", "saved_tier", "saved_compression", "updated", "revision"),
)


def _table(name: str, key: tuple[str, ...], columns: tuple[str, ...]) -> str:
    named = ", ".join((*key, *columns))
    return f"CREATE TABLE {name} ({named}, PRIMARY KEY ({', '.join(key)})) WITHOUT ROWID"


TABLES = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    _table("positions", ("topic", "part"), ("next", "topic_id")),
    "CREATE TABLE names (number INTEGER PRIMARY KEY, kind INTEGER, name TEXT, UNIQUE (kind, name))",
    f"CREATE TABLE requests ({', '.join(REQUEST)}, UNIQUE (id))",
    "CREATE INDEX requests_at ON requests (at)",
    "CREATE INDEX requests_tenant ON requests (tenant, at)",
    "CREATE INDEX requests_user ON requests (user, at)",
    f"CREATE INDEX requests_slow ON requests (at) WHERE total_ms > {SLOW_MS}",
    "CREATE INDEX requests_error ON requests (at, error) WHERE error IS NOT NULL",
    "CREATE INDEX requests_conversation ON requests (conversation) WHERE conversation IS NOT NULL",
    _table("calls", CALL[:2], (*CALL[2:], *TOLD)),
    _table("sums", SUM_KEY, (*SUMS, "latency")),
    _table("stage_sums", STAGE_KEY, (*STAGE_SUMS, "waited", "worked")),
    _table("call_sums", CALL_KEY, CALL_SUMS),
    _table("spend", SPEND_KEY, SPEND),
    _table(
        "evaluations",
        ("request", "evaluation"),
        ("at", "tenant", "task", "tier", "model", "source", "judge", "rubric", "score", "mean", "share", "cost"),
    ),
    "CREATE INDEX evaluations_at ON evaluations (at)",
    _table(
        "alerts",
        ("fingerprint", "starts_at"),
        (
            *("at", "kind", "severity", "tenant", "subject", "summary", "message", "action", "value", "threshold"),
            *("state", "ends_at"),
        ),
    ),
    _table(
        "letters",
        ("part", "place"),
        (
            *("at", "stage", "code", "class", "topic", "from_part", "from_place", "request", "tenant", "tries", "size"),
            *("state", "state_at", "by", "replay"),
        ),
    ),
    "CREATE INDEX letters_at ON letters (at)",
    "CREATE INDEX letters_request ON letters (request) WHERE request IS NOT NULL",
    _table("audit", ("at", "id"), ("action", "by", "subject", "count")),
    _table("corrections", ("request", "id"), ("at", "tenant", "action", "reviewer", "review")),
)
