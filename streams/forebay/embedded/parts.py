"""What is a part of the stack? A command, the environment it needs, and how one knows that it answers."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum


class Health(Enum):
    """What a part says of itself."""

    DOWN = "does not answer"
    ALIVE = "answers, and cannot serve yet"
    READY = "serves"


Probe = Callable[[], Health]
"""Asks a part; blocks for two seconds at most and never raises."""


class Layer(IntEnum):
    """Parts are stopped from the top layer down."""

    BROKER = 0
    REDIS = 1
    MODEL = 2
    WORKER = 3


def bare_environment(**more: str) -> dict[str, str]:
    """What servers need of our environment: none of its secrets."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | more


_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ")


def _nothing() -> None: ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the stack.

    Attributes:
        name: unique; also of its log.
        command: absolute path of the program and its arguments.
        environment: all of it; secrets go here, since arguments can be read by everybody.
        health: asks it.
        prepare: called before every start, in the main thread; quick when there is nothing to do.
        port: what it listens on, if one asks for it.
        health_port: of its ``/readyz``.
        stop_s: seconds it gets to stop by itself.
        early: a worker that is started with the servers; it waits for them itself.
    """

    name: str
    layer: Layer
    command: Sequence[str]
    environment: Mapping[str, str]
    health: Probe
    prepare: Callable[[], None] = _nothing
    stage: str | None = None
    port: int | None = None
    health_port: int | None = None
    stop_s: float = 5.0
    early: bool = False
