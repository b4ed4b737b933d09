"""The stage ``response``: ``completions`` in, ``responses`` out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.response.handler import ResponseHandler
from streams.fingerprints import FingerprintHeaders
from streams.handlers import Route
from streams.sealing import load_keyring
from streams.settings import Settings, StageSettings, VaultSettings
from streams.stage import Stage
from streams.vault_redis import open_vault


@asynccontextmanager
async def response_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``response``."""
    async with open_vault(settings) as vault:
        handler = ResponseHandler(vault, FingerprintHeaders(load_keyring(settings[VaultSettings])).opened)
        yield Stage(
            name="response",
            routes=[Route(topic="completions", handle=handler.handle, on_failure=handler.on_failure)],
            limits=settings[StageSettings],
        )
