"""What is kept of what became of requests?"""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section

MetadataKey = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")]


class HistorySettings(Section):
    """The record of each request that holds no text."""

    section: ClassVar[str] = "history"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_HISTORY_")

    metadata_keys: tuple[MetadataKey, ...] = Field(
        (), max_length=10, description="Keys of a request's metadata that outcomes keep, 64 characters of each value."
    )
