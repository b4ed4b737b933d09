"""How often does the cache answer, how often wrongly, and what does it save? 50,000 requests with known answers.

``python -m loadtest cache [--requests N] [--delta D] [--static] [--literal SHARE]``: people ask Zipf-distributed
questions in many wordings; the very handlers of the stage answer, over a store in memory; a model that is always right
and costs the same every time answers the rest. A judge who knows the truth verifies what is explored. Wordings of the
world were never trained on. In ``literal`` topics other words want another answer, which nobody can read off them: only
what is verified can tell. Each distinct pair of texts is compared once: that is what makes it minutes.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import CollectorRegistry

from forebay.contract.handlers import Context, Output
from forebay.contract.records import AnswerSource, CacheCheck, Completion, Message, RedactedRequest, ResponseStatus
from forebay.contract.wire import Delivered
from forebay_agents.cache.error_bound.bound import evidence_of, threshold
from forebay_agents.cache.error_bound.curve import wilson
from forebay_agents.cache.error_bound.evidence import evidence_key
from forebay_agents.cache.matching.matching import Reading, Verdict
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.memory import MemoryStore
from forebay_agents.cache.wiring import assemble, calibrated
from loadtest.scenarios.questions import world, zipf

_COST = 1_000_000
"""Nano-dollars of a call."""
_CONTEXT = Context(
    source=Delivered(topic="t", partition=0, offset=0, key=b"", value=b"", headers={}, timestamp_ms=0),
    attempt=1,
    accepted_at=0,
)


class Remembering:
    """The stage's matcher, which reads a text and compares two of them only once."""

    def __init__(self, settings: CacheSettings) -> None:
        self._matcher = calibrated(settings)
        self.threshold = self._matcher.threshold
        self.identity = self._matcher.identity
        self._readings: dict[str, Reading] = {}
        self._deep: dict[str, Reading] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}

    def read(self, text: str) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        if text not in self._readings:
            self._readings[text] = self._matcher.read(text)
        return self._readings[text]

    def deepen(self, reading: Reading) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        if reading.text not in self._deep:
            self._deep[reading.text] = self._matcher.deepen(self.read(reading.text))
        return self._deep[reading.text]

    def recalled(self, reading: Reading) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        return self._deep.get(reading.text, reading)

    def compare(
        self, new: Reading, stored: Sequence[Reading], thresholds: Sequence[float | None] = (), floor: float = 0.0
    ) -> list[Verdict]:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        return [
            self._one(new, other, thresholds[index] if index < len(thresholds) else None)
            for index, other in enumerate(stored)
        ]

    def _one(self, new: Reading, other: Reading, least: float | None) -> Verdict:
        key = (new.text, other.text)
        if key not in self._verdicts:
            self._verdicts[key] = self._matcher.compare(self._deep.get(new.text, new), [other])[0]
        known = self._verdicts[key]
        threshold_now = self.threshold if least is None else least
        hit = known.score >= threshold_now and not known.forbidden
        return replace(known, threshold=threshold_now, hit=hit)


class Truth:
    """A judge who knows."""

    async def serves(self, check: CacheCheck, _context: Context) -> tuple[bool | None, list[Output]]:
        """See :class:`forebay_agents.cache.error_bound.verification.Judge`."""
        return check.answer == check.stored_answer, []


@dataclass
class Tally:
    """What happened."""

    sources: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    avoidable: int = 0
    saved: int = 0
    paid: int = 0

    def add(self, source: str, right: bool) -> None:
        """One request."""
        self.sources[source] += 1
        self.wrong[source] += not right

    def report(self) -> dict[str, Any]:
        """Shares with their intervals."""
        requests, semantic = sum(self.sources.values()), self.sources["cache_semantic"]
        low, high = wilson(self.wrong["cache_semantic"], semantic)
        hits = requests - self.sources["model"]
        wrong = sum(self.wrong.values())
        return {
            "requests": requests,
            "hit_rate": hits / requests,
            "exact_rate": self.sources["cache_exact"] / requests,
            "semantic_rate": semantic / requests,
            "wrong_semantic_hits": self.wrong["cache_semantic"],
            "wrong_share_of_semantic_hits": self.wrong["cache_semantic"] / semantic if semantic else 0.0,
            "wrong_share_interval": [low, high],
            "wrong_share_of_all_hits": wrong / hits if hits else 0.0,
            "best_possible_hit_rate": self.avoidable / requests,
            "saved_share_of_cost": self.saved / ((self.saved + self.paid) or 1),
        }


async def simulate(
    requests: int, delta: float, *, adaptive: bool, literal: float = 0.0, exponent: float = 0.9
) -> dict[str, Any]:
    """Run the traffic.

    Args:
        literal: share of topics in which other words want another answer.
        adaptive: whether verified outcomes move thresholds; otherwise nothing is explored and the static one holds.
    """
    verify = {} if adaptive else {"verify_hits": 0.0, "verify_near_misses": 0.0}
    own = CacheSettings(delta=delta, write_quota_per_hour=10**9, near_misses_per_s=10**9, **verify)  # type: ignore[arg-type]  # two floats
    store, topics, rng = MemoryStore(), world(literal=literal), random.Random(5)
    weights = zipf(len(topics), exponent)
    chosen = rng.choices(range(len(topics)), weights, k=requests)
    tally, second = Tally(), Tally()
    seen: set[int] = set()
    started = time.perf_counter()
    with ThreadPoolExecutor(1) as executor:
        matcher = Remembering(own)
        stage = assemble(
            store, matcher, executor, own, CacheMetrics(CollectorRegistry()), judge=Truth(), clock_ms=lambda: 10**12
        ).stage
        for number, at in enumerate(chosen):
            topic = topics[at]
            asked = RedactedRequest(
                request_id=f"r{number}",
                user_id=f"u{rng.randrange(500)}",
                language="en",
                messages=(Message(content=rng.choice(topic.wordings)),),
            )
            outputs = await stage.answer(asked, _CONTEXT)
            done = outputs[0].value
            counted = (tally, second) if number >= requests // 2 else (tally,)
            for one in counted:
                one.avoidable += at in seen
            if isinstance(done, Completion):
                for one in counted:
                    one.add(done.source.value, done.content == topic.answer)
                    one.saved += _COST
            else:
                for one in counted:
                    one.add("model", True)
                    one.paid += _COST
                checks = await stage.keep(_answered(asked, topic.answer), _CONTEXT)
                for check in checks:
                    assert isinstance(check.value, CacheCheck)
                    await stage.verify(check.value, _CONTEXT)
            seen.add(at)
            _progress(number, requests)
    wall = next(place.wall for place in store.entries)
    adapted = threshold(matcher.threshold, delta, evidence_of(await store.counts(evidence_key(wall, None))))
    return {
        "delta": delta,
        "topics": len(topics),
        "wordings": sum(len(topic.wordings) for topic in topics),
        "static_threshold": matcher.threshold,
        "final_threshold": adapted if adaptive else matcher.threshold,
        "seconds": round(time.perf_counter() - started, 1),
        "second_half": second.report(),
        "all": tally.report(),
    }


def _answered(request: RedactedRequest, content: str) -> Completion:
    return Completion(
        request_id=request.request_id,
        tenant_id=request.tenant_id,
        user_id=request.user_id,
        status=ResponseStatus.OK,
        content=content,
        finish_reason="stop",
        source=AnswerSource.MODEL,
        cost_nanousd=_COST,
        request=request,
    )


def _progress(number: int, requests: int) -> None:
    if sys.stderr.isatty() and number % 500 == 0:
        sys.stderr.write(f"\r{number:,} of {requests:,}")
