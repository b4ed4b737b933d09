"""What can be set about redaction?"""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from streams.settings import Section


class RedactionSettings(Section):
    """Redaction."""

    section: ClassVar[str] = "redaction"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_REDACTION_")

    max_messages: int = Field(1_000, ge=1, description="Most messages of a request.")
    max_chars: int = Field(2_000_000, ge=1_000, description="Most characters of all texts of a request together.")
    threads: int = Field(1, ge=1, le=64, description="Threads that look for personal data, per worker.")
