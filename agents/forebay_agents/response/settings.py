"""The section ``response``."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section


class Addresses(StrEnum):
    """What becomes of a pseudonym in a link, image or other address that the model wrote."""

    WITHHOLD = "withhold"
    RESTORE = "restore"


class GoalsSettings(Section):
    """What requesters are promised; alerts tell how fast the errors that are allowed are used up."""

    section: ClassVar[str] = "goals"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_GOALS_")

    answer_s: float = Field(3.0, gt=0, description="Seconds within which an answer is fast.")
    fast: float = Field(0.95, gt=0, lt=1, description="Share of the requests that are answered `ok` and fast.")
    ok: float = Field(
        0.99,
        gt=0,
        lt=1,
        description="Share of the requests that are answered `ok`; those that were asked wrongly, or that limits "
        "reject, do not count.",
    )


class ResponseSettings(Section):
    """What requesters get."""

    section: ClassVar[str] = "response"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_RESPONSE_")

    addresses: Addresses = Field(
        Addresses.WITHHOLD,
        description="Pseudonyms in addresses that a model wrote: `withhold` leaves them, but where the user's own text "
        "had the address; `restore` puts personal data into any address, for answers that nobody shows.",
    )
