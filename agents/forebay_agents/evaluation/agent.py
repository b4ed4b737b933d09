"""The stage ``evaluation``: ``completions`` in; ``evaluations``, ``reviews``, ``alerts`` and ``usage`` out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.handlers import Route
from forebay.contract.records import CallPurpose
from forebay.runtime.stage import Stage
from forebay.settings import ConfigurationError, RedisSettings, Settings, StageSettings
from forebay.state.claim_store import RedisClaimStore
from forebay.state.conditions import Conditions, RedisConditions
from forebay.state.idempotency import Claims
from forebay.state.redis_watch import open_state
from forebay_agents.evaluation.handler import EvaluationHandler
from forebay_agents.evaluation.rolling import RedisScores
from forebay_agents.evaluation.rubrics import RUBRICS
from forebay_agents.evaluation.sampling import outside
from forebay_agents.evaluation.settings import EvaluationSettings
from forebay_agents.models.open_caller import open_caller, tier_of
from forebay_agents.models.settings import ModelsSettings


@asynccontextmanager
async def evaluation_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``evaluation``."""
    own = settings[EvaluationSettings]
    judge = own.judge_tier or settings[ModelsSettings].tiers[-1].name
    tier = tier_of(settings, judge, "evaluation.judge_tier")
    if own.rubric not in RUBRICS:
        raise ConfigurationError(f"evaluation.rubric: there is no rubric {own.rubric!r}; rubrics: {', '.join(RUBRICS)}")
    prefix = settings[RedisSettings].key_prefix
    # Not made ready here: the first judgement may wait, the start-up of a stack may not.
    async with open_caller(settings, CallPurpose.JUDGE) as calling, open_state(settings) as client:
        claims = Claims(RedisClaimStore(client, prefix), open_codecs(settings, open_registry(settings)))
        conditions = Conditions(RedisConditions(client, prefix))
        scores = RedisScores(client, prefix)
        handler = EvaluationHandler(own, tier, calling.caller, claims, scores, conditions=conditions)
        limits = settings[StageSettings].model_copy(update={"in_flight": own.in_flight, "timeout_s": own.timeout_s})
        skip = partial(outside, rate=own.sample_rate)
        routes = [Route(topic="completions", handle=handler.handle, patient=True, skip=skip)]
        yield Stage(name="evaluation", routes=routes, limits=limits)
