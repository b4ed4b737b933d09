"""All that stands in Redis has a key of :mod:`forebay.state.keys`, and what is a tenant's has the tenant in it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.records import (
    Alert,
    ApiKey,
    Completion,
    Evaluation,
    Message,
    Request,
    ResponseStatus,
    ReviewTask,
    Silence,
    Spend,
    WindowKind,
)
from forebay.contract.windows import window_start
from forebay.edge.rates import RedisRates
from forebay.privacy.fingerprints import FingerprintHeaders, RedisFingerprints, guarded
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner, Vault
from forebay.privacy.vault_redis import RedisVaultStore
from forebay.settings import Settings
from forebay.state.claim_store import RedisClaimStore
from forebay.state.conditions import Conditions, MemoryConditions, RedisConditions
from forebay.state.idempotency import Claims
from forebay.state.keys import Common, Hashed, Owned
from forebay.state.rates import RedisLimiter
from forebay.state.replays import RedisReplays
from forebay.state.waits import RedisWaits, Wait
from forebay.testing import KEYRING, codecs, context
from forebay_agents.cache.error_bound.evidence import EvidenceBook
from forebay_agents.cache.error_bound.verification import Verification
from forebay_agents.cache.lookup import Explored, Search
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.single_flight import SingleFlight
from forebay_agents.cache.store.address import address_of
from forebay_agents.cache.store.entry import Entry
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.store.store import Place
from forebay_agents.cache.tasks import RedisQuestions, Tasks
from forebay_agents.cache.wiring import assemble
from forebay_agents.completion.handler import CompletionHandler
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.key_limits import KnownKeys
from forebay_agents.completion.quotas.overrides import Overrides
from forebay_agents.completion.quotas.rates import of_deployment, of_payer
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings, LimitsSettings, Rate
from forebay_agents.completion.quotas.velocity import Velocity
from forebay_agents.evaluation.handler import EvaluationHandler
from forebay_agents.evaluation.rolling import RedisScores, add_score
from forebay_agents.evaluation.settings import EvaluationSettings
from forebay_agents.models.settings import Deployment
from forebay_agents.notify.store import RedisStore as NotifyStore
from forebay_agents.redaction.daily_counts import Daily
from forebay_agents.review.recent import AnswerPlace, RedisRecentOutcomes
from tests.unit.cache.memory import WordMatcher, completion, request
from tests.unit.completion.fakes import tier
from tests.unit.state.recorded import RecordingRedis, lengths_and_texts

PREFIX = "fb[1]:"
NOW = 1_700_000_000_000
UNUSED: Any = None


async def paid_calls(redis: Any, tenant: str, user: str, request_id: str) -> None:
    claims = Claims(RedisClaimStore(redis, PREFIX), codecs())
    answering = CompletionHandler(
        UNUSED, UNUSED, UNUSED, UNUSED, claims, claim_required=True, waits_s=(1, 1), now_ms=lambda: NOW
    )
    asked = request("Hm?", request_id=request_id, tenant=tenant, user=user)
    assert await answering.handle(asked, context("requests.uncached")) == []
    judging = EvaluationHandler(EvaluationSettings(sample_rate=1.0), tier("judge"), UNUSED, claims, UNUSED)
    assert await judging.handle(completion(asked), context("completions")) == []


async def personal_data(redis: Any, tenant: str, user: str, request_id: str) -> None:
    async def nothing(_request: Request, _context: object) -> list[Any]:
        return []

    known = RedisFingerprints(redis, PREFIX, 60, KEYRING)
    asked = Request(request_id=request_id, tenant_id=tenant, user_id=user, messages=(Message(content=request_id),))
    await guarded(nothing, known, FingerprintHeaders(KEYRING))(asked, context("requests"))
    vault, owner = (
        Vault(RedisVaultStore(redis), KEYRING, prefix=PREFIX, ttl_s=60),
        Owner(tenant_id=tenant, user_id=user),
    )
    ref = await vault.store(PseudonymMap(originals={"<PERSON_1>": "Ann"}), owner, request_id)
    assert (await vault.load(ref, owner, request_id)).originals
    await vault.extend(owner, request_id, await vault.conversation(owner, request_id), {})
    await vault.forget(owner)
    daily = Daily(redis, PREFIX, lambda: "2026-11-01")
    daily.add(tenant, {("PERSON", "pseudonymise"): 1})
    await daily.flush()


async def money_and_rates(redis: Any, tenant: str, user: str, request_id: str) -> None:
    both = Budget(daily_usd=1.0, monthly_usd=9.0)
    key = ApiKey(key_id="abcdefghijkl", tenant_id=tenant, requests_per_minute=1, daily_nanousd=1)
    keys = KnownKeys({key.key_id: key}.get)
    budgets = RedisBudgets(redis, PREFIX, BudgetsSettings(tenant=both, user=both), lambda: NOW, keys=keys)
    await budgets.settle(await budgets.reserve(tenant, user, request_id, 1, key_id=key.key_id), 1)
    await Overrides(redis, PREFIX).put(tenant, user, both)
    start = window_start(WindowKind.DAY, NOW)
    await budgets.observe(Spend(tenant_id=tenant, user_id=user, window=WindowKind.DAY, window_start=start))
    velocity = Velocity(redis, PREFIX, 1.0, Conditions(MemoryConditions(), lambda: NOW), lambda: NOW)
    hour = window_start(WindowKind.HOUR, NOW)
    await velocity.observe(Spend(tenant_id=tenant, user_id=user, window=WindowKind.HOUR, window_start=hour))
    rate = Rate(rpm=1, tpm=1)
    limits = of_payer(LimitsSettings(tenant=rate, user=rate), tenant, user, 1)
    limits += of_deployment(Deployment(name="d:1", model="m", rpm=1, tpm=1), 1, 1.0)
    await RedisLimiter(redis, PREFIX).take(limits)
    await RedisRates(RedisLimiter(redis, PREFIX)).take(key)


async def quality(redis: Any, tenant: str, user: str, request_id: str) -> None:
    answer = Completion(request_id=request_id, tenant_id=tenant, status=ResponseStatus.OK)

    async def read(_at: AnswerPlace) -> Completion | None:
        return answer

    outcomes = RedisRecentOutcomes(redis, PREFIX, codecs()["completions"], 60, read)
    await outcomes.put(answer, AnswerPlace(0, 0))
    assert await outcomes.get(tenant, request_id) is not None
    assert await outcomes.get(tenant, f"{request_id}-unknown") is None
    tasks, done = Tasks(RedisQuestions(redis, PREFIX)), completion(request("Hm?", request_id=request_id, tenant=tenant))
    task = ReviewTask(review_id=request_id, request_id=request_id, tenant_id=tenant, completion=done)
    assert await tasks.opened(task, context("reviews")) == ()
    scores = RedisScores(redis, PREFIX)
    await add_score(scores, "m:1", 2.0, 9)
    conditions = Conditions(RedisConditions(redis, PREFIX), lambda: NOW)
    await conditions.note(Alert(kind="quality_drop", subject="m:1"), holds=True)


async def cached_answers(redis: Any, tenant: str, user: str, request_id: str) -> None:
    own, metrics = CacheSettings(scope="user", negative_ttl_s=0), CacheMetrics(CollectorRegistry())
    asked = request("How do I reset it?", request_id=request_id, tenant=tenant, user=user, task="a:task")
    with ThreadPoolExecutor(1) as executor:
        store = RedisStore(redis, PREFIX)
        parts = assemble(store, WordMatcher(), executor, own, metrics)
        await parts.stage.answer(asked, context("requests.redacted"))
        await parts.stage.keep(completion(asked), context("completions"))
        await parts.people.judged(Evaluation(request_id=request_id, tenant_id=tenant, score=5.0))
        address = address_of(asked, own, epoch="0.0", encoder="words")
        place = Place(wall=address.wall, entry_id=address.entry)
        flight = SingleFlight(store, metrics, lease_s=1.0)
        await flight.landed(place, request_id, shareable=False)
        book = EvidenceBook(store, 0.9, 0.02)
        await book.add(address.wall, asked.task, 0.95, right=True, sampled_hit=True)
        [verdict] = WordMatcher().compare(WordMatcher().read("a"), [WordMatcher().read("a")])
        explored = Explored(entry=Entry(entry_id="e", wall=address.wall), verdict=verdict, hit=True)
        verification = Verification(store, parts.keeper, book, UNUSED, metrics)
        await verification.explore(asked, Search(address=address), explored)
        await verification.check(completion(asked), now_ms=NOW)


async def dead_letters(redis: Any, _tenant: str, _user: str, _request_id: str) -> None:
    assert await RedisReplays(Settings({"redis": {"key_prefix": PREFIX}}), client=redis).first("0-1", "one", "t/0/1")


async def queues(redis: Any, _tenant: str, _user: str, _request_id: str) -> None:
    waits = RedisWaits(Settings({"redis": {"key_prefix": PREFIX}}), redis, lambda: NOW)
    await waits.tell("cache", Wait(queued_ms=1, total_ms=2))


async def messages(redis: Any, _tenant: str, _user: str, _request_id: str) -> None:
    store = NotifyStore(redis, PREFIX)
    await store.swap("f", "", "known", NOW)
    await store.take(NOW)
    await store.wake(NOW)
    await store.told("group", await store.told_at("group") or NOW, 1)
    await store.silence(Silence(silence_id="s", ends_at=NOW + 1), NOW)
    if not await store.sent("n"):
        await store.sending_done("n")


USES = [queues, dead_letters, paid_calls, personal_data, money_and_rates, quality, cached_answers, messages]


async def names(tenant: str, user: str, request_id: str) -> set[str]:
    """Of all that one tenant's request leaves in Redis, without the prefix."""
    redis = RecordingRedis()
    for use in USES:
        await use(redis, tenant, user, request_id)
    assert {name for name in redis.names if not name.startswith(PREFIX)} == set()
    return {name.removeprefix(PREFIX) for name in redis.names}


