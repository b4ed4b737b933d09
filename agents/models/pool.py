"""Which deployment of a tier is next? By weight among the healthy; those that failed rest for a while."""

import random
import time
from collections.abc import Callable, Iterator

from agents.models.provider import ProviderError
from agents.models.settings import Deployment, Tier

_TRY_ANOTHER = frozenset(
    {"provider_rate_limited", "provider_timeout", "provider_unavailable", "provider_auth", "content_policy"}
)
"""Errors that another deployment of the same tier may not have."""


class DeploymentPool:
    """The deployments of all tiers, with their cooldowns; per worker.

    Args:
        cooldown_s: seconds that a failed deployment rests, unless the provider says how long.
    """

    def __init__(
        self,
        cooldown_s: float,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._random = rng or random.Random()  # noqa: S311 - balances load, guards nothing
        self._resting_until: dict[str, float] = {}

    def candidates(self, tier: Tier) -> Iterator[Deployment]:
        """Deployments to try, in order; when all rest, the one whose rest ends first (better than none)."""
        now = self._clock()
        healthy = [item for item in tier.deployments if self._resting_until.get(item.name, 0.0) <= now]
        if not healthy:
            yield min(tier.deployments, key=lambda item: self._resting_until[item.name])
            return
        while healthy:
            [chosen] = self._random.choices(healthy, [item.weight for item in healthy])
            healthy.remove(chosen)
            yield chosen

    def failed(self, deployment: Deployment, error: ProviderError) -> bool:
        """Note a failure; whether another deployment is worth a try."""
        if error.code not in _TRY_ANOTHER:
            return False
        rest = self._cooldown_s if error.retry_after_s is None else error.retry_after_s
        self._resting_until[deployment.name] = self._clock() + rest
        return True

    def worked(self, deployment: Deployment) -> None:
        """Note a success."""
        self._resting_until.pop(deployment.name, None)
