"""The section ``cost``."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section


class CostSettings(Section):
    """The ledger's projections."""

    section: ClassVar[str] = "cost"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_COST_")

    unsettled_after_s: float = Field(
        300.0,
        gt=0,
        description="Seconds after which a call that nobody closed counts as unsettled; above every call's time-out.",
    )
    sweep_every_s: float = Field(15.0, gt=0, description="Seconds between looks for such calls.")
    remember_s: float = Field(
        691_200.0,
        gt=0,
        description="Seconds that attempts are remembered to recognise repetitions; 8 days: longer than "
        "the topic usage can be redelivered from.",
    )
