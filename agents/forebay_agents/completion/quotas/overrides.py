"""Which budgets did an operator set while workers run? They lie in Redis, and workers look there every two seconds.

One that is set counts instead of the configured one, also where it limits nothing. If Redis cannot be asked, what was
known goes on: the accounts are there too, so that nothing is spent meanwhile that a budget is set for.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from forebay.state.keys import Common, Prefix, plain
from forebay.state.redis_client import redis_errors
from forebay_agents.completion.quotas.settings import Budget

log = structlog.get_logger(__name__)

REFRESH_S = 2.0

Whose = tuple[str, str]
"""Tenant, and user as records call him; empty: the tenant's own."""


class Overrides:
    """Budgets that were set.

    Args:
        client: a ``redis.asyncio`` client.
        clock: seconds, monotonic.
    """

    def __init__(self, client: Any, prefix: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._key = Prefix(prefix) + plain(Common.BUDGETS_SET)
        self._clock = clock
        self._known: Mapping[Whose, Budget] = {}
        self._looked: float | None = None

    async def current(self) -> Mapping[Whose, Budget]:
        """All of them, as they were two seconds ago at most."""
        now = self._clock()
        if self._looked is None or now - self._looked >= REFRESH_S:
            self._looked = now  # first: a hundred requests at once ask once
            try:
                found = await self._client.hgetall(self._key)
            except redis_errors() as error:
                log.warning("budgets_not_read", error=type(error).__name__)
                return self._known
            self._known = {_whose(name): Budget.model_validate_json(value) for name, value in found.items()}
        return self._known

    async def put(self, tenant_id: str, user_id: str, budget: Budget | None) -> None:
        """Set a budget; ``None``: the configured one counts again."""
        field = json.dumps([tenant_id, user_id], ensure_ascii=False)
        if budget is None:
            await self._client.hdel(self._key, field)
        else:
            await self._client.hset(self._key, field, budget.model_dump_json())


def _whose(name: bytes | str) -> Whose:
    tenant_id, user_id = json.loads(name)
    return str(tenant_id), str(user_id)
