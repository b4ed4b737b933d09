"""What was saved by not asking the dearest tier, and by sending less? Each against a stated call that was not made.

*Cheaper tier*: the served answer's own tokens at the dearest tier that the request allowed, less all that was paid for
the request: after escalations it is below zero. *Compression*: the tokens that were cut, at the input price of the
model that was called, for each call that was paid. Neither is clipped, and neither is guessed: without a price on both
sides nothing is said to be saved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forebay.contract.records import UsageEvent, UsageStatus
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.provider import Usage
from forebay_agents.models.settings import Deployment, Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """How a request was served.

    Attributes:
        attempt_id: of the call whose answer it was.
        dearest: tier that the request allowed.
        spent: on all tries of the request, in nano-dollars.
        cut: tokens of the prompt that were not sent.
    """

    attempt_id: str
    dearest: Tier
    spent: int
    cut: int


class Savings:
    """Enters what was saved.

    Args:
        tiers: where the deployments of entries are found.
    """

    def __init__(self, prices: PriceList, tiers: Sequence[Tier]) -> None:
        self._prices = prices
        self._deployments = {one.name: one for tier in tiers for one in tier.deployments}

    def entered(self, entries: Sequence[UsageEvent], served: Served) -> list[UsageEvent]:
        """``entries``, closed, with what each of them saved."""
        return [self._entered(entry, served) for entry in entries]

    def _entered(self, entry: UsageEvent, served: Served) -> UsageEvent:
        place = self._deployments.get(entry.deployment)
        if entry.status is not UsageStatus.SETTLED or not entry.priced or place is None:
            return entry
        tier = self._of_tier(entry, served) if entry.attempt_id == served.attempt_id else 0
        return replace(entry, saved_tier_nanousd=tier, saved_compression_nanousd=self._of_cut(entry, place, served.cut))

    def _of_tier(self, entry: UsageEvent, served: Served) -> int:
        used = Usage(
            prompt_tokens=entry.prompt_tokens,
            completion_tokens=entry.completion_tokens,
            cached_prompt_tokens=entry.cached_prompt_tokens,
            cache_write_tokens=entry.cache_write_tokens,
            cache_write_1h_tokens=entry.cache_write_1h_tokens,
            reasoning_tokens=entry.reasoning_tokens,
            service_tier=entry.service_tier,
        )
        instead = self._prices.priced(served.dearest.deployments[0], used, entry.started_at)
        return instead.nanousd - served.spent if instead.priced else 0

    def _of_cut(self, entry: UsageEvent, place: Deployment, cut: int) -> int:
        return self._prices.input_nanousd(place, cut, entry.prompt_tokens, entry.started_at) if cut else 0
