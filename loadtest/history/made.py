"""Which records do N requests leave in the topics? Drawn by a seed: the same for the same numbers, in order of time.

Six in ten are answered by a model, one in twelve of these is escalated, the others by caches; three in a hundred have
no answer, and half of those become dead letters. Their ledger, its hours, days and months, verdicts of a judge, alerts,
and what operators and reviewers did go with them, and all sums agree: what the ledger says is what rows of spend say.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from forebay.contract import headers as h
from forebay.contract.records import (
    Alert,
    AlertState,
    AnswerSource,
    Attempt,
    AuditEvent,
    Correction,
    CorrectionAction,
    DeadLetterAction,
    DeadLetterState,
    Evaluation,
    Outcome,
    ResponseStatus,
    Severity,
    UsageEvent,
    UsageStatus,
)
from forebay.contract.topics import DAY_MS, HOUR_MS
from forebay.kafka.decoding import ReadRecord
from loadtest.history.drawing import PARTITIONS, Drawing
from loadtest.history.spending import Spending

_TENANTS = ("acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka")
_TIERS = {"small": ("gemma-3-270m", 40), "large": ("gpt-large", 2_400)}
_FAILURES = ("provider_timeout", "provider_unavailable", "budget_exceeded", "context_too_long", "retries_exhausted")
_TASKS = ("chat", "summary", "extraction", None)
_LARGE = "large"


def made(
    requests: int, end_ms: int, *, days: float = 7.0, seed: int = 1, users: int = 500, every_change: bool = False
) -> Iterator[ReadRecord]:
    """Records of ``requests`` that were answered in the ``days`` until ``end_ms`` (ms since the epoch).

    Args:
        every_change: of ``spend``, as the stage cost writes it: three rows an entry of the ledger; else once an hour.
    """
    yield from Made(requests, end_ms, days=days, seed=seed, users=users, every_change=every_change).records()


class Made(Drawing):
    """Draws; see :func:`made`."""

    def __init__(
        self, requests: int, end_ms: int, *, days: float, seed: int, users: int, every_change: bool = False
    ) -> None:
        super().__init__(seed)
        self._every_change = every_change
        self._requests, self._end_ms, self._span_ms = requests, end_ms, days * DAY_MS
        self._users = [
            (self._random.choices(_TENANTS, range(len(_TENANTS), 0, -1))[0], self._name("u_")) for _ in range(users)
        ]
        self._weights = [1 / (rank + 3) for rank in range(users)]
        self._spending = Spending()

    def records(self) -> Iterator[ReadRecord]:
        """All of them."""
        people = self._random.choices(self._users, self._weights, k=self._requests)
        hour = 0
        for number, (tenant, user) in enumerate(people):
            at = self._time(number)
            if at // HOUR_MS != hour:
                hour = at // HOUR_MS
                yield from self._hourly(at)
            yield from self._request(number, at, tenant, user)
        yield from self._spent(self._end_ms)

    def _time(self, number: int) -> int:
        """Requests come in waves, four times as many at noon as at midnight."""
        share = number / max(1, self._requests)
        day = 2 * math.pi * share * self._span_ms / DAY_MS
        waved = share * self._span_ms - 0.6 * DAY_MS / (2 * math.pi) * math.sin(day)
        return int(self._end_ms - self._span_ms + min(max(waved, 0.0), self._span_ms - 1))

    def _request(self, number: int, at: int, tenant: str, user: str) -> Iterator[ReadRecord]:
        draw = self._random
        request = self._id(at)
        failed = draw.random() < 0.03
        code = draw.choice(_FAILURES) if failed else None
        refused = code in ("budget_exceeded", "context_too_long")
        source = AnswerSource.NONE
        if not failed:
            source = draw.choices(
                [AnswerSource.MODEL, AnswerSource.CACHE_EXACT, AnswerSource.CACHE_SEMANTIC], [60, 28, 12]
            )[0]
        calls = [] if refused else self._calls(request, at, tenant, user, source, code)
        closed = [entry for entry in calls if entry.status is not UsageStatus.STARTED]
        last = closed[-1] if closed and source in (AnswerSource.MODEL, AnswerSource.NONE) else None
        took = (
            180 + int(draw.expovariate(1 / 90)) + sum((entry.finished_at or at) - entry.started_at for entry in closed)
        )
        accepted = at - took
        retried = failed and not refused
        outcome = Outcome(
            request_id=request,
            tenant_id=tenant,
            user_id=user,
            conversation_id=self._name("c_") if draw.random() < 0.3 else None,
            task=draw.choice(_TASKS),
            status=ResponseStatus.OK if not failed else ResponseStatus.REJECTED if refused else ResponseStatus.FAILED,
            error_code=code,
            source=source,
            tier=last.tier if last else None,
            model=last.model if last else None,
            deployment=last.deployment if last else None,
            attempts=tuple(_attempt(entry, at=place, of=closed) for place, entry in enumerate(closed) if last),
            escalated=len(closed) > 1 and not failed,
            degraded=draw.random() < 0.01,
            prompt_tokens=sum(entry.prompt_tokens for entry in closed),
            completion_tokens=sum(entry.completion_tokens for entry in closed),
            cost_nanousd=sum(entry.cost_nanousd for entry in closed),
            saved_nanousd=sum(entry.saved_nanousd for entry in closed),
            confidence=round(draw.uniform(0.6, 0.99), 4) if source is AnswerSource.MODEL else None,
            similarity=round(draw.uniform(0.92, 1), 4) if source is AnswerSource.CACHE_SEMANTIC else None,
            cache={AnswerSource.CACHE_EXACT: "exact", AnswerSource.CACHE_SEMANTIC: "similar"}.get(source, "miss"),
            redactions={"PERSON": draw.randint(1, 3), "EMAIL_ADDRESS": 1} if draw.random() < 0.25 else {},
            trace_id=f"{draw.getrandbits(128):032x}",
            accepted_at=accepted,
            responded_at=at,
            spans=self._spans(accepted, took, source, code if retried else None),
            completions_partition=number % PARTITIONS,
            completions_offset=number // PARTITIONS,
        )
        for entry in calls:
            yield self._record(
                "usage", entry.started_at if entry.finished_at is None else at, entry, f"{tenant}|{user}"
            )
            self._spending.take(entry)
            if self._every_change:
                yield from self._spent(at)
        yield self._record("outcomes", at, outcome, request)
        yield from self._aftermath(outcome, at, retried=retried)

    def _calls(
        self, request: str, at: int, tenant: str, user: str, source: AnswerSource, code: str | None
    ) -> list[UsageEvent]:
        """Entries of the ledger, in their order."""
        draw, entries = self._random, list[UsageEvent]()
        tokens = draw.randint(40, 2_000)
        base = UsageEvent(request_id=request, tenant_id=tenant, user_id=user, task=None, priced=True)
        if code is None and source is not AnswerSource.MODEL:
            saved = tokens * _TIERS["small"][1]
            one = replace(base, attempt_id=self._id(at), status=UsageStatus.AVOIDED, saved_nanousd=saved)
            return [replace(one, tier="small", model=_TIERS["small"][0], started_at=at, booked_at=at, finished_at=at)]
        tiers = ["small", _LARGE] if draw.random() < 0.08 else [_LARGE if draw.random() < 0.15 else "small"]
        if code is not None:
            tiers = [_LARGE, _LARGE]
        lengths = [int(draw.lognormvariate(6.4, 0.6)) * (3 if tier == _LARGE else 1) for tier in tiers]
        start = at - 90 - sum(lengths)
        for tier, took in zip(tiers, lengths, strict=True):
            model, price = _TIERS[tier]
            written = draw.randint(10, 400)
            cost, worst = price * (tokens + 3 * written), price * (tokens + 3_000)
            one = replace(base, attempt_id=self._id(start), tier=tier, model=model, deployment=f"{tier}-1")
            one = replace(one, started_at=start, booked_at=start, reserved_nanousd=worst, price=f"{model} 2026-10")
            entries.append(replace(one, status=UsageStatus.STARTED, cost_nanousd=worst))
            start += took
            if code is not None:
                entries.append(replace(one, status=UsageStatus.FAILED, error_code=code, finished_at=start))
                continue
            done = replace(one, status=UsageStatus.SETTLED, prompt_tokens=tokens, completion_tokens=written)
            entries.append(replace(done, cost_nanousd=cost, cached_prompt_tokens=tokens // 3, finished_at=start))
        return entries

    def _aftermath(self, outcome: Outcome, at: int, *, retried: bool) -> Iterator[ReadRecord]:
        draw = self._random
        if retried and draw.random() < 0.5:
            headers = {
                "forebay-dlq-stage": "completion",
                "forebay-dlq-code": outcome.error_code or "",
                "forebay-dlq-class": "transient",
                "forebay-dlq-attempts": "3",
                "forebay-dlq-failed-at": str(at),
                "forebay-dlq-request-id": outcome.request_id,
                "forebay-dlq-tenant": outcome.tenant_id,
                h.ORIGIN_TOPIC: "requests.uncached",
                h.ORIGIN_PARTITION: "1",
                h.ORIGIN_OFFSET: str(outcome.completions_offset),
            }
            letter = self._record("dlq", at, b"sealed", outcome.request_id, headers)
            yield letter
            if draw.random() < 0.6:
                action = draw.choice(list(DeadLetterAction))
                name = f"{letter.source.partition}-{letter.source.offset}"
                state = DeadLetterState(dead_letter_id=name, action=action, by="kim", reason=None, at=at + 60_000)
                yield self._record("dlq.state", at + 60_000, state, name)
        if outcome.source is AnswerSource.MODEL and draw.random() < 0.05:
            score = draw.choices([5.0, 4.0, 3.0, 2.0], [60, 28, 8, 4])[0]
            verdict = Evaluation(
                evaluation_id=self._id(at),
                request_id=outcome.request_id,
                tenant_id=outcome.tenant_id,
                tier=outcome.tier,
                model=outcome.model,
                source=outcome.source,
                judge_model="judge-1",
                rubric="helpful-1",
                score=score,
                rolling_mean=4.4,
                sample_rate=0.05,
                created_at=at + 2_000,
            )
            yield self._record("evaluations", at + 2_000, verdict, outcome.request_id)
            if score <= 2.0:
                decision = Correction(
                    correction_id=self._id(at),
                    request_id=outcome.request_id,
                    tenant_id=outcome.tenant_id,
                    action=draw.choice(list(CorrectionAction)),
                    reviewer="alex",
                    created_at=at + 600_000,
                )
                yield self._record("corrections", at + 600_000, decision, outcome.request_id)

    def _hourly(self, at: int) -> Iterator[ReadRecord]:
        """What is told once an hour: sums, and now and then an alert with its end, and what an operator did."""
        yield from self._spent(at)
        if self._random.random() < 0.15:
            one = Alert(
                alert_id=self._id(at),
                kind="budget_threshold",
                severity=self._random.choice(list(Severity)),
                tenant_id=self._random.choice(_TENANTS),
                subject="tenant",
                message="80 % of the month's budget are used",
                value=0.8,
                threshold=0.8,
                created_at=at,
                starts_at=at,
                summary="a budget is nearly used up",
                action="Raise it, or wait.",
            )
            yield self._record("alerts", at, one, one.fingerprint)
            if self._random.random() < 0.8:
                end = replace(one, state=AlertState.RESOLVED, created_at=at + 900_000, ends_at=at + 900_000)
                yield self._record("alerts", at + 900_000, end, one.fingerprint)
        if self._random.random() < 0.1:
            event = AuditEvent(
                audit_id=self._id(at), action="dlq.replay", by="kim", subject="dead letters", count=3, at=at
            )
            yield self._record("audit", at, event, event.audit_id)

    def _spent(self, at: int) -> Iterator[ReadRecord]:
        for key, row in self._spending.changed(at):
            yield self._record("spend", at, row, key)

    def _spans(self, accepted: int, took: int, source: AnswerSource, retried: str | None) -> str:
        draw, at, entries = self._random, accepted, list[str]()
        hops = [("redaction", 25, 18_000), ("cache", 15, 9_000)]
        if source in (AnswerSource.MODEL, AnswerSource.NONE):
            hops.append(("completion", 20, 1_000 * max(1, took - 150)))
            if retried:
                hops.insert(2, ("completion", 20, 80_000))
        for place, (stage, waits, works) in enumerate([*hops, ("response", 12, 4_000)]):
            waited, worked = int(draw.expovariate(1 / waits)), int(works * draw.uniform(0.7, 1.3))
            at += waited
            outcome = f"retry:{retried}" if retried and place == 2 else "ok"
            entries.append(f"{stage};{at};{waited};{worked};{outcome}")
            at += worked // 1_000
        return ",".join(entries)


def _attempt(entry: UsageEvent, *, at: int, of: list[UsageEvent]) -> Attempt:
    escalated = at < len(of) - 1
    return Attempt(
        attempt_id=entry.attempt_id,
        tier=entry.tier,
        model=entry.model,
        deployment=entry.deployment,
        outcome=entry.error_code or ("escalated" if escalated else "ok"),
        duration_ms=(entry.finished_at or 0) - entry.started_at,
        cost_nanousd=entry.cost_nanousd,
        started_at=entry.started_at,
    )
