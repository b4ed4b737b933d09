"""The section ``review``."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section


class ReviewSettings(Section):
    """People in the loop."""

    section: ClassVar[str] = "review"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_REVIEW_")

    keep_s: int = Field(86_400, ge=60, description="Seconds in which users may give feedback on an answer.")
