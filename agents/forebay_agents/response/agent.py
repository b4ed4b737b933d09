"""The stage ``response``: ``completions`` in, ``responses`` out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.handlers import Route
from forebay.history.settings import HistorySettings
from forebay.privacy.fingerprints import FingerprintHeaders
from forebay.privacy.people.travelling import open_ids
from forebay.privacy.sealing import load_keyring
from forebay.privacy.vault_redis import open_vault
from forebay.runtime.stage import Stage
from forebay.settings import Settings, StageSettings, VaultSettings
from forebay.trust.tenant_keys import tenants
from forebay_agents.response.addressing import Addressing
from forebay_agents.response.goals import Goal
from forebay_agents.response.handler import ResponseHandler
from forebay_agents.response.metrics import METRICS
from forebay_agents.response.settings import GoalsSettings, ResponseSettings


@asynccontextmanager
async def response_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``response``."""
    async with open_vault(settings, watch=True) as vault:
        keyring = load_keyring(settings[VaultSettings])
        addresses = settings[ResponseSettings].addresses
        marks, people = FingerprintHeaders(keyring), open_ids(settings, keyring)
        goals = settings[GoalsSettings]
        METRICS.objectives({Goal.FAST: goals.fast, Goal.OK: goals.ok})
        handler = ResponseHandler(
            vault,
            marks,
            people=people,
            addresses=addresses,
            metrics=METRICS,
            metadata_keys=settings[HistorySettings].metadata_keys,
            answer_s=goals.answer_s,
        )
        encode = open_codecs(settings, open_registry(settings))["responses"].encode
        to = Addressing(tenants(settings), encode)
        route = Route(topic="completions", handle=to.of(handler.handle), on_failure=to.of_failure(handler.on_failure))
        yield Stage(
            name="response",
            awaited="completions",
            routes=[route],
            limits=settings[StageSettings],
        )
