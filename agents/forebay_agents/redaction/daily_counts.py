"""What was redacted for a tenant on a day? Counts by entity and action, kept in Redis; never a value.

The stage adds up in memory and writes every few seconds, so a request costs nothing. A crash loses the last seconds of
counts and a redelivered request counts twice: this is a report for people, not a ledger.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog

from forebay.contract.clock import now_s
from forebay.contract.failures import Transient
from forebay.settings import RedisSettings, Settings
from forebay.state.keys import Common, Prefix, plain
from forebay.state.redis_client import open_redis, redis_errors

log = structlog.get_logger(__name__)

FLUSH_S = 5.0
KEPT_DAYS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyCount:
    """Findings of a tenant on a day (UTC, ``2026-11-23``) by entity and action."""

    day: str
    tenant_id: str
    entity: str
    action: str
    count: int


def today() -> str:
    """The day in UTC."""
    return datetime.fromtimestamp(now_s(), UTC).date().isoformat()


class Daily:
    """Adds up findings.

    Args:
        client: a ``redis.asyncio`` client.
        prefix: in front of every key.
        day: the day, injected for tests.
    """

    def __init__(self, client: Any, prefix: str, day: Callable[[], str] = today) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._day = day
        self._pending: Counter[tuple[str, str]] = Counter()

    def add(self, tenant_id: str, actions: Mapping[tuple[str, str], int]) -> None:
        """Findings of a request by entity and action."""
        day = self._day()
        for (entity, action), count in actions.items():
            # Entities and actions have no |, tenants may not have one either (forebay_agents.redaction.validation).
            self._pending[day, f"{tenant_id}|{entity}|{action}"] += count

    async def flush(self) -> None:
        """Write what was added. Raises ``Transient``; nothing is lost then."""
        pending, self._pending = self._pending, Counter()
        if not pending:
            return
        pipeline = self._client.pipeline(transaction=True)
        for (day, name), count in pending.items():
            pipeline.hincrby(self._key(day), name, count)
        for day in {day for day, _ in pending}:
            pipeline.expire(self._key(day), KEPT_DAYS * 86_400)
        try:
            await _do(pipeline.execute())
        except Transient:
            self._pending.update(pending)
            raise

    async def run(self) -> None:
        """Write every few seconds, for ever; when Redis is down, later."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.try_flush()

    async def try_flush(self) -> None:
        """Write if Redis answers."""
        try:
            await self.flush()
        except Transient as failure:
            log.warning("daily_counts_wait", code=failure.code)

    async def rows(self, days: int, tenant_id: str | None = None) -> list[DailyCount]:
        """Counts of the last ``days`` days, today included; newest first. Raises ``Transient``."""
        last = datetime.fromisoformat(self._day())
        found = []
        for back in range(days):
            day = (last - timedelta(days=back)).date().isoformat()
            counts = cast("dict[bytes, bytes]", await _do(self._client.hgetall(self._key(day))))
            for name, count in sorted(counts.items()):
                tenant, entity, action = name.decode().split("|")
                if tenant_id in (None, tenant):
                    found.append(DailyCount(day=day, tenant_id=tenant, entity=entity, action=action, count=int(count)))
        return found

    def _key(self, day: str) -> str:
        return self._prefix + plain(Common.REDACTION_DAY, day)


@asynccontextmanager
async def open_daily(settings: Settings) -> AsyncIterator[Daily]:
    """The counts of this installation; writes what is left at the end."""
    async with open_redis(settings) as client:
        daily = Daily(client, settings[RedisSettings].key_prefix)
        yield daily
        await daily.try_flush()


async def _do(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except redis_errors() as error:
        raise Transient("redis_unavailable", f"Redis does not answer: {type(error).__name__}") from None
