"""Where do spans go? Nowhere, unless a collector is named."""

from collections.abc import Iterator
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints
from pydantic_settings import SettingsConfigDict

from forebay.settings import Section

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class TracingSettings(Section):
    """Spans of stages and of calls of models, for a collector of OpenTelemetry."""

    section: ClassVar[str] = "tracing"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_TRACING_")

    otlp_url: Annotated[str, StringConstraints(pattern=r"^(https?://[^\s]+)?$")] = Field(
        "",
        description="Base URL of a collector that takes OTLP by HTTP (`http://127.0.0.1:4318`); empty: no spans. "
        "Needs the extra `otel`.",
    )
    share: float = Field(
        1.0, ge=0, le=1, description="Of the requests whose producer says nothing of it, how many are traced."
    )
    queue: int = Field(2_048, ge=64, description="Spans that may wait to be sent; more are dropped, and counted.")
    timeout_s: float = Field(5.0, gt=0, description="Longest wait for the collector to take a batch, in seconds.")

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """A collector elsewhere that is spoken to in the clear."""
        parts = urlsplit(self.otlp_url)
        if parts.scheme == "http" and parts.hostname not in _HERE:
            yield "otlp_url", "what goes to the collector is not encrypted"
