"""Was a stored answer right for another question? Found out off the critical path, and learnt from.

A request that explored (see :mod:`forebay_agents.cache.lookup`) got an answer of its own. Both answers go to
``cache.verify``, where a judge says whether the stored one serves the new question. The outcome is evidence for the
task's threshold and for the entry: right ones vouch, a wrong one raises what the entry has to score, two wrong ones
evict it (after Krites, arXiv 2602.13165). Outcomes of sampled hits are the live estimate of the share of wrong hits.
"""

import dataclasses
from typing import Protocol

import orjson

from forebay.contract.canonical import canonical_messages
from forebay.contract.failures import Rejected
from forebay.contract.handlers import Context, Output
from forebay.contract.records import (
    AnswerSource,
    CacheCheck,
    Completion,
    RedactedRequest,
    ResponseStatus,
    without_ref,
)
from forebay.state.keys import Owned, owned
from forebay_agents.cache.error_bound.curve import wilson
from forebay_agents.cache.error_bound.evidence import SAMPLED, EvidenceBook
from forebay_agents.cache.lookup import Explored, Search
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.store.entry import Entry
from forebay_agents.cache.store.store import Place, Store
from forebay_agents.cache.writer import Keeper

_REMEMBER_S = 3_600.0
_EVICT_AFTER = 2


class Judge(Protocol):
    """Decides whether a stored answer serves a new question."""

    async def serves(self, check: CacheCheck, context: Context) -> tuple[bool | None, list[Output]]:
        """The verdict (``None``: undecided) and what its cost adds to the ledger."""
        ...


class Verification:
    """Notes what is explored, makes checks of it, and learns from their outcomes.

    Raises :class:`forebay_agents.cache.store.store.StoreUnavailableError`.
    """

    def __init__(self, store: Store, keeper: Keeper, book: EvidenceBook, judge: Judge, metrics: CacheMetrics) -> None:
        self._store = store
        self._keeper = keeper
        self._book = book
        self._judge = judge
        self._metrics = metrics

    async def explore(self, request: RedactedRequest, search: Search, explored: Explored) -> None:
        """Remember the stored answer until the request has one of its own."""
        noted = {
            "wall": explored.entry.wall,
            "entry": explored.entry.entry_id,
            "question": search.address.question,
            "score": explored.verdict.score,
            "similarity": explored.verdict.similarity,
            "hit": explored.hit,
        }
        key = owned(Owned.CACHE_EXPLORED, request.tenant_id, request.request_id)
        await self._store.note(key, orjson.dumps(noted).decode(), ttl_s=_REMEMBER_S)

    async def check(self, completion: Completion, *, now_ms: int) -> list[Output]:
        """The check that ``completion`` makes possible, if its request explored."""
        request = completion.request
        if request is None or completion.source is not AnswerSource.MODEL:
            return []
        text = await self._store.noted(owned(Owned.CACHE_EXPLORED, completion.tenant_id, completion.request_id))
        if text is None or completion.status is not ResponseStatus.OK or not completion.content.strip():
            return []
        noted = orjson.loads(text)
        entry = await self._entry(noted["wall"], noted["entry"])
        if entry is None:
            return []
        numbers = canonical_messages(request.messages)[1]
        check = CacheCheck(
            check_id=f"check-{completion.request_id}",
            request_id=completion.request_id,
            tenant_id=completion.tenant_id,
            user_id=completion.user_id,
            wall=entry.wall,
            entry_id=entry.entry_id,
            question=noted["question"],
            stored_question=entry.question,
            answer=numbers.apply(completion.content),
            stored_answer=entry.content,
            score=noted["score"],
            similarity=noted["similarity"],
            hit=noted["hit"],
            completion=without_ref(completion),
            created_at=now_ms,
        )
        return [Output(topic="cache.verify", key=completion.request_id, value=check)]

    async def verify(self, check: CacheCheck, context: Context) -> list[Output]:
        """Judge a check and learn from it.

        Raises:
            Rejected: ``invalid_request``: no cache wrote it.
        """
        if not 0.0 <= check.score <= 1.0:  # also what is no number
            raise Rejected("invalid_request", "score must be from 0 to 1")
        if ":" in check.wall or not check.wall:
            raise Rejected("invalid_request", "wall must be that of an entry")
        right, outputs = await self._judge.serves(check, context)
        of = "hit" if check.hit else "near_miss"
        self._metrics.checks.labels(of, "undecided" if right is None else "right" if right else "wrong").inc()
        entry = await self._entry(check.wall, check.entry_id)
        if right is None:
            return outputs
        request = check.completion.request if check.completion else None
        task = request.task if request else entry.task if entry else None
        await self._book.add(check.wall, task, check.score, right=right, sampled_hit=check.hit)
        if entry is not None:
            await self._teach(entry, check.score, right=right)
        if check.hit:
            await self.refresh_estimate()
        return outputs

    async def _teach(self, entry: Entry, score: float, *, right: bool) -> None:
        if right:
            await self._keeper.rewrite(dataclasses.replace(entry, right=entry.right + 1))
        elif entry.wrong + 1 >= _EVICT_AFTER and entry.wrong >= entry.right:
            await self._store.forget(Place(wall=entry.wall, entry_id=entry.entry_id), entry.partition)
        else:
            worst = max(entry.wrong_at, score)
            await self._keeper.rewrite(dataclasses.replace(entry, wrong=entry.wrong + 1, wrong_at=worst))

    async def refresh_estimate(self) -> None:
        """Show the live estimate of the share of wrong hits in the metrics."""
        counts = await self._store.counts(SAMPLED)
        wrong, right = counts.get("wrong", 0), counts.get("right", 0)
        if wrong + right:
            low, high = wilson(wrong, wrong + right)
            for bound, value in (("estimate", wrong / (wrong + right)), ("low", low), ("high", high)):
                self._metrics.wrong_share.labels(bound).set(value)

    async def _entry(self, wall: str, entry_id: str) -> Entry | None:
        return self._keeper.unpacked((await self._store.get_many(wall, [entry_id])).get(entry_id))
