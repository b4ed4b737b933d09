"""A worker of the cache as a process that can be killed: ``python -m tests.integration.cache_worker``.

Takes a Redis socket, the provider's address and request ids; asks the stage for all of them at once, pays the provider
for those that the stage does not answer, and writes a line for each thing that happens.
"""

import asyncio
import dataclasses
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry

from forebay.contract.records import AnswerSource, Completion, RedactedRequest, ResponseStatus
from forebay.state.redis_client import open_redis_at
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.wiring import Parts, assemble
from tests.unit.cache.conftest import CONTEXT
from tests.unit.cache.memory import WordMatcher, request

QUESTION = "What is 12 + 7?"


def say(event: str, request_id: str, content: str = "") -> None:
    """One line to whoever started this process."""
    sys.stdout.write(json.dumps({"event": event, "id": request_id, "content": content}) + "\n")
    sys.stdout.flush()


async def serve(parts: Parts, asked: RedactedRequest, http: aiohttp.ClientSession, provider: str) -> None:
    """What the cache stage and the completion stage do with one request."""
    found = (await parts.stage.answer(asked, CONTEXT))[0].value
    if isinstance(found, Completion):
        say("answered", asked.request_id, found.content)
        return
    say("leads", asked.request_id)
    body = {"model": "small", "messages": [{"role": "user", "content": QUESTION}]}
    async with http.post(f"{provider}/chat/completions", json=body) as response:
        reply = await response.json()
    content = reply["choices"][0]["message"]["content"]
    done = Completion(
        request_id=asked.request_id, tenant_id=asked.tenant_id, user_id=asked.user_id, status=ResponseStatus.OK,
        content=content, finish_reason="stop", source=AnswerSource.MODEL, request=asked,
    )  # fmt: skip
    await parts.stage.keep(done, CONTEXT)
    say("paid", asked.request_id, content)


async def main(socket: Path, provider: str, ids: list[str]) -> None:
    """All requests at once."""
    own = CacheSettings(flight_lease_s=60, flight_wait_s=60, verify_hits=0.0, verify_near_misses=0.0)
    async with open_redis_at(f"unix://{socket}", timeout_s=60.0) as client, aiohttp.ClientSession() as http:
        with ThreadPoolExecutor(1) as executor:
            parts = assemble(RedisStore(client, "fb:"), WordMatcher(), executor, own, CacheMetrics(CollectorRegistry()))
            await asyncio.gather(
                *(serve(parts, dataclasses.replace(request(QUESTION), request_id=name), http, provider) for name in ids)
            )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.stdin.read().split()))
