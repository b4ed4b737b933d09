"""Which models are there, where, and at what price? The section ``models``."""

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from forebay.settings import Others, Section
from forebay.settings.faults import meant, shown
from forebay_agents.models.prices.settings import Periods, Price, fault_of

__all__ = ["Deployment", "ModelsSettings", "Price", "Tier", "Unpriced", "missing_tier"]


class Unpriced(StrEnum):
    """What becomes of calls that no price is known of: they are told of, or not made."""

    ALERT = "alert"
    REFUSE = "refuse"


class Deployment(BaseModel):
    """One place where a model can be called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Unique name: metrics, ledger and status show it.")
    model: str = Field(description="litellm model name, such as openai/gpt-4o-mini.")
    api_base: str = Field("", description="Base URL, for providers that need one.")
    api_key: SecretStr = Field(SecretStr(""), description="Key; write ${OPENAI_API_KEY:-} to keep it out of files.")
    region: str = Field("", description="Shown in status; where the data goes.")
    weight: float = Field(1.0, gt=0, description="Share of the tier's calls relative to its other deployments.")
    timeout_s: float = Field(60.0, gt=0, description="Longest time of one call, in seconds.")
    connect_timeout_s: float = Field(5.0, gt=0, description="Longest time until connected, in seconds.")
    first_token_timeout_s: float | None = Field(
        None, gt=0, description="Longest time until the first token, in seconds; without it, timeout_s."
    )
    stall_timeout_s: float | None = Field(
        15.0, gt=0, description="Longest time between two tokens, in seconds: a stream that stalls longer is given up."
    )
    stream: bool = Field(
        True, description="Have answers streamed, so that one that stalls is noticed; false for providers that cannot."
    )
    rpm: int | None = Field(None, gt=0, description="Requests per minute that the provider grants.")
    tpm: int | None = Field(None, gt=0, description="Tokens per minute that the provider grants.")
    max_in_flight: int = Field(32, ge=1, description="Calls at once, per worker.")
    price: Periods = Field(
        (), description="Price, where litellm's list has none or a wrong one; a list of them: each `from` a date on."
    )
    logprobs: bool = Field(True, description="Ask for log-probabilities: they sharpen the confidence.")


class Tier(BaseModel):
    """Deployments of about the same quality; tiers are ordered from the cheapest to the best."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Name, as requests may ask for it.")
    deployments: tuple[Deployment, ...] = Field(min_length=1, description="Where its models can be called.")
    accept: float = Field(
        0.6, ge=0, le=1, description="Least probability of being right with which an answer is accepted, not escalated."
    )
    context_tokens: int = Field(8192, gt=0, description="Tokens that fit, question and answer together.")
    max_answer_tokens: int = Field(1024, gt=0, description="Bound of an answer when the request sets none.")


class ModelsSettings(Section):
    """Tiers, cheapest first."""

    section: ClassVar[str] = "models"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_MODELS_")

    tiers: tuple[Tier, ...] = Field(min_length=1, description="Tiers, cheapest first.")
    prices: dict[str, Periods] = Field(
        default_factory=dict,
        description="litellm model name to price, for models that litellm's list lacks, or to a list of them: each "
        "`from` a date on.",
    )
    unpriced: Unpriced = Field(
        Unpriced.ALERT,
        description="What becomes of a deployment without a price: `alert`: it is called, and told of by a metric and "
        "the log; `refuse`: it is not called. Where a budget or max_cost_nanousd applies it never is.",
    )
    direct: bool = Field(
        True,
        description="Call deployments of `openai/…` straight over HTTP, a tenth of the CPU; false: through litellm. "
        "Models that need translation (o1 and later, gpt-5, audio) go through litellm in any case.",
    )
    cooldown_s: float = Field(10.0, ge=0, description="Seconds that a deployment rests after it failed.")

    @model_validator(mode="after")
    def _unique_names(self) -> "ModelsSettings":
        tiers = [tier.name for tier in self.tiers]
        deployments = [deployment.name for tier in self.tiers for deployment in tier.deployments]
        for kind, names in (("tier", tiers), ("deployment", deployments)):
            repeated = {name for name in names if names.count(name) > 1}
            if repeated:
                raise ValueError(f"the {kind} name {repeated.pop()!r} is used twice")
        return self

    @model_validator(mode="after")
    def _sound_periods(self) -> "ModelsSettings":
        own = {one.name: one.price for tier in self.tiers for one in tier.deployments if one.price}
        for name, prices in (*own.items(), *self.prices.items()):
            if (fault := fault_of(name, prices)) is not None:
                raise ValueError(f"price of {shown(fault)}")
        return self

    def tier(self, name: str) -> Tier | None:
        """The tier called ``name``."""
        return next((tier for tier in self.tiers if tier.name == name), None)


def missing_tier(settings: Others, key: str, name: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a ``key`` that names a tier; empty means none in particular."""
    models = settings.peek(ModelsSettings)
    if name and models is not None and models.tier(name) is None:
        yield (key,), f"there is no tier {shown(name)}{meant(name, (tier.name for tier in models.tiers))}"
