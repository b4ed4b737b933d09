"""What may an operator choose about the cache?"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Others, Section
from forebay_agents.models.settings import missing_tier

MAX_QUESTION_CHARS = 1_000


class CacheSettings(Section):
    """The exact and the semantic tier, and the bound on wrong hits."""

    section: ClassVar[str] = "cache"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_CACHE_")

    ttl_s: int = Field(86_400, ge=1, description="Seconds that an answer is fresh, unless the request says otherwise.")
    max_ttl_s: int = Field(604_800, ge=1, description="Longest ttl_s that a request may ask for, in seconds.")
    scope: Literal["user", "tenant"] = Field(
        "tenant", description="Whose answers a request may be given at most; a request may ask for less."
    )
    global_tenants: tuple[str, ...] = Field(
        (),
        description="Tenants that opt in to sharing answers with each other, for requests that ask for scope global.",
    )
    max_temperature: float = Field(
        0.7, ge=0, description="Requests that ask for a higher temperature want variety: they are not cached."
    )
    max_answer_bytes: int = Field(65_536, ge=1, description="Longer answers are not cached, in UTF-8 bytes.")
    semantic: bool = Field(True, description="Whether questions that differ in wording may share an answer.")
    delta: float = Field(0.01, gt=0, lt=1, description="Largest share of wrong answers among semantic hits.")
    threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least score of a hit while nothing was verified, instead of the one that the "
        "shipped pairs prove for delta: what `forebay cache tune` proposes for yours.",
    )
    timely_ttl_s: int = Field(
        60, ge=1, description="Seconds that answers to questions of today, the latest or the weather are fresh at most."
    )
    candidates: int = Field(5, ge=1, le=64, description="Nearest stored questions that are looked at.")
    search_effort: int = Field(100, ge=10, le=10_000, description="EF of the vector search: recall against time.")
    least_similarity: float = Field(
        0.4,
        ge=-1,
        le=1,
        description="Cosine below which a stored question is not looked at: 98 % of paraphrases lie above.",
    )
    max_question_chars: int = Field(MAX_QUESTION_CHARS, ge=1, description="Longer last turns are matched exactly only.")
    max_partition_entries: int = Field(
        100_000, ge=1, description="Questions of one partition; beyond it the ones that expire first make room."
    )
    share_after_users: int = Field(
        1,
        ge=1,
        description="Distinct people of a tenant for whom a model must have given an answer before others get "
        "it; 1 shares at once. People's own answers and verified ones are not held back.",
    )
    share_after_users_global: int = Field(3, ge=1, description="The same for answers that cross tenants.")
    patience_ms: int = Field(
        250,
        ge=0,
        description="Longest time that a request queues to be compared by meaning, in ms; then it is matched exactly "
        "only: a busy cache must not slow down what it is there to speed up.",
    )
    second_encoder: bool = Field(
        True, description="Whether BGE looks again where MiniLM is in doubt: more true hits for 34 MB and 3.5 ms."
    )
    stale_s: int = Field(
        300, ge=0, description="Seconds after ttl_s in which others still get the old answer while one asks anew."
    )
    negative_ttl_s: float = Field(
        5.0, ge=0, description="Seconds that a permanent error of the providers is given to equal requests; 0: never."
    )
    write_quota_per_hour: int = Field(
        1_000, ge=1, description="Answers that one person may bring into the cache in an hour."
    )
    judge_floor: float = Field(
        3.0, ge=0, le=5, description="Answers that the judge scored lower are evicted, and never kept."
    )
    in_flight: int = Field(
        1_024,
        ge=1,
        description="Requests in the cache at once, per worker: those that wait for another's answer cost "
        "no more than memory.",
    )
    flight_lease_s: float = Field(
        30.0, gt=0, description="Seconds that others wait for whoever asks the models, before another is chosen."
    )
    flight_wait_s: float = Field(
        20.0,
        ge=0,
        description="Seconds that a request waits for an equal one's answer before it pays itself; 0: never. "
        "At least 5 s below stage.timeout_s.",
    )
    verify_hits: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Share of hits by meaning that go to the models all the same, so that the share of "
        "wrong hits is measured and not believed: ten times that of tasks that are new or suspect, a tenth of it "
        "of tasks that are known to keep delta.",
    )
    verify_near_misses: float = Field(
        0.2, ge=0, le=1, description="Share of near misses whose own answer is compared with the stored one."
    )
    near_misses_per_s: float = Field(
        1.0,
        gt=0,
        description="Near misses a second that a worker compares so, at most; what it leaves, up to ten seconds' "
        "worth, it may use later.",
    )
    near_miss: float = Field(0.5, ge=0, le=1, description="Least score of a near miss.")
    judge_tier: str = Field(
        "", description="Tier whose first deployment judges cache.verify; empty: answers that agree are the evidence."
    )
    judge_timeout_s: float = Field(20.0, gt=0, description="Longest time that a judgement may take, in seconds.")

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """A judge that is no tier."""
        yield from missing_tier(settings, "judge_tier", self.judge_tier)
