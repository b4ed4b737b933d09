"""The section ``cost``: what the ledger says of a call beside its cost, and how its projections are kept."""

from typing import Annotated, ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section


class CostSettings(Section):
    """The ledger and its projections."""

    section: ClassVar[str] = "cost"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_COST_")

    labels: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        (),
        max_length=3,
        description="Keys of requests' metadata whose values (64 characters of them) go into the ledger, to see spend "
        "by them: `forebay spend --by label:team`.",
    )
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
