"""Does the system hold this rate? One run of the load on a stack that runs, and the verdict on it."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from forebay.contract.records import AnswerSource, ResponseStatus
from forebay.demo.leaks import find_leaks
from forebay.kafka.lag import wait_until_idle
from loadtest.chaos.experiment import wait_for_ledger
from loadtest.chaos.faults import Traces
from loadtest.chaos.gathering import Mark, gather, mark
from loadtest.chaos.stack import Stack
from loadtest.oracle import Evidence, judge, quantile
from loadtest.users.mix import Asked, Users
from loadtest.users.sending import Sent, send
from loadtest.users.watching import Spent, Watch, spent
from loadtest.yardstick import yardstick_ms

P95_MS = 3_000
"""What users wait for an answer at most, of whom 5 % wait longer."""
LEAST_OK = 0.99
"""A rate is not held by refusing what comes."""
_PATIENCE_S, _REST_S = 90.0, 180.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One rate.

    Attributes:
        latency_ms: p50, p95, p99 and the longest, from when a request was due; what has no response waited until the
            generator gave up.
        hits: share of the answers that came from the cache, exactly or by meaning.
        spent: from the first request to the last answer.
        pss_mb: by process, at the end.
        late_ms: of the generator itself: a figure with much of it is of a generator that had no core.
        yardstick_ms: before and after.
        busy_before: processes that wanted a core in the minute before, by the system's load average.
        violations: broken promises, in words; leaks among them.
    """

    rate: float
    seconds: float
    requests: int
    answered: int
    ok: int
    latency_ms: Mapping[str, int]
    hits: Mapping[str, float]
    spent: Spent
    pss_mb: Mapping[str, float]
    late_ms: int
    yardstick_ms: tuple[float, float]
    busy_before: float
    violations: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether 95 % had an answer within 3 s, and nothing was lost, doubled, leaked or wrongly billed."""
        return not self.violations and self.latency_ms["p95"] < P95_MS and self.ok >= LEAST_OK * self.requests


def attempt(
    stack: Stack,
    watch: Watch,
    users: Users,
    asked: Sequence[Asked],
    say: Callable[[str], None],
    *,
    beside: AbstractContextManager[object] | None = None,
) -> Trial:
    """Send ``asked``, wait for rest, and judge.

    Args:
        beside: what is open while the load runs, such as a profiler.
    """
    busy, yard = os.getloadavg()[0], yardstick_ms()
    since = mark(stack.settings, stack.invoice)
    before = watch.look()
    with beside or nullcontext():
        sent = send(stack.settings, asked, say, patience_s=_PATIENCE_S)
    after, pss, yard_after = watch.look(), watch.pss_mb(), yardstick_ms()
    say(f"sent {len(sent.accepted)}, answered {len(sent.latency_ms)}; waiting for rest")
    evidence, violations = judged(stack, users, sent, since)
    return Trial(
        rate=round(len(asked) / sent.seconds, 1),
        seconds=round(sent.seconds, 1),
        requests=len(asked),
        answered=len(sent.latency_ms),
        ok=len(
            {one.response.request_id for one in evidence.responses if one.response.status is ResponseStatus.OK}
            & sent.accepted.keys()
        ),
        latency_ms=quantiles(sent),
        hits=hits(evidence),
        spent=spent(before, after),
        pss_mb=pss,
        late_ms=sent.late_ms,
        yardstick_ms=(yard, yard_after),
        busy_before=round(busy, 1),
        violations=violations,
    )


def judged(stack: Stack, users: Users, sent: Sent, since: Mark) -> tuple[Evidence, list[str]]:
    """What is to be seen of ``sent`` once the stack has come to rest, and the promises that were broken, in words."""
    rested = wait_until_idle(stack.settings, _REST_S)
    wait_for_ledger(stack)
    evidence = gather(stack.settings, stack.invoice, since, sent.accepted, Traces())
    violations = [*judge(evidence).violations, *([] if rested else ["the stages never came to rest"])]
    if sent.refused:
        violations.append(f"{sent.refused} requests were taken by no broker")
    return evidence, [*violations, *leaks(stack, users)]


def quantiles(sent: Sent) -> dict[str, int]:
    """p50, p95, p99 and the longest of all that was accepted; none of it is left out because it has no response."""
    never = round(1000 * (sent.seconds + _PATIENCE_S))
    took = sorted(sent.latency_ms.get(one, never) for one in sent.accepted)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "longest": 1.0}
    return {name: quantile(took, share) for name, share in shares.items()}


def hits(evidence: Evidence) -> dict[str, float]:
    """Share of the answers that came from the cache, by tier of it."""
    first = {one.response.request_id: one.response.source for one in reversed(evidence.responses)}
    found = list(first.values())
    tiers = {"exact": AnswerSource.CACHE_EXACT, "by_meaning": AnswerSource.CACHE_SEMANTIC}
    return {name: round(found.count(source) / max(1, len(found)), 3) for name, source in tiers.items()}


def leaks(stack: Stack, users: Users) -> list[str]:
    """Personal data of the requests where none may be: topics, Redis, logs, what the provider was asked."""
    known = users.secrets
    logs = [*(stack.folder / "stack" / "logs").glob("*.log*"), stack.asked]
    found = find_leaks(stack.settings, [value for _, value in known], [Path(one) for one in logs])
    return [f"{known[leak.value][0]} leaked: {leak.where}" for leak in found[:10]]
