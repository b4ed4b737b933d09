"""A claim across an upgrade: what an earlier worker holds or has done is not paid again."""

from typing import Any
from uuid import uuid4

import pytest

from forebay.contract.handlers import Output
from forebay.state.claim_store import RedisClaimStore
from forebay.state.idempotency import Claims
from forebay.state.keys import Owned, owned
from forebay.testing import codecs

pytestmark = pytest.mark.embedded
KEY = owned(Owned.ANSWER_CLAIM, "acme", "r-1")
PAID = [Output(topic="completions", key="r-1", value=b"paid")]


@pytest.fixture
def prefix() -> str:
    return f"{uuid4().hex}:"


async def test_what_was_paid_before_is_published_again_and_not_paid(redis_client: Any, prefix: str) -> None:
    claims = Claims(RedisClaimStore(redis_client, prefix), codecs())
    await redis_client.hset(f"{prefix}claim:acme:r-1", mapping={"owner": "old", "outputs": claims._pack(PAID)})
    async with await claims.acquire(KEY) as claim:
        assert claim.outputs == PAID
    async with await claims.acquire(owned(Owned.ANSWER_CLAIM, "globex", "r-1")) as claim:
        assert claim.outputs is None
    async with await claims.acquire(owned(Owned.JUDGE_CLAIM, "acme", "r-1")) as claim:
        assert claim.outputs is None


async def test_what_an_earlier_worker_holds_is_waited_for(redis_client: Any, prefix: str) -> None:
    store = RedisClaimStore(redis_client, prefix)
    await redis_client.hset(f"{prefix}claim:acme:r-1", "owner", "old")
    await redis_client.pexpire(f"{prefix}claim:acme:r-1", 60_000)
    assert (await store.claim(KEY, "new", 1_000))[0] == "held"
    await redis_client.delete(f"{prefix}claim:acme:r-1")
    assert (await store.claim(KEY, "new", 1_000))[0] == "mine"
