"""Did anybody ask for this correction? Whoever decides tasks can write `corrections`, and so any words into any answer.

So a correction counts only within its tenant, for a task that `reviews` holds, and for the question of that task: what
is kept of each task is a digest of its question. It lies where nothing is evicted, not with the answers: a person's
word is said only once.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Protocol

from forebay.contract.canonical import prompt_hash
from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Handler, Output
from forebay.contract.records import Correction, RedactedRequest, ReviewTask
from forebay.contract.topics import TOPICS
from forebay.state.keys import Key, Owned, Prefix, owned
from forebay.state.redis_client import redis_errors, refused

_PATIENT = 2
"""Tries in which the task may still be on its way: it was written before the correction, to another partition."""
_KEEP_MS = TOPICS["reviews"].retention_ms


class Questions(Protocol):
    """What is kept of tasks; raises ``Transient("redis_unavailable")``."""

    async def put(self, key: Key, question: bytes) -> None:
        """Keep it for as long as `reviews` keeps the task."""
        ...

    async def get(self, key: Key) -> bytes | None:
        """What was kept."""
        ...


class RedisQuestions:
    """In Redis; ``client`` is a ``redis.asyncio`` client."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = Prefix(prefix)

    async def put(self, key: Key, question: bytes) -> None:
        """See :class:`Questions`."""
        await self._run(self._client.set(self._prefix + key, question, px=_KEEP_MS))

    async def get(self, key: Key) -> bytes | None:
        """See :class:`Questions`."""
        found: bytes | None = await self._run(self._client.get(self._prefix + key))
        return found

    @staticmethod
    async def _run(command: Any) -> Any:
        try:
            return await command
        except redis_errors() as error:
            raise refused(error, "review tasks") from None


class Tasks:
    """The tasks that there are, and the corrections that they ask for."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def opened(self, task: ReviewTask, _context: Context) -> Sequence[Output]:
        """`reviews`: remember what the task is about."""
        if task.completion is not None and task.completion.request is not None:
            key = owned(Owned.REVIEW_TASK, task.tenant_id, task.review_id)
            await self._questions.put(key, _digest(task.completion.request))
        return ()

    def only_asked_for(self, handle: Handler) -> Handler:
        """``handle``, for corrections that a task asks for; others are dead letters: ``forged_correction``."""

        async def check(correction: Correction, context: Context) -> Sequence[Output]:
            completion = correction.completion
            request = None if completion is None else completion.request
            if completion is None or request is None:
                return await handle(correction, context)  # which does nothing: nothing says what it is about
            addressees = {(one.tenant_id, one.request_id) for one in (correction, completion, request)}
            if len(addressees) > 1:
                raise Permanent("forged_correction", "it is not of the tenant and request that its answer is of")
            key = owned(Owned.REVIEW_TASK, correction.tenant_id, correction.review_id or "")
            asked = await self._questions.get(key)
            if asked is None and context.attempt <= _PATIENT:
                raise Transient("unknown_review", "no task with this id has been read yet")
            if asked != _digest(request):
                raise Permanent("forged_correction", "no task of its tenant asks for a correction of this answer")
            return await handle(correction, context)

        return check


def _digest(request: RedactedRequest) -> bytes:
    """Of all that says where an answer lies."""
    parts = [
        request.tenant_id,
        request.request_id,
        request.user_id,
        request.conversation_id,
        request.task,
        request.cache.scope,
        prompt_hash(request),
    ]
    return blake2b(json.dumps(parts).encode(), digest_size=16).digest()
