"""A matcher without a model, requests and completions."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from forebay.contract.canonical import prompt_hash
from forebay.contract.records import AnswerSource, CachePolicy, Completion, Message, RedactedRequest, ResponseStatus
from forebay_agents.cache.matching.matching import Reading, Verdict, View


class WordMatcher:
    """A matcher without a model: questions score by the share of words they have in common."""

    identity = "words"

    def __init__(self, threshold: float = 0.9) -> None:
        self.threshold = threshold

    def read(self, text: str) -> Reading:
        vector = np.zeros(64, np.float32)
        for word in set(text.casefold().split()):
            vector[sum(word.encode()) % 64] += 1
        sentence = vector / (float(np.linalg.norm(vector)) or 1.0)
        return Reading(text=text, near=View(sentence=sentence, words=np.zeros((0, 0), np.int8)))

    def deepen(self, reading: Reading) -> Reading:
        return reading

    def recalled(self, reading: Reading) -> Reading:
        return reading

    def compare(
        self, new: Reading, stored: Sequence[Reading], thresholds: Sequence[float | None] = (), floor: float = 0.0
    ) -> list[Verdict]:
        verdicts = []
        for index, other in enumerate(stored):
            ours, theirs = set(new.text.casefold().split()), set(other.text.casefold().split())
            score = len(ours & theirs) / len(ours | theirs)
            given = thresholds[index] if index < len(thresholds) else None
            threshold = self.threshold if given is None else given
            verdicts.append(
                Verdict(
                    hit=score >= threshold,
                    similarity=float(new.vector @ other.vector),
                    threshold=threshold,
                    score=score,
                    reasons=("same_meaning",) if score >= threshold else ("below_threshold",),
                )
            )
        return verdicts


def request(text: str, *, request_id: str = "r", tenant: str = "t", user: str = "u", **more: object) -> RedactedRequest:
    """A request with one user turn."""
    base = RedactedRequest(request_id=request_id, tenant_id=tenant, user_id=user, messages=(Message(content=text),))
    base = dataclasses.replace(base, **more)  # type: ignore[arg-type]  # any field of the record
    return dataclasses.replace(base, prompt_hash=prompt_hash(base))


def scoped(text: str, scope: str | None, **more: object) -> RedactedRequest:
    """A request that asks for a scope of sharing."""
    return request(text, cache=CachePolicy(scope=scope), **more)  # type: ignore[arg-type]  # as above


def completion(of: RedactedRequest, content: str = "An answer.", **more: object) -> Completion:
    """A good answer of a model to ``of``."""
    base = Completion(
        request_id=of.request_id,
        tenant_id=of.tenant_id,
        user_id=of.user_id,
        status=ResponseStatus.OK,
        content=content,
        finish_reason="stop",
        source=AnswerSource.MODEL,
        tier="small",
        model="tiny",
        cost_nanousd=1_000,
        request=of,
    )
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]  # any field of the record
