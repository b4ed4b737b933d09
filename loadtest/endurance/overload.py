"""Twice as much as is carried, then half of it: are as many answered in time, is the rest told, and when is it over?

What is due in the first ``seconds`` is the excess, with a deadline; the stack's own answers say what became of it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from forebay.contract.records import ResponseStatus
from loadtest.chaos.gathering import mark
from loadtest.chaos.stack import running_stack
from loadtest.oracle import quantile
from loadtest.users import run
from loadtest.users.mix import Asked, Users
from loadtest.users.sending import send
from loadtest.users.trial import P95_MS, judged
from loadtest.users.watching import Watch
from loadtest.yardstick import yardstick_ms

_HELD = 0.9
"""Share of the highest rate that is answered in time while more comes."""
_BACK_S = 30.0
_WINDOW_S = 5.0
_PATIENCE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is tried.

    Attributes:
        highest: requests a second that are carried.
        times: as many of them come as that.
        seconds: of the excess; ``quiet_s`` of half of the highest rate follow.
        deadline_s: of each request that is due in the excess, and behind it.
    """

    highest: float
    times: float = 2.0
    seconds: float = 60.0
    quiet_s: float = 60.0
    deadline_s: float = 5.0
    seed: int = 1
    warm: int = 1_000


class Seen(NamedTuple):
    """A request: when it was due, its latency (``None``: no answer), and ``ok`` or the code that it ended with."""

    due_s: float
    latency_ms: int | None
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What became of the requests; times from when one was due.

    Attributes:
        in_time_per_s: answers within the deadline, a second of the excess.
        outcomes: of the excess, by ``ok``, ``late`` or a code.
        told_ms: p50 and p95 until one was told that it is turned away.
        recovered_s: from the last of the excess until p95 is under 3 s for good; ``None``: not within the quiet.
    """

    in_time_per_s: float
    outcomes: Mapping[str, int]
    answered_ms: Mapping[str, int]
    told_ms: Mapping[str, int]
    recovered_s: float | None


def figures(seen: Sequence[Seen], wanted: Wanted) -> Figures:
    """The figures of one run."""
    excess = [one for one in seen if one.due_s < wanted.seconds]
    outcomes = Counter(_outcome(one, wanted) for one in excess)
    answered = sorted(one.latency_ms for one in excess if one.outcome == "ok" and one.latency_ms is not None)
    told = sorted(one.latency_ms for one in excess if one.outcome == "overloaded" and one.latency_ms is not None)
    return Figures(
        in_time_per_s=round(outcomes["ok"] / wanted.seconds, 1),
        outcomes=dict(outcomes.most_common()),
        answered_ms={"p50": quantile(answered, 0.5), "p95": quantile(answered, 0.95)},
        told_ms={"p50": quantile(told, 0.5), "p95": quantile(told, 0.95)},
        recovered_s=_recovered_s(seen, wanted),
    )


def broken(found: Figures, wanted: Wanted) -> list[str]:
    """What was not held, in words."""
    violations = []
    if found.in_time_per_s < _HELD * wanted.highest:
        violations.append(f"{found.in_time_per_s:g} a second were answered in time, of {wanted.highest:g} that can be")
    if found.recovered_s is None or found.recovered_s > _BACK_S:
        when = "not in the quiet" if found.recovered_s is None else f"after {found.recovered_s:g} s"
        violations.append(f"p95 was under 3 s again {when}")
    return violations


def _outcome(one: Seen, wanted: Wanted) -> str:
    if one.latency_ms is None:
        return "no answer"
    return "late" if one.outcome == "ok" and one.latency_ms > 1000 * wanted.deadline_s else one.outcome


def _recovered_s(seen: Sequence[Seen], wanted: Wanted) -> float | None:
    """By windows of five seconds; who was turned away has waited for ever."""
    never = round(1000 * _PATIENCE_S)
    since = None
    for number in range(int(wanted.quiet_s / _WINDOW_S)):
        start = wanted.seconds + number * _WINDOW_S
        took = sorted(
            one.latency_ms if one.outcome == "ok" and one.latency_ms is not None else never
            for one in seen
            if start <= one.due_s < start + _WINDOW_S
        )
        if quantile(took, 0.95) >= P95_MS:
            since = None
        elif since is None:
            since = number * _WINDOW_S
    return since


def measure(wanted: Wanted, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Start a stack in ``folder``, warm it, and send too much."""
    with running_stack(folder, configuration=run.CONFIGURATION) as stack:
        stack.wait_ready()
        stack.provider(run.REALISTIC)
        run.warm(stack, run.Wanted(seed=wanted.seed, warm=wanted.warm), say)
        watch = Watch(stack.settings, run.pids_of(stack))
        users, asked = _asked(wanted)
        before, yard, since = watch.pss_mb(), yardstick_ms(), mark(stack.settings, stack.invoice)
        say(f"{wanted.times * wanted.highest:g} a second for {wanted.seconds:g} s, then {wanted.highest / 2:g}")
        sent = send(stack.settings, asked, say, patience_s=_PATIENCE_S)
        yard_after = yardstick_ms()
        evidence, violations = judged(stack, users, sent, since)
        after = watch.pss_mb()
    outcome = {
        one.response.request_id: "ok" if one.response.status is ResponseStatus.OK else _code(one.response.error)
        for one in evidence.responses
    }
    begun_ms = min(sent.accepted.values(), default=0) - round(1000 * asked[0].due_s)
    seen = [
        Seen((due_ms - begun_ms) / 1000, sent.latency_ms.get(request_id), outcome.get(request_id, "no answer"))
        for request_id, due_ms in sent.accepted.items()
    ]
    found = figures(seen, wanted)
    return {
        "wanted": asdict(wanted),
        **asdict(found),
        "pss_mb": {"before": round(sum(before.values())), "after": round(sum(after.values()))},
        "generator_late_ms": sent.late_ms,
        "yardstick_ms": [yard, yard_after],
        "violations": [*broken(found, wanted), *violations],
    }


