"""Whose replays are believed?"""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section


class DeadLetterSettings(Section):
    """Replays of dead letters: who may send them, and as whom ``forebay dlq`` does."""

    section: ClassVar[str] = "dlq"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_DLQ_")

    signing_key_file: str = Field(
        "", description="File of the key that `forebay dlq replay` signs with (`forebay dlq key`); for operators only."
    )
    operators: dict[str, str] = Field(
        default_factory=dict, description="Name to public key of those whose replays stages believe."
    )
