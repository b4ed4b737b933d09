"""What is kept of what became of requests, where, and for how long?"""

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
    path: str = Field(
        ".forebay/history.db",
        min_length=1,
        description="File of the history, on a local disk: the worker `recorder` writes it.",
    )
    days: int = Field(30, ge=1, le=400, description="Days that requests stay in the history.")
    max_gb: float = Field(5.0, gt=0.01, description="Gigabytes of the history at most; the oldest goes first.")