def _code(error: Any) -> str:
    return "failed" if error is None else str(error.code)


def _asked(wanted: Wanted) -> tuple[Users, list[Asked]]:
    """The excess, and behind it the quiet, of the same users' questions."""
    think_s = 60.0
    deadline_ms = round(1000 * wanted.deadline_s)
    many = Users(round(wanted.times * wanted.highest * think_s), think_s=think_s, seed=wanted.seed)
    few = Users(max(1, round(wanted.highest * think_s / 2)), think_s=think_s, seed=wanted.seed)
    excess = list(many.asking(wanted.seconds, "excess"))
    quiet = [
        replace(one, number=len(excess) + one.number, due_s=wanted.seconds + one.due_s)
        for one in few.asking(wanted.quiet_s, "quiet")
    ]
    return many, [replace(one, deadline_ms=deadline_ms) for one in (*excess, *quiet)]


def markdown(found: Mapping[str, Any]) -> str:
    """A table for people."""
    wanted = found["wanted"]
    outcomes = ", ".join(f"{name} {count}" for name, count in found["outcomes"].items())
    rows = {
        "asked / carried a second": f"{wanted['times'] * wanted['highest']:g} / {wanted['highest']:g}",
        "answered in time a second": found["in_time_per_s"],
        "outcomes of the excess": outcomes,
        "answers: p50 / p95 ms": f"{found['answered_ms']['p50']} / {found['answered_ms']['p95']}",
        "told that it is too much: p50 / p95 ms": f"{found['told_ms']['p50']} / {found['told_ms']['p95']}",
        "p95 under 3 s again after s": found["recovered_s"],
        "PSS MB before / after": f"{found['pss_mb']['before']} / {found['pss_mb']['after']}",
        "yardstick": max(found["yardstick_ms"]),
        "broken": "; ".join(found["violations"]) or "nothing",
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())])
