"""What may an operator do to the cache by hand? Look, purge, warm, and start a new epoch."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from forebay.contract.canonical import prompt_hash
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import InvalidLineError, request_from_json
from forebay.contract.records import Completion, MessageRole, RedactedRequest, ResponseStatus
from forebay_agents.cache.error_bound.bound import evidence_of, threshold
from forebay_agents.cache.error_bound.curve import wilson
from forebay_agents.cache.error_bound.evidence import SAMPLED
from forebay_agents.cache.offline.explaining import is_unicode
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.address import person, tenant_wall, user_wall
from forebay_agents.cache.store.entry import CorruptEntryError, Entry, Trust, unpack
from forebay_agents.cache.store.locating import Locator
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.store.store import Place
from forebay_agents.cache.writer import Keeper


async def stats(store: RedisStore, settings: CacheSettings, static: float) -> dict[str, Any]:
    """Entries, partitions, epochs, thresholds that adapted, and the live estimate of the share of wrong hits."""
    counts: dict[str, int] = {}
    trusts = dict.fromkeys((trust.value for trust in Trust), 0)
    quarantined = errors = size = 0
    async for entry, length in _entries(store):
        counts[entry.wall.partition(".")[0]] = counts.get(entry.wall.partition(".")[0], 0) + 1
        trusts[entry.trust.value] += 1
        quarantined += entry.quarantined
        errors += entry.error_code is not None
        size += length
    sampled = await store.counts(SAMPLED)
    wrong, checked = sampled.get("wrong", 0), sampled.get("wrong", 0) + sampled.get("right", 0)
    tasks = []
    async for name in store.counter_names("evidence:"):
        evidence = evidence_of(await store.counts(name))
        right, bad = evidence.above(0)
        _, wall, task = name.split(":", 2)
        adapted = threshold(static, settings.delta, evidence)
        tasks.append({"wall": wall, "task": task or None, "threshold": adapted, "right": right, "wrong": bad})
    return {
        "entries": sum(counts.values()),
        "entries_by_trust": trusts,
        "quarantined": quarantined,
        "remembered_errors": errors,
        "packed_bytes": size,
        "tenants": len(counts),
        "partitions": await store.partitions(),
        "epochs": dict(await store.epochs()),
        "delta": settings.delta,
        "static_threshold": static,
        "tasks": tasks,
        "sampled_hits": checked,
        "wrong_hits": wrong,
        "wrong_hit_rate": wrong / checked if checked else None,
        "wrong_hit_interval": list(wilson(wrong, checked)),
    }


async def purge(store: RedisStore, *, tenant: str | None, user: str | None, match: str | None) -> int:
    """Remove entries: of a tenant, of (or written by) one of its users, whose question or answer has ``match`` in it.

    Several conditions are all required. Returns how many were removed.
    """
    wanted = match.casefold() if match else None
    of_user = {user_wall(tenant or "", user), _author(tenant or "", user)} if user is not None else set()
    removed = 0
    async for entry, _ in _entries(store):
        mine = tenant is None or entry.wall.startswith(tenant_wall(tenant)) or entry.tenant == tenant_wall(tenant)
        theirs = (
            user is None or entry.wall in of_user or entry.author in of_user or bool(of_user & set(entry.contributors))
        )
        says = wanted is None or wanted in f"{entry.question}\n{entry.content}".casefold()
        if mine and theirs and says:
            removed += await store.forget(Place(wall=entry.wall, entry_id=entry.entry_id), entry.partition)
    return removed


def _author(tenant: str, user: str) -> str:
    return person(RedactedRequest(tenant_id=tenant, user_id=user))


async def _entries(store: RedisStore) -> AsyncIterator[tuple[Entry, int]]:
    async for blob in store.scan():
        try:
            yield unpack(blob), len(blob)
        except CorruptEntryError:
            continue


def approved(content: Mapping[str, Any]) -> tuple[RedactedRequest, str]:
    """A line of ``warm``: a request (``messages`` or ``question``, and any other field) and its ``answer``.

    Raises:
        InvalidLineError: the message never quotes the text.
    """
    if not is_unicode(content):
        raise InvalidLineError("a text has half a surrogate pair, which is no text")
    values = dict(content)
    answer = values.pop("answer", None)
    if not isinstance(answer, str) or not answer.strip():
        raise InvalidLineError("answer must be a text, and not empty")
    if "question" in values:
        values["messages"] = values.pop("question")
    language = values.pop("language", None)
    if not isinstance(language, str | None):
        raise InvalidLineError("language must be a text")
    request = request_from_json(values)
    if not request.messages or request.messages[-1].role is not MessageRole.USER:
        raise InvalidLineError("the last message must be the user's")
    if not request.messages[-1].content.strip():
        raise InvalidLineError("the question must not be empty")
    shared = {name: getattr(request, name) for name in type(request).__dataclass_fields__}
    redacted = RedactedRequest(**shared, language=language)
    return replace(redacted, prompt_hash=prompt_hash(redacted)), answer


async def warm(locator: Locator, keeper: Keeper, request: RedactedRequest, answer: str) -> None:
    """Keep an approved answer as verified."""
    address, _ = await locator.fetch(request)
    completion = Completion(
        request_id=request.request_id,
        tenant_id=request.tenant_id,
        user_id=request.user_id,
        status=ResponseStatus.OK,
        content=answer,
        finish_reason="stop",
        request=request,
        completed_at=now_ms(),
    )
    entry = keeper.entry(completion, request, address, trust=Trust.VERIFIED)
    await keeper.write(entry, request, address)
