"""Is there a tracer? Where a collector is named; OpenTelemetry is imported only then."""

from typing import TYPE_CHECKING

from forebay.settings import ConfigurationError, Settings
from forebay.tracing.settings import TracingSettings

if TYPE_CHECKING:
    from forebay.tracing.otlp import OtlpTracer


def open_tracer(settings: Settings, service: str) -> "OtlpTracer | None":
    """The tracer of this process; ``None``: no collector is named.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    wanted = settings[TracingSettings]
    if not wanted.otlp_url:
        return None
    try:
        from forebay.tracing.otlp import OtlpTracer
    except ImportError as error:
        raise ConfigurationError("tracing.otlp_url needs OpenTelemetry: pip install 'forebay[otel]'") from error
    return OtlpTracer(wanted, service)
