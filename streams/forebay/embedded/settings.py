"""How large is the embedded stack?"""

import os
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section


class EmbeddedSettings(Section):
    """The servers that ``forebay up`` starts."""

    section: ClassVar[str] = "embedded"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_EMBEDDED_")

    redis_memory_mb: int = Field(
        512, ge=16, description="Memory of the Redis of vault, claims and budgets; when it is full, requests wait."
    )
    cache_memory_mb: int = Field(
        512, ge=16, description="Memory of the cache's Redis; beyond it, what was used longest ago is evicted."
    )
    model_slots: int = Field(2, ge=1, description="Requests that each local model answers at once.")
    model_context: int = Field(4096, ge=512, description="Tokens of prompt and answer of one request, per slot.")
    model_threads: int = Field(
        0, ge=0, description="Threads of each local model; 0: half of the machine's cores, so that both use them all."
    )
    start_timeout_s: float = Field(
        120.0, gt=0, description="Seconds until a part that does not answer counts as failed."
    )

    @property
    def threads(self) -> int:
        """Threads of each model."""
        return self.model_threads or max(1, (os.cpu_count() or 1) // 2)
