"""The section ``completion``."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.contract.rights import RedisRights, StageRights
from forebay.settings import Section
from forebay.state.keys import Common, Owned, globs


class CompletionSettings(Section):
    """How requests are completed."""

    section: ClassVar[str] = "completion"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_COMPLETION_")

    in_flight: int = Field(32, ge=1, description="Requests that wait for models at once, per worker.")
    look_ahead: int = Field(
        512,
        ge=1,
        description="Requests that wait for their tenant's turn, per worker: to see past one tenant's flood.",
    )
    max_attempts: int = Field(
        16,
        ge=1,
        description="Times a request is tried before it is dead-lettered, instead of stage.max_attempts: with the "
        "first two of retry.delays_s as shortest and longest wait, 16 tries outlive an outage of 13 minutes.",
    )
    timeout_s: float = Field(180.0, gt=0, description="Longest time for all tiers of one request, in seconds.")
    lease_s: float = Field(
        5.0, ge=1, description="Seconds after which the request of a dead worker is taken over by another."
    )
    keep_s: float = Field(
        3600.0, ge=60, description="Seconds that outcomes are kept, so that a redelivered request is not paid again."
    )
    compress_keep: float = Field(
        0.6,
        gt=0,
        le=1,
        description="Share of a long prompt's tokens that is sent at most, where only history and documents before the "
        "last user turn are cut; 1: everything is sent.",
    )
    compress_least_tokens: int = Field(500, ge=1, description="Shorter prompts are sent as they are, in tokens.")
    compress_holdout: float = Field(
        0.05, ge=0, le=1, description="Share of requests sent as they are, so that judges' scores tell the difference."
    )
    prompt_cache_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How often a provider still has a conversation's history in its prompt cache. Where, by its "
        "price of cached input, that is worth more than cutting the history, it is sent as it was; 0: always cut.",
    )
    router_folder: Path = Field(
        Path(".forebay/tiers"),
        description="Where `forebay tiers train` keeps the router's versions; every worker must see the same folder.",
    )
    value_of_quality_usd: float | None = Field(
        None,
        gt=0,
        description="US dollars that a right answer is worth instead of a wrong one. Without it, a tier's `accept` "
        "alone decides what is escalated; with it, also whether the dearer call is worth its price.",
    )
    hedge_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of calls that may be made a second time, on another deployment of the tier, when the first "
        "is later than 95 % of its deployment's answers; 0: none.",
    )
    claim_required: bool = Field(
        True, description="Without Redis, wait rather than risk paying twice; false: pay, and count on luck."
    )


RIGHTS = StageRights(
    writes=("completions", "deltas", "usage", "alerts"),
    follows=("keys",),
    state=RedisRights(
        keys=globs(
            Owned.ANSWER_CLAIM,
            Owned.TENANT_BUDGET,
            Owned.USER_BUDGET,
            Owned.TENANT_HOUR,
            Owned.KEY_BUDGET,
            Owned.TENANT_RATE,
            Owned.USER_RATE,
            Owned.KEY_RATE,
            Common.BUDGETS_SET,
            Common.CONDITION,
            Common.DEPLOYMENT_RATE,
            Common.STAGE_WAITS,
        ),
        commands=(
            *("eval", "get", "getdel", "set", "del", "exists", "expire", "pexpire", "pttl", "rename", "time"),
            *(
                "hget",
                "hgetall",
                "hset",
                "hdel",
                "hexists",
                "hincrby",
                "incrby",
                "hmget",
                "zadd",
                "zrangebyscore",
                "zrem",
            ),
        ),
    ),
)
"""What the stage needs of the brokers and of Redis; here, since its room is full."""
