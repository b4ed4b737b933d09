"""How does Forebay log? One JSON object a line on standard error, without message text, in plain ASCII.

What logs through the standard library (Faust, aiokafka, litellm …) comes out the same way, at ``warning`` and above:
their debug logging costs an eighth of a hop's CPU, and litellm's would quote prompts. What they repeat is counted.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from forebay.observability.plain import json_shown
from forebay.observability.repeating import Repeating

# How many lines of the same place were not written (see `Repeating`).
_WITHHELD = structlog.stdlib.ExtraAdder(allow=["withheld"])
_NOISY = ("faust", "mode", "aiokafka", "kafka", "LiteLLM", "litellm", "httpx", "openai", "asyncio", "presidio-analyzer")


def configure(level: str = "info", **context: str) -> None:
    """Set logging up for this process.

    Args:
        level: least severe level of our own events.
        context: bound to every event (``stage=…``).
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _rendered],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**context)
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Repeating())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _WITHHELD],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _rendered,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # mode warns of every timer that ran late, hundreds of times when a process was busy importing.
    logging.getLogger("mode.timers").setLevel(logging.ERROR)


_to_json = structlog.processors.JSONRenderer()


def _rendered(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """One line, whatever the event quotes; JSON leaves only DEL as it is."""
    line = _to_json(logger, name, event)
    return json_shown(line if isinstance(line, str) else line.decode())
