"""Which rates does a call have? By its service tier, by all its input tokens, and by the hour in which it began.

A sheet is compiled once; a call looks its rates up. Providers choose a step by all input tokens of a call, cached and
written ones too, and then price *all* tokens of the call by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo

from forebay_agents.models.prices.rates import Rates
from forebay_agents.models.providers.provider import STANDARD, Usage

EVER = -(2**63)
"""Since when a price is valid that has no beginning, in ms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Hours of a day, UTC, that may go past midnight; the same hour twice is the whole day.

    Attributes:
        weekdays: 1 (Monday) to 7, on the calendar of ``zone``; ``None``: each day.
    """

    start: time
    end: time
    weekdays: frozenset[int] | None = None
    zone: tzinfo = UTC

    def covers(self, moment: datetime) -> bool:
        """Whether ``moment``, in UTC, is within."""
        if self.weekdays is not None and moment.astimezone(self.zone).isoweekday() not in self.weekdays:
            return False
        now = moment.time()
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Rates of calls with more than ``above`` input tokens; -1: of all."""

    above: int = -1
    rates: Rates
    off_peak: Rates | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Rates of one call, and how they were found.

    Attributes:
        service_tier: whose rates they are: ``standard`` where the sheet has none of the call's.
        above: the step's threshold in input tokens; ``None``: the first step.
    """

    rates: Rates
    service_tier: str
    above: int | None
    off_peak: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """The price of one model in one period.

    Attributes:
        source: who says so, such as ``models.prices``.
        since_ms: from when on, ms since the epoch.
        steps: by service tier, at least ``standard``; each from the lowest threshold, -1, up.
        windows: when ``off_peak`` counts.
    """

    source: str
    since_ms: int = EVER
    steps: Mapping[str, Sequence[Step]]
    windows: Sequence[Window] = ()

    def find(self, usage: Usage, at_ms: int) -> Found:
        """The rates of a call that began at ``at_ms``."""
        tier = usage.service_tier if usage.service_tier in self.steps else STANDARD
        steps = self.steps[tier]
        step = steps[0]
        for other in steps:
            if usage.prompt_tokens > other.above:
                step = other
        above = None if step.above < 0 else step.above
        if step.off_peak is not None and self._is_off_peak(at_ms):
            return Found(rates=step.off_peak, service_tier=tier, above=above, off_peak=True)
        return Found(rates=step.rates, service_tier=tier, above=above, off_peak=False)

    @property
    def label(self) -> str:
        """Source and period for the ledger, at most 64 characters."""
        return f"{self.source} {since}"[:64] if (since := self.since) else self.source[:64]

    @property
    def since(self) -> str | None:
        """From when on, ISO 8601 in UTC; ``None``: ever."""
        if self.since_ms == EVER:
            return None
        return datetime.fromtimestamp(self.since_ms / 1000, UTC).isoformat().replace("+00:00", "Z")

    def _is_off_peak(self, at_ms: int) -> bool:
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
        return any(window.covers(moment) for window in self.windows)
