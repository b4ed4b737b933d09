"""Which tier answers? The cheapest whose answer is good enough; whatever fails is passed by.

The router says whom to ask first (RouteLLM, arXiv 2406.18665); each answer is assessed, and one that is probably wrong
is escalated to the next dearer tier (FrugalGPT, arXiv 2305.05176). Within a tier the next deployment takes over when
one fails. When everything dearer is out, the best answer so far serves, or else a tier that was to be left out; both
are marked as degraded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest

from forebay.contract.error_codes import CODES, FailureClass
from forebay.contract.failures import Failure, Permanent, Rejected, Transient
from forebay.contract.handlers import WriteAhead
from forebay.contract.records import RedactedRequest
from forebay_agents.completion.attempting import Answered, Attempts, answer_bound
from forebay_agents.completion.json_repair import in_form
from forebay_agents.completion.routing.confidence import Assessment, assess, question_of
from forebay_agents.completion.routing.live import FromTheCheapest, Router
from forebay_agents.completion.trace import Trace
from forebay_agents.models.providers.provider import Answer, ProviderError
from forebay_agents.models.settings import Tier

_FATAL = frozenset({"empty", "invalid_json", "schema_violation", "bad_tool_call"})
"""Doubts that no requester can live with, whichever tier they are about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """An accepted answer and where it came from."""

    answer: Answer
    assessment: Assessment
    tier: str
    model: str
    deployment: str
    degraded: bool = False
    attempt_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Route:
    """Tiers in the order in which they are asked.

    Attributes:
        upwards: from the one asked first; answers that are not good enough are escalated along it.
        below: cheaper ones, asked only when all of ``upwards`` is out.
        dearest: its answer is the last word.
        prices: what each may cost for this request, in nano-dollars.
        settled: whichever answers first has the last word, so that it can be heard while it writes.
    """

    upwards: Sequence[Tier]
    below: Sequence[Tier]
    dearest: Tier
    prices: Mapping[str, float] = field(default_factory=dict)
    settled: bool = False

    @property
    def all(self) -> list[Tier]:
        return [*self.upwards, *self.below]


