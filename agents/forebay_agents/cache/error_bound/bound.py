"""How sure must a hit be, so that at most a share δ of hits is wrong? Learnt from verified outcomes, never guessed.

Three rules, after vCache (arXiv 2502.03771). A task's threshold moves to the lowest score from which on verified pairs
keep the bound, believed with caution; without evidence the static one holds. An entry that was wrong at some score
gives no answer at that score or below any more. Below the threshold, where the evidence leaves little doubt, an answer
is given with the probability that keeps the expected share of wrong ones under δ; otherwise the request explores: it
goes to the model, and its own answer beside the stored one is the next piece of evidence. Hits are evidence, too, at
the price of a call: many of a task that is new or suspect, few of one that is known to keep the bound.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from forebay_agents.cache.error_bound.curve import wilson

BUCKETS = 50
"""Scores are counted in steps: fine enough for a threshold, few enough to be read at once."""
_LOWEST, _WIDTH = -4.0, 0.25
"""Log odds at the end of the first step, and width of a step: 0.987 and 0.995 are 4 steps apart, 0.5 and 0.508 none."""
_ROUNDING = 1e-6
"""Of a step: the least score of a step lies in that step, also after a logarithm and an exponential."""
_CAUTION_Z = 1.64
"""One-sided 95 %."""
_PROBATION = 30
"""Verified hits of a task below which it is watched closely: at 0.2 of its hits, 150 of them."""
_CLOSE, _LOOSE = 10.0, 0.1
_TOO_DOUBTFUL = 3.0
"""Times δ. Where more is feared to be wrong, an answer now and then keeps the bound on requests, but not that on hits:
every such hit is as likely wrong as ever."""
_NEVER = 1.0
"""No score reaches it (probabilities are cut at 1 - 1e-13), and it can be written as JSON."""
_LEAST_EVIDENCE = 20
"""Fewer verified pairs at or above a score do not move a threshold below the static one."""


def bucket(score: float) -> int:
    """Number of the step in which ``score`` lies."""
    certain = min(max(score, 1e-9), 1 - 1e-9)
    steps = (math.log(certain / (1 - certain)) - _LOWEST) / _WIDTH
    return min(BUCKETS - 1, max(0, math.floor(steps + _ROUNDING) + 1))


def edge(step: int) -> float:
    """Least score in ``step``; more than any score beyond the last one."""
    if step <= 0:
        return 0.0
    return 1.0 / (1.0 + math.exp(-(_LOWEST + (step - 1) * _WIDTH))) if step < BUCKETS else math.inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Verified pairs of a task by bucket of their score: where one answer served both, and where it did not."""

    right: Mapping[int, int] = field(default_factory=dict)
    wrong: Mapping[int, int] = field(default_factory=dict)

    def above(self, step: int) -> tuple[int, int]:
        """Right and wrong pairs in ``step`` and above."""
        return (
            sum(count for at, count in self.right.items() if at >= step),
            sum(count for at, count in self.wrong.items() if at >= step),
        )


def evidence_of(counters: Mapping[str, int]) -> Evidence:
    """Inverse of :func:`counter`, for all counters of a task."""
    right: dict[int, int] = {}
    wrong: dict[int, int] = {}
    for name, count in counters.items():
        kind, _, step = name.partition(":")
        if kind in ("right", "wrong") and step.isdigit():
            (right if kind == "right" else wrong)[int(step)] = count
    return Evidence(right=right, wrong=wrong)


def counter(score: float, *, right: bool) -> str:
    """Name of the counter for one verified pair."""
    return f"{'right' if right else 'wrong'}:{bucket(score)}"


def threshold(static: float, delta: float, evidence: Evidence) -> float:
    """Least score of a hit for a task.

    Args:
        static: threshold without evidence.
        delta: largest share of wrong hits.
    """
    best = static
    at = bucket(static)
    hits = right, wrong = evidence.above(at)
    if right + wrong and wilson(wrong, right + wrong, _CAUTION_Z)[0] > delta:
        # Even the lower end of the interval breaks the bound: the static threshold is too low here.
        for step in range(at, BUCKETS):
            right, wrong = evidence.above(step)
            if right + wrong >= _LEAST_EVIDENCE and wrong <= delta * (right + wrong):
                return edge(step) if step > at else static
        return _NEVER  # nothing is known to be sure enough: equal questions only, until near misses prove otherwise
    for step in range(at - 1, -1, -1):
        # What lies between has to keep the bound by itself: sure hits must not pay for doubtful ones.
        right, wrong = evidence.above(step)
        right, wrong = right - hits[0], wrong - hits[1]
        if right + wrong >= _LEAST_EVIDENCE and _believed(wrong, right + wrong) <= delta:
            best = min(best, edge(step))
    return best


def scrutiny(least: float, delta: float, evidence: Evidence) -> float:
    """How many times as many hits of a task as usual are verified.

    Many while little is known or something speaks against them, few once they are known to keep the bound: what is
    verified is asked of the models.

    Args:
        least: the task's threshold.
    """
    right, wrong = evidence.above(bucket(least))
    if right + wrong < _PROBATION or wrong > delta * (right + wrong):
        return _CLOSE
    return _LOOSE if wilson(wrong, right + wrong, _CAUTION_Z)[1] <= delta else 1.0


def chance(score: float, least: float, delta: float, evidence: Evidence) -> float:
    """Probability with which an answer at ``score`` may be given.

    Args:
        least: the task's threshold.
    """
    if score >= least:
        return 1.0
    step = bucket(score)
    right, wrong = evidence.right.get(step, 0), evidence.wrong.get(step, 0)
    if right + wrong < _LEAST_EVIDENCE:
        return 0.0
    doubt = wilson(wrong, right + wrong, _CAUTION_Z)[1]
    return 0.0 if doubt > _TOO_DOUBTFUL * delta else min(1.0, delta / doubt) if doubt > 0 else 1.0


def reach(least: float, delta: float, evidence: Evidence, thrown: float) -> float:
    """Least score at which :func:`chance` exceeds the coin ``thrown``."""
    known = {step for step in (*evidence.right, *evidence.wrong) if step < bucket(least)}
    steps = [step for step in known if chance(edge(step), least, delta, evidence) > thrown]
    return min([least, *map(edge, steps)])


def coin(request_id: str, salt: str) -> float:
    """A number in [0, 1) that is the same whenever the request is delivered again."""
    seed = hashlib.sha256(f"{salt}:{request_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(seed[:8], "big") / 2**64


def _believed(wrong: int, pairs: int) -> float:
    return (wrong + 1) / (pairs + 1)
