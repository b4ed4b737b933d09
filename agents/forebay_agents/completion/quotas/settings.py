"""The sections ``limits`` and ``budgets``; nothing is limited unless it is named here."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section


class Rate(BaseModel):
    """How much a minute; what is left out is not limited."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rpm: int | None = Field(None, gt=0, description="Requests per minute.")
    tpm: int | None = Field(None, gt=0, description="Tokens per minute, question and answer together.")


class LimitsSettings(Section):
    """Rates of tenants and users; those of deployments stand with them, in ``models``."""

    section: ClassVar[str] = "limits"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_LIMITS_")

    tenant: Rate = Field(Rate(), description="Of each tenant.")
    user: Rate = Field(Rate(), description="Of each user of a tenant.")
    tenants: dict[str, Rate] = Field(
        default_factory=dict,
        description="Of single tenants, instead of `tenant`; of `*`: of all together that are in no list "
        "(`tenants.known`).",
    )
    burst_s: float = Field(10.0, gt=0, description="Seconds' worth of a rate that may be used at once.")
    patience_s: float = Field(
        30.0, ge=0, description="Longest time that a request waits for its turn, in seconds, if its deadline allows."
    )


class Budget(BaseModel):
    """What may be spent; what is left out is not limited. Days and months are UTC's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    daily_usd: float | None = Field(None, ge=0, description="US dollars per day.")
    monthly_usd: float | None = Field(None, ge=0, description="US dollars per calendar month.")


class BudgetsSettings(Section):
    """Budgets of tenants and users."""

    section: ClassVar[str] = "budgets"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_BUDGETS_")

    tenant: Budget = Field(Budget(), description="Of each tenant.")
    user: Budget = Field(Budget(), description="Of each user of a tenant.")
    tenants: dict[str, Budget] = Field(
        default_factory=dict,
        description="Of single tenants, instead of `tenant`; of `*`: of all together that are in no list "
        "(`tenants.known`).",
    )
    users: dict[str, Budget] = Field(
        default_factory=dict, description="Of single users, as `tenant|user`, instead of `user`."
    )
    soft_share: float = Field(
        0.8, gt=0, le=1, description="Share of a budget from which on only the cheapest tier is used."
    )
    velocity_floor_usd: float | None = Field(
        10.0,
        ge=0,
        description="US dollars of a tenant in an hour from which on somebody hears of it, if that is over three times "
        "what is usual at this hour; empty: nobody does.",
    )
    reservation_s: float = Field(
        600.0,
        gt=0,
        description="Seconds after which the reservation of a call that nobody settled is given back; "
        "the ledger counts it by then.",
    )