def space_of(name: str) -> Owned | Hashed | Common | None:
    """Where a key lies; ``None``: it is no key of this version."""
    for owned in Owned:
        if name.startswith(f"{owned.head}|"):
            return owned
    for plain in (*Hashed, *Common):
        if name == plain.head or name.startswith(f"{plain.head}:"):
            return plain
    return None


def old(name: str) -> bool:
    """Whether it is the key of something that is looked for where earlier versions left it."""
    return name.startswith(("budget:tenant:", "budget:user:", "review:recent:", "claim:")) and not space_of(name)


async def test_every_space_is_used_and_nothing_else_is() -> None:
    found = {space_of(name) for name in await names("acme", "u-1", "r-1") if not old(name)}
    assert found == {*Owned, *Hashed, *Common} - {Hashed.VAULT_MAP}  # is only read, for vault.ttl_s after an upgrade


async def test_what_names_ids_names_the_tenant_first() -> None:
    keys = {name: space_of(name) for name in await names("a:|c", "u:1", "r|1:x")}
    tenants = {
        name: next(lengths_and_texts(name.removeprefix(space.head)))
        for name, space in keys.items()
        if isinstance(space, Owned)
    }
    assert len(tenants) >= len(Owned)
    assert set(tenants.values()) == {"a:|c"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a:b", "u", "c"), ("a", "u", "b:c")),
        (("acme", "u-1", "r-1"), ("globex", "u-1", "r-1")),
        (("a", "b|u", "c"), ("a|b", "u", "c")),
        (("a", "1:b", "c"), ("a|1", "b", "c")),
        (("", "a", "b"), ("a", "", "b")),
    ],
)
async def test_two_tenants_meet_in_what_is_nobodys_only(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    shared = await names(*one) & await names(*other)
    assert {space_of(name) for name in shared if not old(name)} <= {*Common}


async def test_what_was_left_by_earlier_versions_is_not_read_where_it_may_be_another_tenants() -> None:
    assert not {name for name in await names("a:b", "u", "c") if name.startswith("review:recent:")}
