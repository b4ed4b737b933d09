"""What does a processor need to know, the same for every route of a stage? Made here for workers and tests alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forebay.avro.codec import Codec
from forebay.contract.handlers import Route
from forebay.contract.topics import TOPICS, Access
from forebay.privacy.egress import EgressGuard
from forebay.privacy.outbound import Departures
from forebay.privacy.sealing import Keyring
from forebay.settings import EgressSettings, KafkaSettings, RetrySettings, Settings, StageSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What :class:`forebay.runtime.processing.Processor` needs to know.

    Attributes:
        stage: its name.
        timeout_s: hard limit of one handler call, in seconds.
        max_attempts: tries before a record is dead-lettered.
        codecs: logical topic to codec of its values.
        keyring: seals restricted bytes that leave a restricted topic; ``None`` only in stages that never see any.
        departures: checks what leaves for people and for the dead letters.
    """

    stage: str
    timeout_s: float
    max_attempts: int
    codecs: Mapping[str, Codec[Any]]
    kafka: KafkaSettings
    retry: RetrySettings
    keyring: Keyring | None = None
    departures: Departures | None = None


def rules_of(
    stage: str,
    routes: Sequence[Route],
    limits: StageSettings,
    settings: Settings,
    codecs: Mapping[str, Codec[Any]],
    keyring: Callable[[], Keyring],
) -> Rules:
    """The rules of a stage; ``keyring`` is asked for only if one of its topics is restricted."""
    restricted = any(TOPICS[route.topic].access is Access.RESTRICTED for route in routes)
    ring = keyring() if restricted else None
    return Rules(
        stage=stage,
        timeout_s=limits.timeout_s,
        max_attempts=limits.max_attempts,
        codecs=codecs,
        kafka=settings[KafkaSettings],
        retry=settings[RetrySettings],
        keyring=ring,
        departures=Departures(EgressGuard(settings[EgressSettings]), ring),
    )
