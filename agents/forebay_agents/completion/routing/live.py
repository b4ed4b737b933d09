"""Which tier is asked first, and what is a score worth? What was learnt says so, re-read when a new version is current.

Until a version exists, the heuristic of :mod:`forebay_agents.completion.routing.model` chooses and raw scores stand. A
version that cannot be read changes nothing: the one before stays in use, and the log says so.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from forebay_agents.completion.metrics import RouterMetrics
from forebay_agents.completion.routing.model import HEURISTIC, ModelError, RouterModel, first_tier, load, suffices

log = structlog.get_logger(__name__)

_LOOK_S = 2.0


class Router(Protocol):
    """Chooses the first tier and calibrates confidence."""

    def first(self, question: str, prices: Mapping[str, float]) -> str:
        """Which of the tiers in ``prices`` (name to expected price of this call, cheapest first) is asked first."""
        ...

    def early(self, question: str, prices: Mapping[str, float], least: float) -> str:
        """Which is asked when it is the last word: the cheapest that is good with ``least``, else the dearest."""
        ...

    def worthwhile(self, question: str, prices: Mapping[str, float], dearer: str, probability: float) -> bool:
        """Whether asking ``dearer`` pays, now that there is an answer that is good with ``probability``."""
        ...

    def confidence(self, tier: str, score: float) -> float:
        """Probability that an answer of ``tier`` with the raw ``score`` is good."""
        ...


class FromTheCheapest:
    """Knows nothing: see :class:`Router`."""

    def first(self, _question: str, prices: Mapping[str, float]) -> str:
        """See :class:`Router`."""
        return next(iter(prices))

    def early(self, _question: str, prices: Mapping[str, float], _least: float) -> str:
        """See :class:`Router`."""
        return list(prices)[-1]

    def worthwhile(self, _question: str, _prices: Mapping[str, float], _dearer: str, _probability: float) -> bool:
        """See :class:`Router`."""
        return True

    def confidence(self, _tier: str, score: float) -> float:
        """See :class:`Router`."""
        return score


class LiveRouter:
    """The current version in ``folder``; see :class:`Router`.

    Args:
        value_nanousd: what a right answer is worth instead of a wrong one; by default the dearest tier's price.
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        folder: Path,
        metrics: RouterMetrics,
        value_nanousd: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._metrics = metrics
        self._value = value_nanousd
        self._clock = clock
        self._model: RouterModel | None = None
        self._seen: tuple[int, str] | None = None
        self._look_at = float("-inf")
        metrics.using(HEURISTIC)

    @property
    def version(self) -> str:
        """Which version is in use."""
        return HEURISTIC if self._model is None else self._model.version

    def warm_up(self) -> None:
        """Load what the first request would otherwise wait for: 0.1 s."""
        self._refresh()
        suffices("warm up", ("cheap", "dear"), self._model)

    def first(self, question: str, prices: Mapping[str, float]) -> str:
        """See :class:`Router`."""
        self._refresh()
        tiers = list(prices)
        chosen = tiers[0]
        if len(tiers) > 1:
            value = max(prices.values()) if self._value is None else self._value
            chosen = first_tier(self._chances(question, tiers), prices, value, tiers)
        self._metrics.began(chosen)
        return chosen

    def early(self, question: str, prices: Mapping[str, float], least: float) -> str:
        """See :class:`Router`."""
        self._refresh()
        tiers = list(prices)
        chances = self._chances(question, tiers)
        chosen = next((tier for tier in tiers if chances[tier] >= least), tiers[-1])
        self._metrics.began(chosen)
        return chosen

    def worthwhile(self, question: str, prices: Mapping[str, float], dearer: str, probability: float) -> bool:
        """See :class:`Router`."""
        if self._value is None:
            return True
        gain = self._chances(question, list(prices))[dearer] - probability
        return gain * self._value > prices[dearer]

    def confidence(self, tier: str, score: float) -> float:
        """See :class:`Router`."""
        return score if self._model is None else self._model.confidence(tier, score)

    def _chances(self, question: str, tiers: Sequence[str]) -> dict[str, float]:
        return suffices(question, tiers, self._model)

    def _refresh(self) -> None:
        """Look at the pointer every other second: 20 µs."""
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_S
        seen = self._pointer()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            found = load(self._folder)
            suffices("try out", tuple(found.tiers) if found else (), found)
        except (ModelError, ValueError) as error:
            log.error("router_not_loaded", error=type(error).__name__, pointer=seen and seen[1], still=self.version)
            return
        self._model = found
        self._metrics.using(self.version)
        log.info("router_loaded", version=self.version)

    def _pointer(self) -> tuple[int, str] | None:
        pointer = self._folder / "current"
        try:
            return pointer.stat().st_mtime_ns, pointer.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
