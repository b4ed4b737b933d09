"""What may an operator do to the cache by hand? Look, purge, warm, and start a new epoch."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from forebay.contract.canonical import prompt_hash
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import InvalidLineError, request_from_json
from forebay.contract.records import Completion, MessageRole, RedactedRequest, ResponseStatus
from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.vault import person as tag_of_person
from forebay.privacy.people.names import Names
from forebay.privacy.sealing import Keyring
from forebay.settings import RedisSettings, Settings
from forebay.state.redis_client import open_redis
from forebay_agents.cache.error_bound.bound import evidence_of, threshold
from forebay_agents.cache.error_bound.curve import wilson
from forebay_agents.cache.error_bound.evidence import SAMPLED, evidence_key
from forebay_agents.cache.matching.model import shipped
from forebay_agents.cache.metrics import METRICS
from forebay_agents.cache.offline.explaining import is_unicode, object_of
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.entry import Trust
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.store.selecting import entries, removed
from forebay_agents.cache.store.store import Inventory
from forebay_agents.cache.wiring import Parts, assemble, calibrated


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskThreshold:
    """A task of a wall whose threshold adapted; ``right`` and ``wrong`` checks are what moved it."""

    wall: str
    task: str | None
    threshold: float
    right: int
    wrong: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheStats:
    """What is stored, and how wrong hits are: share and 95 % interval are those of the hits that were checked.

    Attributes:
        epochs: ``*`` for all tasks, ``task:…`` for one.
        wrong_hit_rate: ``None`` before anything was checked.
    """

    entries: int
    entries_by_trust: Mapping[str, int]
    quarantined: int
    remembered_errors: int
    packed_bytes: int
    tenants: int
    partitions: int
    epochs: Mapping[str, int]
    delta: float
    static_threshold: float
    tasks: Sequence[TaskThreshold]
    sampled_hits: int
    wrong_hits: int
    wrong_hit_rate: float | None
    wrong_hit_interval: Sequence[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Purge:
    """Which entries go? Those for which everything that is given holds.

    Attributes:
        user: whose they are, or who brought them in, by id or pseudonym; of ``tenant``.
        match: a text in question or answer, in any case of letters.

    Raises:
        InvalidChoiceError: nothing is given, an empty text is, or a user without his tenant.
    """

    tenant: str | None = None
    user: str | None = None
    match: str | None = None

    def __post_init__(self) -> None:
        if self.tenant is None and self.match is None:
            raise InvalidChoiceError("a tenant (and a user), or a text to match, is needed")
        if "" in (self.tenant, self.user, self.match):
            raise InvalidChoiceError("an empty text would match everything")
        if self.user is not None and self.tenant is None:
            raise InvalidChoiceError("a user is known within a tenant only", "tenant")


@dataclass(frozen=True, kw_only=True, slots=True)
class BadLine:
    """A line that could not be read; the message never quotes it. Lines count from 1."""

    number: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Warmed:
    """How many approved answers were kept, and which lines were none."""

    kept: int
    bad: Sequence[BadLine]


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[RedisStore]:
    """The store of an installation; what is done with it may raise :class:`StoreUnavailableError`."""
    async with open_redis(settings, cache=True) as client:
        yield RedisStore(client, settings[RedisSettings].key_prefix)


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncIterator[Parts]:
    """All parts of the cache on the store of an installation."""
    own = settings[CacheSettings]
    async with open_store(settings) as store:
        with ThreadPoolExecutor(1) as executor:
            yield assemble(store, calibrated(own), executor, own, METRICS)


async def stats(store: Inventory, settings: CacheSettings) -> CacheStats:
    """What is stored, thresholds that adapted, the estimate of wrong hits. Reads every entry: not for a hot path."""
    static = settings.threshold or shipped().threshold(settings.delta)
    counts: dict[str, int] = {}
    trusts = dict.fromkeys((trust.value for trust in Trust), 0)
    quarantined = errors = size = 0
    async for entry, length in entries(store):
        counts[entry.wall.partition(".")[0]] = counts.get(entry.wall.partition(".")[0], 0) + 1
        trusts[entry.trust.value] += 1
        quarantined += entry.quarantined
        errors += entry.error_code is not None
        size += length
    sampled = await store.counts(SAMPLED)
    wrong, checked = sampled.get("wrong", 0), sampled.get("wrong", 0) + sampled.get("right", 0)
    tasks = []
    async for wall, task in store.evidenced():
        evidence = evidence_of(await store.counts(evidence_key(wall, task)))
        right, bad = evidence.above(0)
        adapted = threshold(static, settings.delta, evidence)
        tasks.append(TaskThreshold(wall=wall, task=task or None, threshold=adapted, right=right, wrong=bad))
    return CacheStats(
        entries=sum(counts.values()),
        entries_by_trust=trusts,
        quarantined=quarantined,
        remembered_errors=errors,
        packed_bytes=size,
        tenants=len(counts),
        partitions=await store.partitions(),
        epochs=dict(await store.epochs()),
        delta=settings.delta,
        static_threshold=static,
        tasks=tasks,
        sampled_hits=checked,
        wrong_hits=wrong,
        wrong_hit_rate=wrong / checked if checked else None,
        wrong_hit_interval=list(wilson(wrong, checked)),
    )


async def purge(
    store: Inventory, what: Purge, record: Recorder, keyring: Callable[[], Keyring], names: Names | None = None
) -> int:
    """Remove entries; how many there were.

    Args:
        keyring: makes the tags by which the trail names a user and a text; asked for if there is one.
        names: by which a user is found (:func:`forebay.privacy.people.names.forms`).

    Raises:
        PublishError: it cannot be written down; nothing was removed.
        ConfigurationError: there is no key for the tags.
    """
    with record("cache.purge", subject=_named(what, keyring)) as act:
        act.count = await removed(store, names, tenant=what.tenant, user=what.user, match=what.match)
    return act.count


def _named(what: Purge, keyring: Callable[[], Keyring]) -> str:
    """What goes, without personal data."""
    parts = [] if what.tenant is None else [f"tenant {what.tenant}"]
    if what.user is not None:
        parts.append(tag_of_person(keyring(), tenant=what.tenant or "", user=what.user))
    if what.match is not None:
        parts.append(f"text {keyring().tag(sha256(what.match.casefold().encode('utf-8', 'surrogatepass')).digest())}")
    return ", ".join(parts)


async def start_epoch(store: Inventory, task: str | None, record: Recorder) -> str:
    """End all answers of a task, or of all tasks: for a new model, prompt or knowledge. The new epoch's name.

    Raises:
        InvalidChoiceError: the task's name is no text.
        PublishError: it cannot be written down; nothing ended.
    """
    if not is_unicode(task):
        raise InvalidChoiceError("the task is not UTF-8", "task")
    with record("cache.epoch", subject="all tasks" if task is None else f"task {task}") as act:
        epoch = await store.bump_epoch(task)
        act.details["epoch"] = epoch
    return epoch


async def warm(parts: Parts, lines: Iterable[str], record: Recorder) -> Warmed:
    """Keep the approved answers of JSON lines (see :func:`approved`) as verified; empty lines are skipped.

    Raises:
        PublishError: it cannot be written down; nothing was kept.
    """
    bad = list[BadLine]()
    with record("cache.warm", subject="approved answers") as act:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                request, answer = approved(object_of(line))
            except InvalidLineError as error:
                bad.append(BadLine(number=number, message=str(error)))
                continue
            await keep(parts, request, answer)
            act.count += 1
    return Warmed(kept=act.count, bad=bad)


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


async def keep(parts: Parts, request: RedactedRequest, answer: str) -> None:
    """Keep an approved answer as verified; its texts must be redacted already."""
    address, _ = await parts.locator.fetch(request)
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
    entry = parts.keeper.entry(completion, request, address, trust=Trust.VERIFIED)
    await parts.keeper.write(entry, request, address)
