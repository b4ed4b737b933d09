"""Is there money left for this call? Reserved before it, settled after it, atomically in Redis.

What counts as spent is the larger of what this account saw (settled and reserved) and what the ledger says (settled and
pending). So a call whose worker died is counted once the ledger knows it, and an account that was lost with Redis comes
back with the next entry. The ledger's sums are none of keys': what was put aside for a call of a key and never settled
stays counted, at its worst case as the ledger has it. Amounts are nano-dollars.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Rejected
from forebay.contract.records import Spend, WindowKind
from forebay.contract.windows import window_end, window_start
from forebay.privacy.people.names import Names
from forebay.state.keys import Key, Owned, Prefix, formerly, owned, owned_from
from forebay.state.redis_client import redis_errors, refused
from forebay_agents.completion.quotas.former_accounts import FormerAccounts
from forebay_agents.completion.quotas.key_limits import Keys, KnownKeys
from forebay_agents.completion.quotas.overrides import Overrides, Whose
from forebay_agents.completion.quotas.payers import account_of
from forebay_agents.completion.quotas.scripts import LEDGER, RESERVE, SETTLE
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings
from forebay_agents.models.prices.rates import NANO

_SPENT_FROM = 500
_KEEP_MS = {WindowKind.DAY: 3 * 86_400_000, WindowKind.MONTH: 40 * 86_400_000}


_OF_KEY = owned_from(Owned.KEY_BUDGET)
_WHOSE = {"tenant": "the tenant", "user": "the user", "key": "the API key"}
Limits = Sequence[tuple[WindowKind, int | None]]
"""In nano-dollars; ``None``: not limited."""


class Room(StrEnum):
    """What a budget allows: everything, the cheapest tier only, or nothing."""

    OK = "ok"
    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One budget in one window: its key and the one it had before, ``limit`` in nano-dollars.

    ``common``: several tenants', so that a row of the ledger in it needs its tenant's name. ``ids``: of the tenant, or
    of tenant and user or key, whose budget it is; ``start``: of the window, ms since the epoch.
    """

    key: Key
    before: Key
    kind: WindowKind
    limit: int
    common: bool = False
    ids: tuple[str, ...] = ()
    start: int = 0

    @property
    def whose(self) -> str:
        """``tenant``, ``user`` or ``key``, of which the ledger's sums know nothing."""
        if self.key.startswith(_OF_KEY):
            return "key"
        return "user" if len(self.ids) > 1 else "tenant"

    @property
    def ends_at(self) -> int:
        """End of the window, ms since the epoch."""
        return window_end(self.kind, self.start)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """Money put aside for a call under ``id``; ``room`` says how full the fullest budget is.

    ``fills``: how full each is, in per mille; 1000 also where nothing fits in any more. ``full``: the one that has no
    room.
    """

    id: str
    room: Room
    accounts: tuple[Account, ...] = ()
    fills: tuple[tuple[Account, int], ...] = ()
    full: Account | None = None

    def refusal(self) -> Rejected:
        """Whose budget is used up, and until when."""
        if self.full is None:
            return Rejected("budget_exceeded", "what is left of the budget pays for no such call")
        kind = "daily" if self.full.kind is WindowKind.DAY else "monthly"
        until = datetime.fromtimestamp(self.full.ends_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        message = f"what is left of the {kind} budget of {_WHOSE[self.full.whose]} pays for no such call, until {until}"
        return Rejected("budget_exceeded", message, retry_at=self.full.ends_at)


class Budgets(Protocol):
    """Money of tenants, users and keys of the HTTP door."""

    async def reserve(
        self, tenant_id: str, user_id: str, reservation_id: str, amount: int, *, key_id: str | None = None
    ) -> Reservation:
        """Put ``amount`` aside in every budget, or in none (``Room.HARD``); ``key_id``: by which key it was asked.

        An empty ``reservation_id`` only asks whether there is room for it; 0: for anything.
        """
        ...

    async def settle(self, reservation: Reservation, cost: int) -> None:
        """What the call really cost, 0 for nothing."""
        ...


class NoBudgets:
    """Nobody has a budget."""

    async def reserve(
        self, tenant_id: str, user_id: str, reservation_id: str, amount: int, *, key_id: str | None = None
    ) -> Reservation:
        """See :class:`Budgets`."""
        return Reservation(id=reservation_id, room=Room.OK)

    async def settle(self, reservation: Reservation, cost: int) -> None:
        """See :class:`Budgets`."""


class RedisBudgets:
    """See :class:`Budgets`. Without Redis nothing is spent that a budget is set for: money is not guessed at.

    Args:
        client: a ``redis.asyncio`` client.
        now_ms: ms since the epoch.
        known: tenants that there are; others share one account. ``None``: each has its own.
        names: what users are called, whatever records and the configuration call them; ``None``: as they do.
        overrides: budgets that count instead of the configured ones.
        keys: whose own budgets count as well.
    """

    def __init__(
        self,
        client: Any,
        prefix: str,
        settings: BudgetsSettings,
        now_ms: Clock = now_ms,
        *,
        known: Collection[str] | None = None,
        names: Names | None = None,
        overrides: Overrides | None = None,
        keys: Keys | None = None,
    ) -> None:
        self._keys = keys or KnownKeys()
        self._overrides = overrides
        self._set: Mapping[Whose, Budget] = {}
        self._known = known
        self._client = client
        self._prefix = Prefix(prefix)
        self._settings = settings
        self._now_ms = now_ms
        self._names = names
        self._users = {self._account_of(*user.partition("|")[::2]): budget for user, budget in settings.users.items()}
        limited = any(one != Budget() for one in (settings.user, *self._users.values()))
        self._former = FormerAccounts(client, prefix, names) if names is not None and limited else None

    async def reserve(
        self, tenant_id: str, user_id: str, reservation_id: str, amount: int, *, key_id: str | None = None
    ) -> Reservation:
        """See :class:`Budgets`."""
        now = self._now_ms()
        await self._take_over(tenant_id, user_id)
        # Months first: who has nothing left of either waits for the later.
        accounts = tuple(
            sorted(self._all_accounts(tenant_id, user_id, key_id, now), key=lambda one: one.kind is WindowKind.DAY)
        )
        if not accounts:
            return Reservation(id=reservation_id, room=Room.OK)
        until = now + round(1000 * self._settings.reservation_s)
        limits = [account.limit for account in accounts]
        untils = [one.ends_at + _KEEP_MS[one.kind] if one.whose == "key" else until for one in accounts]
        refused, *filled = await self._run(
            RESERVE, accounts, now, reservation_id, amount, _longest(accounts), *limits, *untils
        )
        if refused:
            # What is left pays for nothing, unless the call alone was larger than half of the budget.
            filled[refused - 1] = 1000 if filled[refused - 1] >= _SPENT_FROM else filled[refused - 1]
        fills = tuple(zip(accounts, filled, strict=True))
        if refused:
            return Reservation(id=reservation_id, room=Room.HARD, fills=fills, full=accounts[refused - 1])
        room = Room.SOFT if max(filled) >= 1000 * self._settings.soft_share else Room.OK
        return Reservation(id=reservation_id, room=room, accounts=accounts, fills=fills)

    async def accounts(self, tenant_id: str, user_id: str) -> list[tuple[Account, int]]:
        """The accounts of a user now, or of a tenant alone, and what counts as spent in each, in nano-dollars."""
        await self._take_over(tenant_id, user_id)
        found: list[tuple[Account, int]] = []
        for account in self._accounts(tenant_id, user_id, self._now_ms()):
            values = await self._client.hmget(self._prefix + account.key, "spent", "reserved", "ledger")
            spent, reserved, ledger = (int(value or 0) for value in values)
            found.append((account, max(spent + reserved, ledger)))
        return found

    def limited(self, tenant_id: str, user_id: str, key_id: str | None = None) -> bool:
        """Whether the user, the tenant or the key has a budget."""
        return any(True for _ in self._all_accounts(tenant_id, user_id, key_id, self._now_ms()))

    async def settle(self, reservation: Reservation, cost: int) -> None:
        """See :class:`Budgets`."""
        if reservation.accounts:
            await self._run(SETTLE, reservation.accounts, reservation.id, cost, _longest(reservation.accounts))

    def follows(self, tenant_id: str, user_id: str, kind: WindowKind, start: int) -> bool:
        """Whether a budget counts what the ledger says of this window (``start``: ms since the epoch).

        As budgets were known when :meth:`look` was called last, or money was put aside.
        """
        return any(account.kind is kind for account in self._accounts(tenant_id, user_id, start))

    async def look(self) -> None:
        """Which budgets were set meanwhile?"""
        if self._overrides is not None:
            self._set = await self._overrides.current()

    async def observe(self, row: Spend) -> None:
        """Take over what the ledger says."""
        await self._take_over(row.tenant_id, row.user_id)
        of_call = f"|{row.tier}|{row.purpose}" if row.purpose else ""  # rows from before that have neither
        name, amount = f"{row.user_id}|{row.model}{of_call}", row.cost_nanousd + row.pending_nanousd
        found = self._accounts(row.tenant_id, row.user_id, row.window_start)
        wanted = [account for account in found if account.kind is row.window]
        for common, prefix in ((False, ""), (True, f"{len(row.tenant_id)}:{row.tenant_id}|")):
            accounts = [account for account in wanted if account.common is common]
            if accounts:
                await self._run(LEDGER, accounts, prefix + name, amount, _longest(accounts))

    async def _run(self, script: str, accounts: Sequence[Account], *arguments: Any) -> Any:
        keys = [self._prefix + key for key in (*(one.key for one in accounts), *(one.before for one in accounts))]
        try:
            return await self._client.eval(script, len(keys), *keys, *arguments)
        except redis_errors() as error:
            raise refused(error, "budgets") from None

    def _account_of(self, tenant_id: str, user_id: str) -> tuple[str, str]:
        return tenant_id, user_id if self._names is None else self._names.recorded(tenant_id, user_id)

    async def _take_over(self, tenant_id: str, user_id: str) -> None:
        """What the user spent while records had the id, and which budgets count by now."""
        await self.look()
        if self._former is not None:
            await self._former.move_all()
            if self._account_of(tenant_id, user_id) != (tenant_id, user_id):
                await self._former.move(tenant_id, user_id)

    def _all_accounts(self, tenant_id: str, user_id: str, key_id: str | None, at_ms: int) -> Iterable[Account]:
        yield from self._accounts(tenant_id, user_id, at_ms)
        if (key := self._keys.of(tenant_id, key_id)) is not None:
            limits = ((WindowKind.DAY, key.daily_nanousd), (WindowKind.MONTH, key.monthly_nanousd))
            yield from _of(Owned.KEY_BUDGET, (tenant_id, key.key_id), limits, at_ms, common=False)

    def _accounts(self, tenant_id: str, user_id: str, at_ms: int) -> Iterable[Account]:
        settings, (_, user) = self._settings, self._account_of(tenant_id, user_id)
        named = tenant_id in settings.tenants or (tenant_id, "") in self._set
        payer = tenant_id if named else account_of(tenant_id, self._known, settings.tenants)
        of_tenant = self._set.get((payer, "")) or settings.tenants.get(payer, settings.tenant)
        yield from _of(Owned.TENANT_BUDGET, (payer,), _limits(of_tenant), at_ms, common=payer != tenant_id)
        own = self._set.get((tenant_id, user)) or self._users.get((tenant_id, user))
        whose = payer if own is None else tenant_id
        limits = _limits(own or settings.user)
        yield from _of(Owned.USER_BUDGET, (whose, user), limits, at_ms, common=whose != tenant_id)


def _limits(budget: Budget) -> Limits:
    dollars = (WindowKind.DAY, budget.daily_usd), (WindowKind.MONTH, budget.monthly_usd)
    return tuple((kind, None if usd is None else round(usd * NANO)) for kind, usd in dollars)


def _of(space: Owned, ids: tuple[str, ...], limits: Limits, at_ms: int, *, common: bool) -> Iterable[Account]:
    for kind, limit in limits:
        if limit is not None:
            start = window_start(kind, at_ms)
            window = kind.value, str(start)
            key = owned(space, *ids, *window)
            new = space is Owned.KEY_BUDGET
            yield Account(
                key=key,
                before=key if new else formerly(space, ":".join(("|".join(ids), *window))),
                kind=kind,
                limit=limit,
                common=common,
                ids=ids,
                start=start,
            )


def _longest(accounts: Sequence[Account]) -> int:
    return max(_KEEP_MS[account.kind] for account in accounts)
