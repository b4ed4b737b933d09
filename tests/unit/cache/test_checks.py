"""What a judge of stored answers reads holds no reference into the vault, and what no cache wrote is judged by none."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.failures import Rejected
from forebay.contract.records import AnswerSource, CacheCheck, ResponseStatus
from forebay.testing import context
from forebay_agents.cache.error_bound.evidence import EvidenceBook
from forebay_agents.cache.error_bound.verification import Verification
from forebay_agents.cache.lookup import Explored, Search
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.address import address_of
from forebay_agents.cache.store.entry import Entry
from forebay_agents.cache.store.memory import MemoryStore
from forebay_agents.cache.wiring import assemble
from tests.unit.cache.memory import WordMatcher, completion, request


class Nobody:
    """A judge who is not asked."""

    async def serves(self, *_: object) -> tuple[None, list[object]]:
        raise AssertionError("nothing is judged here")


async def test_a_check_holds_no_reference() -> None:
    own, metrics, store = CacheSettings(), CacheMetrics(CollectorRegistry()), MemoryStore()
    stored, asked = request("How do I reset it?"), request("How is it reset?", request_id="r2")
    with ThreadPoolExecutor(1) as executor:
        parts = assemble(store, WordMatcher(), executor, own, metrics)
        await parts.stage.answer(stored, context("requests.redacted"))
        await parts.stage.keep(completion(stored), context("completions"))
    address = address_of(stored, own, epoch="0.0", encoder="words")
    verification = Verification(store, parts.keeper, EvidenceBook(store, 0.9, 0.02), Nobody(), metrics)  # type: ignore[arg-type]  # see there
    [verdict] = WordMatcher().compare(WordMatcher().read("a"), [WordMatcher().read("a")])
    explored = Explored(entry=Entry(entry_id=address.entry, wall=address.wall), verdict=verdict, hit=True)
    await verification.explore(asked, Search(address=address), explored)
    done = completion(replace(asked, vault_ref="REF"), status=ResponseStatus.OK, source=AnswerSource.MODEL)
    [output] = await verification.check(done, now_ms=1)
    assert output.topic == "cache.verify"
    assert "REF" not in repr(output.value)


@pytest.mark.parametrize(
    "check",
    [
        CacheCheck(wall="global", score=float("nan")),
        CacheCheck(wall="global", score=float("-inf")),
        CacheCheck(wall="global", score=1.5),
        CacheCheck(wall="a:b", score=0.5),
        CacheCheck(score=0.5),
    ],
)
async def test_a_check_that_no_cache_wrote_is_refused_before_anybody_judges_it(check: CacheCheck) -> None:
    metrics, store = CacheMetrics(CollectorRegistry()), MemoryStore()
    with ThreadPoolExecutor(1) as executor:
        keeper = assemble(store, WordMatcher(), executor, CacheSettings(), metrics).keeper
    verification = Verification(store, keeper, EvidenceBook(store, 0.9, 0.02), Nobody(), metrics)  # type: ignore[arg-type]  # see there
    with pytest.raises(Rejected) as refused:
        await verification.verify(check, context("cache.verify"))
    assert refused.value.code == "invalid_request"
