"""May this request be served now? Money first, which is quick to say; then the rates of its tenant, user and key."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from forebay.contract.clock import Clock
from forebay.contract.failures import Rejected
from forebay.contract.handlers import WriteAhead
from forebay.contract.records import Alert, RedactedRequest
from forebay.state.conditions import Conditions, MemoryConditions, alert_output
from forebay.state.rates import Limit, Limiter
from forebay_agents.completion.quotas.budgets import Budgets, Room
from forebay_agents.completion.quotas.key_limits import Keys, KnownKeys
from forebay_agents.completion.quotas.rates import corrections, of_payer
from forebay_agents.completion.quotas.settings import LimitsSettings
from forebay_agents.completion.quotas.telling import BudgetTeller

_TOKENS_PER_CHAR = 1 / 3
_SHORTEST_S = 0.02


class Admission:
    """Admits requests to the models.

    Args:
        now_ms: ms since the epoch.
        known: tenants that have rates of their own; the others share one. ``None``: all have.
        conditions: what people were told of already.
        keys: which have rates of their own as well.
    """

    def __init__(
        self,
        limits: LimitsSettings,
        limiter: Limiter,
        budgets: Budgets,
        now_ms: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        known: Collection[str] | None = None,
        conditions: Conditions | None = None,
        keys: Keys | None = None,
    ) -> None:
        self._keys = keys or KnownKeys()
        self._known = known
        self._limits = limits
        self._limiter = limiter
        self._budgets = budgets
        self._now_ms = now_ms
        self._sleep = sleep
        self._teller = BudgetTeller(conditions or Conditions(MemoryConditions(), now_ms))

    async def admit(
        self, request: RedactedRequest, least_nanousd: int = 0, write_ahead: WriteAhead | None = None
    ) -> tuple[Room, list[Alert]]:
        """What the budget allows, after waiting for the request's turn; and what to tell people.

        Args:
            least_nanousd: no call that may serve the request has a smaller worst case, in nano-dollars.
            write_ahead: publishes what people are told where the request is rejected.

        Raises:
            Rejected: ``budget_exceeded``, or ``rate_limited`` when it would wait too long.
        """
        reservation = await self._budgets.reserve(
            request.tenant_id, request.user_id, "", least_nanousd, key_id=request.key_id
        )
        alerts = await self._teller.tell(reservation, self._now_ms())
        if reservation.room is Room.HARD:
            if alerts and write_ahead is not None:
                await write_ahead([alert_output(alert) for alert in alerts])
            raise reservation.refusal()
        await self._wait(request)
        return reservation.room, alerts

    async def used(self, request: RedactedRequest, tokens: int) -> None:
        """What an admitted request took in the end, question and answer: its limits had an estimate."""
        limits, estimated = self._taken(request)
        if wrong := corrections(limits, estimated, tokens):
            await self._limiter.correct(wrong)

    def _taken(self, request: RedactedRequest) -> tuple[Sequence[Limit], int]:
        """What a request takes at first, and of how many tokens that is the estimate."""
        tokens = round(sum(len(message.content) for message in request.messages) * _TOKENS_PER_CHAR)
        key = self._keys.of(request.tenant_id, request.key_id)
        return of_payer(self._limits, request.tenant_id, request.user_id, tokens, self._known, key), tokens

    async def _wait(self, request: RedactedRequest) -> None:
        limits, _ = self._taken(request)
        if not limits:
            return
        patience_s = self._patience_s(request)
        while (wait_s := await self._limiter.take(limits)) > 0:
            if wait_s > patience_s:
                at = self._now_ms() + round(1000 * wait_s)
                message = "too many requests or tokens of this tenant, user or API key in a minute"
                raise Rejected("rate_limited", message, retry_at=at)
            patience_s -= max(wait_s, _SHORTEST_S)
            await self._sleep(max(wait_s, _SHORTEST_S))

    def _patience_s(self, request: RedactedRequest) -> float:
        if request.deadline_ms is None:
            return self._limits.patience_s
        left_s = (request.accepted_at + request.deadline_ms - self._now_ms()) / 1000
        return max(0.0, min(self._limits.patience_s, left_s))
