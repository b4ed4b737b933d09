"""The stage ``redaction``: ``requests`` in, ``requests.redacted`` out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forebay.contract.handlers import Route
from forebay.privacy.egress import EgressGuard
from forebay.privacy.fingerprints import FingerprintHeaders, RedisFingerprints, guarded, marked
from forebay.privacy.people.travelling import open_ids
from forebay.privacy.sealing import load_keyring
from forebay.privacy.vault_redis import open_vault
from forebay.runtime.stage import Stage
from forebay.settings import EgressSettings, RedisSettings, Settings, StageSettings, VaultSettings
from forebay.state.redis_watch import open_state
from forebay_agents.redaction.daily_counts import open_daily
from forebay_agents.redaction.detection.pool import MOST, finder
from forebay_agents.redaction.handler import RedactionHandler
from forebay_agents.redaction.metrics import METRICS
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.settings import RedactionSettings

_TALKING = 4
"""Requests of each thread or process that talk to Redis while it looks at a batch of others."""


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
        )
        route = Route(
            topic="requests",
            handle=guarded(handler.handle, known, marks),
            on_failure=marked(handler.on_failure, marks),
            in_flight=chosen.look_ahead,
            turns=(MOST + _TALKING) * max(chosen.threads, chosen.processes),
        )
        yield Stage(
            name="redaction",
            routes=[route],
            background=lambda _: daily.run(),
            limits=common.model_copy(
                update={"timeout_s": chosen.timeout_s, "window": max(common.window, chosen.look_ahead)}
            ),
        )
