"""The stage ``redaction``: ``requests`` in, ``requests.redacted`` out."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from agents.redaction.detection import StockDetector
from agents.redaction.handler import RedactionHandler
from agents.redaction.parts import Part
from agents.redaction.settings import RedactionSettings
from agents.redaction.spans import Span
from streams.fingerprints import RedisFingerprints, guarded, told
from streams.handlers import Route
from streams.records import Request
from streams.redis_client import open_redis
from streams.settings import RedisSettings, Settings, StageSettings, VaultSettings
from streams.stage import Stage
from streams.vault_redis import open_vault


@asynccontextmanager
async def redaction_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``redaction``."""
    chosen = settings[RedactionSettings]
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(chosen.threads, thread_name_prefix="redaction") as pool:
        detector = await loop.run_in_executor(pool, StockDetector)

        async def find(_request: Request, parts: Sequence[Part], known: Mapping[str, str]) -> list[list[Span]]:
            return await loop.run_in_executor(pool, detector.find, parts, known)

        async with open_vault(settings) as vault, open_redis(settings) as client:
            known = RedisFingerprints(client, settings[RedisSettings].key_prefix, settings[VaultSettings].ttl_s)
            handler = RedactionHandler(find, vault, max_messages=chosen.max_messages, max_chars=chosen.max_chars)
            yield Stage(
                name="redaction",
                routes=[
                    Route(topic="requests", handle=guarded(handler.handle, known), on_failure=told(handler.on_failure))
                ],
                limits=settings[StageSettings],
            )
