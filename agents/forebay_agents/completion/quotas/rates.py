"""How much of which limits does a call take? Of its tenant, user and key, and of the deployment that it goes to.

How limits are taken is :mod:`forebay.state.rates`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from forebay.contract.records import ApiKey
from forebay.state.keys import Common, Key, Owned, owned, plain
from forebay.state.rates import Limit, Unit, of_key
from forebay_agents.completion.quotas.payers import account_of
from forebay_agents.completion.quotas.settings import LimitsSettings, Rate
from forebay_agents.models.settings import Deployment


def of_payer(
    settings: LimitsSettings,
    tenant_id: str,
    user_id: str,
    tokens: int,
    known: Collection[str] | None = None,
    key: ApiKey | None = None,
) -> list[Limit]:
    """Limits of a tenant, its user and the key that was used, for a request of about ``tokens`` tokens.

    The requests of a key are taken by the door that it asks.

    Args:
        known: as in :func:`account_of`.
    """
    payer = account_of(tenant_id, known, settings.tenants)
    of_tenant = settings.tenants.get(payer, settings.tenant)
    return [
        *_limits(partial(owned, Owned.TENANT_RATE, payer), of_tenant, tokens, settings.burst_s),
        *_limits(partial(owned, Owned.USER_RATE, payer, user_id), settings.user, tokens, settings.burst_s),
        *(of_key(key, Unit.TOKENS, tokens) if key is not None else ()),
    ]


def of_deployment(deployment: Deployment, tokens: int, burst_s: float) -> list[Limit]:
    """Limits of a deployment, so that the provider need not refuse."""
    rate = Rate(rpm=deployment.rpm, tpm=deployment.tpm)
    return _limits(lambda unit: plain(Common.DEPLOYMENT_RATE, unit, deployment.name), rate, tokens, burst_s)


def corrections(limits: Sequence[Limit], estimated: int, used: int) -> list[Limit]:
    """What to correct of token limits once the tokens are known."""
    return [replace(limit, units=used - estimated) for limit in limits if limit.of is Unit.TOKENS]


def _limits(key: Callable[[Unit], Key], rate: Rate, tokens: int, burst_s: float) -> list[Limit]:
    return [
        Limit(key=key(unit), of=unit, per_minute=per_minute, units=units, burst_s=burst_s)
        for unit, per_minute, units in ((Unit.REQUESTS, rate.rpm, 1), (Unit.TOKENS, rate.tpm, tokens))
        if per_minute is not None
    ]
