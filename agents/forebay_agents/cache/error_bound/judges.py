"""Who says whether a stored answer serves a new question? A model if one is named, else the answers themselves.

Agreement costs nothing: the request explored, so there is a fresh answer to hold the stored one against. Equal
answers, or answers that say the same with the same numbers and polarity, are right; answers that share next to nothing
are wrong; what lies between stays undecided and teaches nothing.
"""

import asyncio
import re
from collections.abc import Callable

from forebay.contract.failures import Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import CacheCheck, Message, Params
from forebay_agents.cache.language.facts import facts_of
from forebay_agents.cache.matching.guards import negation, numbers, polarity
from forebay_agents.cache.store.locating import Reader
from forebay_agents.models.caller import Caller
from forebay_agents.models.ledger import Payer, usage_output
from forebay_agents.models.providers.provider import Call
from forebay_agents.models.settings import Tier

JUDGE = "forebay:cache"
"""User to whom judging is charged: it is no end user's spend."""
_AGREE, _DISAGREE = 0.85, 0.55
"""Cosines of answers: above the first they agree, below the second they do not."""
_QUESTION_CHARS, _ANSWER_CHARS = 2_000, 4_000
_ANSWER_READ = 1_000
_PROMPT = """A question was answered before. Would that answer be a correct and complete answer to another question too?

First question: {stored}
Its answer: {answer}

Other question: {question}

Reply with one word, YES or NO."""
_BLANKS = re.compile(r"\W+")


class AgreementJudge:
    """See :class:`forebay_agents.cache.error_bound.verification.Judge`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def serves(self, check: CacheCheck, _context: Context) -> tuple[bool | None, list[Output]]:
        """See :class:`forebay_agents.cache.error_bound.verification.Judge`."""
        if _plain(check.answer) == _plain(check.stored_answer):
            return True, []
        fresh, stored = facts_of(check.answer[:_ANSWER_READ]), facts_of(check.stored_answer[:_ANSWER_READ])
        ours = await self._reader.read(check.answer[:_ANSWER_READ])
        theirs = await self._reader.read(check.stored_answer[:_ANSWER_READ])
        cosine = float(ours.vector @ theirs.vector)
        if cosine < _DISAGREE:
            return False, []
        differ = numbers(fresh, stored) or negation(fresh, stored) or polarity(fresh, stored)
        return (True if cosine >= _AGREE and not differ else None), []


class ModelJudge:
    """A model of a tier; its calls are in the ledger like all others.

    Args:
        at_once: judgements at the same time, per worker.
    """

    def __init__(self, tier: Tier, caller: Caller, *, timeout_s: float, at_once: int = 2) -> None:
        self._tier = tier
        self._caller = caller
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(at_once)

    async def serves(self, check: CacheCheck, context: Context) -> tuple[bool | None, list[Output]]:
        """See :class:`forebay_agents.cache.error_bound.verification.Judge`. Raises ``Transient`` while the judge is
        down."""
        payer = Payer(request_id=check.request_id, tenant_id=check.tenant_id, user_id=JUDGE)
        async with self._turns:
            outcome = await self._caller.call(
                payer, self._tier.name, self._tier.deployments[0], self._call(check), context.write_ahead
            )
        ledger = [usage_output(outcome.entry)]
        if outcome.error is not None and outcome.error.usage is not None:
            return None, ledger  # paid for nothing: once is enough
        if outcome.answer is None:
            await context.write_ahead(ledger)
            raise Transient("provider_unavailable", "the judge of cached answers did not answer")
        return read_verdict(outcome.answer.content), ledger

    def _call(self, check: CacheCheck) -> Callable[[str], Call]:
        prompt = _PROMPT.format(
            stored=check.stored_question[:_QUESTION_CHARS],
            answer=check.stored_answer[:_ANSWER_CHARS],
            question=check.question[:_QUESTION_CHARS],
        )
        deployment = self._tier.deployments[0]

        def make(attempt_id: str) -> Call:
            return Call(
                attempt_id=attempt_id,
                request_id=check.request_id,
                messages=(Message(content=prompt),),
                params=Params(temperature=0.0),
                max_tokens=8,
                timeout_s=min(deployment.timeout_s, self._timeout_s),
            )

        return make


def read_verdict(text: str) -> bool | None:
    """YES or NO at the beginning of a judge's answer; ``None`` for anything else."""
    first = text.strip().upper()[:3]
    return True if first.startswith("YES") else False if first.startswith("NO") else None


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text.casefold()).strip()
