"""What may an operator choose about the cache?"""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from streams.settings import Section


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
    candidates: int = Field(5, ge=1, le=64, description="Nearest stored questions that are looked at.")
    search_effort: int = Field(200, ge=10, le=10_000, description="EF of the vector search: recall against time.")
    max_question_chars: int = Field(1_000, ge=1, description="Longer last turns are matched exactly only.")
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
