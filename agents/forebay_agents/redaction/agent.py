"""The stage ``redaction``: ``requests`` in, ``requests.redacted`` out."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from forebay.contract.handlers import Route
from forebay.contract.names import topics_read
from forebay.privacy.egress import EgressGuard
from forebay.privacy.fingerprints import FingerprintHeaders, RedisFingerprints, guarded, marked
from forebay.privacy.people.travelling import open_ids
from forebay.privacy.sealing import load_keyring
from forebay.privacy.vault_redis import open_vault
from forebay.runtime.load.deadlines import Gate
from forebay.runtime.stage import Stage
from forebay.settings import EgressSettings, RedisSettings, Settings, StageSettings, TenantSettings, VaultSettings
from forebay.state.redis_watch import open_state
from forebay.state.waits import RedisWaits
from forebay_agents.redaction.daily_counts import open_daily
from forebay_agents.redaction.detection.pool import MOST, finder
from forebay_agents.redaction.handler import RedactionHandler
from forebay_agents.redaction.metrics import METRICS
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.settings import RedactionSettings

_LEAST_AHEAD = 16
"""Requests read ahead of each tenant that has a topic of its own."""
_TALKING = 4
"""Requests of each thread or process that talk to Redis while it looks at a batch of others."""


_BEHIND = ("cache", "completion", "response")
"""What a request meets after this stage."""


async def _beside(*running: Coroutine[Any, Any, None]) -> None:
    """Run all until one fails."""
    async with asyncio.TaskGroup() as group:
        for one in running:
            group.create_task(one)


@asynccontextmanager
async def redaction_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``redaction``."""
    chosen, common = settings[RedactionSettings], settings[StageSettings]
    async with (
        finder(chosen) as find,
        open_vault(settings) as vault,
        open_daily(settings) as daily,
        open_state(settings) as client,
    ):
        keyring = load_keyring(settings[VaultSettings])
        marks = FingerprintHeaders(keyring)
        prefix, keep_s = settings[RedisSettings].key_prefix, settings[VaultSettings].ttl_s
        known = RedisFingerprints(client, prefix, keep_s, keyring)
        handler = RedactionHandler(
            find,
            vault,
            Policies(chosen),
            METRICS,
            daily,
            max_messages=chosen.max_messages,
            max_chars=chosen.max_chars,
            guard=EgressGuard(settings[EgressSettings]),
            ids=open_ids(settings, keyring),
            asked_key=keyring.derived(keyring.current, "asked"),
        )
        gate = Gate(RedisWaits(settings, client), _BEHIND, expect=METRICS.expected)
        topics = topics_read("requests", settings[TenantSettings])
        handle, on_failure = guarded(handler.handle, known, marks), marked(handler.on_failure, marks)
        routes = [
            Route(
                topic=topic,
                handle=handle,
                on_failure=on_failure,
                in_flight=max(_LEAST_AHEAD, chosen.look_ahead // len(topics)),
                in_time=gate.check,
                turns=(MOST + _TALKING) * max(chosen.threads, chosen.processes),
            )
            for topic in topics
        ]
        yield Stage(
            name="redaction",
            routes=routes,
            background=lambda _: _beside(daily.run(), gate.run()),
            limits=common.model_copy(
                update={"timeout_s": chosen.timeout_s, "window": max(common.window, chosen.look_ahead)}
            ),
        )
