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


class ResponseSettings(Section):
    """What requesters get."""

    section: ClassVar[str] = "response"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_RESPONSE_")

    addresses: Addresses = Field(
        Addresses.WITHHOLD,
        description="Pseudonyms in addresses that a model wrote: `withhold` leaves them, but where the user's own text "
        "had the address; `restore` puts personal data into any address, for answers that nobody shows.",
    )