class Cascade:
    """Walks the tiers for one request at a time; holds no state of requests."""

    def __init__(self, tiers: Sequence[Tier], attempts: Attempts, router: Router | None = None) -> None:
        self._tiers = tiers
        self._attempts = attempts
        self._router = router or FromTheCheapest()

    async def run(
        self,
        request: RedactedRequest,
        trace: Trace,
        write_ahead: WriteAhead,
        *,
        cheapest: bool,
        late: bool = False,
        early: float | None = None,
    ) -> Served:
        """The answer to ``request``; what was tried is in ``trace``, also when this raises.

        Args:
            cheapest: only the cheapest tier may be used: money is short.
            late: the cheapest tier is asked first, whatever the router thinks of the question: it is the quickest.
            early: the tier is chosen before it writes, as one that suffices with this probability; its answer is not
                escalated, but is degraded where it would have been.

        Raises:
            Failure: no tier served it; see :func:`conclusion`.
        """
        request = await self._fitting(request)
        route = self._route(request, cheapest, late, early)
        while True:
            if (served := await self._walk(route, request, trace, write_ahead)) is not None:
                trace.dearest = route.dearest
                return _usable(served)
            if not trace.errors and not trace.broke and trace.unpriced:
                raise Rejected("unpriced_model", "nobody knows what this model costs, and money is limited here")
            if not trace.errors and not trace.broke:
                raise Rejected("max_cost", "what earlier tries left of the request's own limit pays for no tier")
            if trace.broke:
                raise trace.broke
            if trace.attempts or not await self._attempts.probed(route.all, request):
                raise conclusion(trace.errors)
            trace.errors.clear()

    def least_nanousd(self, request: RedactedRequest, *, whole: bool) -> int:
        """No call for ``request`` has a smaller worst case; unless it goes ``whole``, any of its prompt may be cut."""
        messages = request.messages if whole else ()
        tiers = [tier for tier in self._tiers if request.tier in (None, tier.name)]
        return min((self._attempts.least(tier, request, messages) for tier in tiers), default=0)

    async def _walk(
        self, route: _Route, request: RedactedRequest, trace: Trace, write_ahead: WriteAhead
    ) -> Served | None:
        """The first good answer, else the best one; ``None`` when there is none."""
        best: Served | None = None
        for tier, dearer in zip_longest(route.upwards, route.upwards[1:]):
            others = dearer is not None or bool(route.below)
            # A cheaper tier's answer may be better than this one's, which then is taken back.
            trace.final = route.settled or (dearer is None and best is None)
            answered = await self._attempts.on(tier, request, trace, write_ahead, others=others)
            if trace.broke:
                break
            if answered is None:
                continue
            served = self._assessed(request, tier, _in_form(request, answered, trace))
            best = _better(served, best)
            if tier is route.dearest or self._suffices(served, tier, dearer, route, request):
                return best
            if route.settled and not _FATAL.intersection(served.assessment.reasons):
                return replace(best, degraded=True)
            _mark_escalated(trace)
        if best is not None:
            return replace(best, degraded=True)
        for tier in route.below:
            if trace.broke:
                break
            others = tier is not route.below[-1]
            trace.final = True
            if (answered := await self._attempts.on(tier, request, trace, write_ahead, others=others)) is not None:
                served = self._assessed(request, tier, _in_form(request, answered, trace))
                return replace(served, degraded=True)
        return None

    def _route(self, request: RedactedRequest, cheapest: bool, late: bool, early: float | None) -> _Route:
        eligible = self._eligible(request)
        if cheapest or len(eligible) == 1:
            return _Route(upwards=eligible[:1], below=(), dearest=eligible[-1])
        prices = {tier.name: float(self._attempts.worst_case(tier, request)) for tier in eligible}
        asked = question_of(request)
        if early is not None:
            chosen = self._router.early(asked, prices, early)
        else:
            chosen = next(iter(prices)) if late else self._router.first(asked, prices)
        first = list(prices).index(chosen)
        return _Route(
            upwards=eligible[first:],
            below=eligible[:first][::-1],
            dearest=eligible[-1],
            prices=prices,
            settled=early is not None,
        )

    def _suffices(
        self, served: Served, tier: Tier, dearer: Tier | None, route: _Route, request: RedactedRequest
    ) -> bool:
        """Whether nobody dearer need be asked; what cannot be used at all is escalated, whatever a curve says."""
        if _FATAL.intersection(served.assessment.reasons):
            return False
        probability = served.assessment.probability
        if probability >= tier.accept:
            return True
        if dearer is None:
            return False
        return not self._router.worthwhile(question_of(request), route.prices, dearer.name, probability)

    def _assessed(self, request: RedactedRequest, tier: Tier, answered: Answered) -> Served:
        answer = answered.answer
        assessment = assess(
            request,
            answer.content,
            answer.finish_reason,
            answer.logprobs,
            tool_calls=answer.tool_calls,
            calibrator=partial(self._router.confidence, tier.name),
        )
        return Served(
            answer=answer,
            assessment=assessment,
            tier=tier.name,
            model=answered.outcome.entry.model,
            deployment=answered.deployment.name,
            attempt_id=answered.outcome.entry.attempt_id,
        )

    def _eligible(self, request: RedactedRequest) -> list[Tier]:
        """Tiers that may serve ``request``. Raises :class:`Failure` when there is none."""
        tiers = [tier for tier in self._tiers if request.tier in (None, tier.name)]
        if not tiers:
            raise Permanent("no_tier", "there is no tier of the name that the request asks for")
        fitting = [tier for tier in tiers if self._fits(tier, request)]
        if not fitting:
            raise Permanent("context_length", "the request is too long for every tier")
        if request.max_cost_nanousd is None:
            return fitting
        affordable = [tier for tier in fitting if self._attempts.worst_case(tier, request) <= request.max_cost_nanousd]
        if not affordable:
            raise Rejected("max_cost", "the cheapest tier may cost more than the request allows")
        return affordable

    async def _fitting(self, request: RedactedRequest) -> RedactedRequest:
        """``request``, or what fits of it if no tier takes the whole."""
        tiers = [tier for tier in self._tiers if request.tier in (None, tier.name)]
        if not tiers or any(self._fits(tier, request) for tier in tiers):
            return request
        return await self._attempts.fitted(tiers, request) or request

    def _fits(self, tier: Tier, request: RedactedRequest) -> bool:
        return self._attempts.prompt_tokens(tier, request) + answer_bound(tier, request) <= tier.context_tokens


def conclusion(errors: Sequence[ProviderError]) -> Failure:
    """What to raise when every tier failed: the error that is worth most to the requester.

    As long as one tier might work later the request is retried; otherwise the last tier's error is final. An answer
    that was paid and is of no use is not bought again: by then every deployment and tier that may do better was asked.
    """
    unpaid = [error for error in errors if error.usage is None]
    transient = [error for error in unpaid if CODES[error.code].failure_class is FailureClass.TRANSIENT]
    if transient:
        waits = [error.retry_after_s for error in transient if error.retry_after_s is not None]
        return Transient(transient[-1].code, transient[-1].message, retry_after_s=min(waits) if waits else None)
    last = errors[-1]
    if last.code in {"provider_bad_request", "content_policy"}:
        return Rejected(last.code, last.message)
    return Permanent(last.code, last.message)


def _in_form(request: RedactedRequest, answered: Answered, trace: Trace) -> Answered:
    """``answered``, with its JSON repaired if that makes it what was asked for."""
    answer = answered.answer
    content = None if answer.tool_calls else in_form(answer.content, request.response_format)
    if content is None:
        return answered
    trace.attempts[-1] = replace(trace.attempts[-1], outcome="repaired")
    return replace(answered, answer=replace(answer, content=content))


def _better(served: Served, best: Served | None) -> Served:
    """The dearer tier's answer, unless it is clearly worse than what a cheaper one gave."""
    if best is not None and served.assessment.probability < best.assessment.probability - 0.2:
        return replace(best, degraded=True)
    return served


def _usable(served: Served) -> Served:
    """``served``, or ``low_confidence`` if nobody could do anything with it: not the form asked for, or nothing."""
    fatal = _FATAL.intersection(served.assessment.reasons)
    if fatal:
        raise Permanent("low_confidence", f"no tier gave an answer that can be used: {', '.join(sorted(fatal))}")
    return served


def _mark_escalated(trace: Trace) -> None:
    trace.attempts[-1] = replace(trace.attempts[-1], outcome="escalated")
