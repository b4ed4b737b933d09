"""What came out of the demo? Counts, money and checks, from the topics themselves."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forebay.contract.clock import now_ms
from forebay.contract.records import AnswerSource, CallPurpose, Response, UsageEvent, UsageStatus
from forebay.contract.topics import DAY_MS
from forebay.demo.examples import TWIN
from forebay.demo.leaks import Leak
from forebay.history.settings import HistorySettings
from forebay.history.sqlite.reading import SqliteReader
from forebay.history.store import HistoryError
from forebay.kafka.reader import read_topic
from forebay.settings import Settings

_PATIENCE_S, _AGAIN_S = 10.0, 0.2
_FINAL = {UsageStatus.SETTLED, UsageStatus.FAILED, UsageStatus.AVOIDED}


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Money in nano-dollars; ``judge_scores`` is score to count.

    ``saved_nanousd`` is by the cache; ``unpriced_calls`` are paid ones that no price is known of.
    """

    requests: int
    responses: int
    statuses: dict[str, int]
    sources: dict[str, int]
    escalations: int
    redactions: dict[str, int]
    dead_letters: dict[str, int]
    cost_nanousd: int
    saved_nanousd: int
    saved_tier_nanousd: int
    saved_compression_nanousd: int
    unpriced_calls: int
    ledger_nanousd: int
    judge_nanousd: int
    spend_per_user: dict[str, int]
    judge_scores: dict[str, int]
    reviews: int
    alerts: int
    leaks: list[dict[str, Any]]
    mixed_up: list[str] = field(default_factory=list)
    recorded: int = 0
    """Requests whose outcome the history has."""

    @property
    def problems(self) -> list[str]:
        """Why the demo failed; empty when it did not."""
        problems = []
        if self.responses != self.requests:
            problems.append(f"{self.requests - self.responses} requests have no terminal response")
        if self.recorded != self.requests:
            problems.append(f"{self.recorded} of {self.requests} requests are in the history")
        if self.cost_nanousd != self.ledger_nanousd:
            problems.append(f"responses cost {self.cost_nanousd}, the ledger says {self.ledger_nanousd}")
        if self.unpriced_calls:
            problems.append(f"{self.unpriced_calls} calls have no price")
        if self.leaks:
            places = sorted({leak["where"] for leak in self.leaks})
            problems.append(f"personal data was found in {', '.join(places)}")
        problems += [f"{each} was answered with what was answered to its twin" for each in self.mixed_up]
        return problems


def mixed_up(responses: Iterable[Response]) -> list[str]:
    """Ids of requests that were answered from the cache, where all that is in it answers another question."""
    return sorted(
        response.request_id
        for response in responses
        if TWIN in response.metadata and response.source in (AnswerSource.CACHE_EXACT, AnswerSource.CACHE_SEMANTIC)
    )


def latest_entries(settings: Settings) -> dict[str, UsageEvent]:
    """Attempt id to its entry that counts: a final one if there is any, else the newest."""
    entries: dict[str, UsageEvent] = {}
    for record in read_topic(settings, "usage"):
        entry = record.value
        known = entries.get(entry.attempt_id) if entry is not None else None
        if entry is not None and (known is None or known.status not in _FINAL):
            entries[entry.attempt_id] = entry
    return entries


def recorded(settings: Settings, wanted: int) -> int:
    """How many requests are in the history of a stack that was asked ``wanted``; it is some tenths of a second behind.

    Counted and not looked up: what cannot be read has another id in records than its producer gave as a key.
    """
    path, deadline = Path(settings[HistorySettings].path), time.monotonic() + _PATIENCE_S
    while True:
        try:
            with SqliteReader(path) as reader:
                found = sum(point.n for point in reader.points(0, now_ms() + DAY_MS))
        except HistoryError:
            found = 0
        if found >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(_AGAIN_S)


def summarise(settings: Settings, requests: int, responses: Sequence[Response], leaks: Sequence[Leak]) -> Summary:
    """The summary of a demo whose stages have nothing left to do."""
    entries = latest_entries(settings).values()
    spend: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        if entry.purpose is CallPurpose.COMPLETION:
            spend[f"{entry.tenant_id}/{entry.user_id}"] += entry.cost_nanousd
    redactions: Counter[str] = Counter()
    for response in responses:
        redactions.update(response.redactions)
    letters = Counter(
        record.source.headers.get("forebay-dlq-code", b"?").decode() for record in read_topic(settings, "dlq")
    )
    evaluations = [record.value for record in read_topic(settings, "evaluations")]
    scores = Counter(f"{evaluation.score:.0f}" for evaluation in evaluations if evaluation)
    outcomes = [record.value for record in read_topic(settings, "completions") if record.value is not None]
    return Summary(
        requests=requests,
        responses=len(responses),
        statuses=dict(Counter(response.status.value for response in responses)),
        sources=dict(Counter(response.source.value for response in responses)),
        escalations=sum(any(a.outcome == "escalated" for a in outcome.attempts) for outcome in outcomes),
        redactions=dict(redactions),
        dead_letters=dict(letters),
        cost_nanousd=sum(response.cost_nanousd for response in responses),
        saved_nanousd=sum(response.saved_nanousd for response in responses),
        saved_tier_nanousd=sum(entry.saved_tier_nanousd for entry in entries),
        saved_compression_nanousd=sum(entry.saved_compression_nanousd for entry in entries),
        unpriced_calls=sum(entry.status is UsageStatus.SETTLED and not entry.priced for entry in entries),
        ledger_nanousd=sum(spend.values()),
        judge_nanousd=sum(entry.cost_nanousd for entry in entries if entry.purpose is CallPurpose.JUDGE),
        spend_per_user=dict(sorted(spend.items())),
        judge_scores=dict(sorted(scores.items())),
        reviews=sum(1 for _ in read_topic(settings, "reviews")),
        alerts=sum(1 for _ in read_topic(settings, "alerts")),
        leaks=[asdict(leak) for leak in leaks],
        mixed_up=mixed_up(responses),
        recorded=recorded(settings, len(responses)),
    )
