"""What may an operator do about budgets? See what is left of one, and set another without a restart."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.privacy.people.names import open_names
from forebay.settings import RedisSettings, Settings
from forebay.state.keys import Owned, owned_from
from forebay.state.redis_client import open_redis
from forebay.trust.tenant_keys import known_tenants
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.overrides import Overrides
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountState:
    """A budget in its window, in nano-dollars; ``spent`` is what counts: settled, reserved and pending.

    Attributes:
        whose: ``tenant`` or ``user``.
        window: ``day`` or ``month``, of UTC.
        common: several tenants share it.
    """

    whose: str
    window: str
    limit_nanousd: int
    spent_nanousd: int
    common: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Purse:
    """Budgets of an installation, opened."""

    budgets: RedisBudgets
    overrides: Overrides
    settings: Settings


@asynccontextmanager
async def open_purse(settings: Settings) -> AsyncIterator[Purse]:
    """Budgets as workers see them."""
    async with open_redis(settings) as client:
        prefix = settings[RedisSettings].key_prefix
        overrides = Overrides(client, prefix)
        known, names = known_tenants(settings), open_names(settings)
        budgets = RedisBudgets(client, prefix, settings[BudgetsSettings], known=known, names=names, overrides=overrides)
        yield Purse(budgets=budgets, overrides=overrides, settings=settings)


def payer_of(text: str) -> tuple[str, str]:
    """Tenant and user of ``TENANT`` or ``TENANT/USER``; raises :class:`InvalidChoiceError`."""
    tenant_id, slash, user_id = text.partition("/")
    if not tenant_id or (slash and not user_id):
        raise InvalidChoiceError("name a TENANT, or TENANT/USER")
    return tenant_id, user_id


async def show(purse: Purse, payer: str) -> Sequence[AccountState]:
    """The budgets that limit a tenant, or one of its users; none: nothing does."""
    tenant_id, user_id = payer_of(payer)
    of_tenant = owned_from(Owned.TENANT_BUDGET)
    found = [
        AccountState(
            whose="tenant" if account.key.startswith(of_tenant) else "user",
            window=account.kind.value,
            limit_nanousd=account.limit,
            spent_nanousd=spent,
            common=account.common,
        )
        for account, spent in await purse.budgets.accounts(tenant_id, user_id)
    ]
    return [one for one in found if user_id or one.whose == "tenant"]


async def change(purse: Purse, payer: str, budget: Budget | None, record: Recorder) -> None:
    """Set the budget of a tenant or a user; ``None``: what is configured counts again. In effect within two seconds.

    Raises:
        PublishError: it cannot be written down; nothing changes.
    """
    tenant_id, user_id = payer_of(payer)
    names = open_names(purse.settings)
    recorded = names.recorded(tenant_id, user_id) if names is not None and user_id else user_id
    dollars = {} if budget is None else {name: str(value) for name, value in budget.model_dump().items()}
    details = {"whose": "user" if user_id else "tenant", "to": "configured" if budget is None else "set", **dollars}
    with record("budget.set", subject=f"tenant {tenant_id}", count=1, details=details):
        await purse.overrides.put(tenant_id, recorded, budget)
