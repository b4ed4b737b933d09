"""What does a processor need to know, the same for every route of a stage? Made here for workers and tests alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forebay.avro.codec import Codec
from forebay.contract.handlers import Route
from forebay.contract.topics import RETRY_LEVELS, Access, topic_named
from forebay.privacy.egress import EgressGuard
from forebay.privacy.outbound import Departures
from forebay.privacy.sealing import Keyring
from forebay.settings import EgressSettings, KafkaSettings, RetrySettings, Settings, StageSettings
from forebay.state.replays import MemoryReplays, Replays
from forebay.tracing.tracer import Tracer
from forebay.trust.keys import operators, retry_proofs
from forebay.trust.proofs import Operators, RetryProofs
from forebay.trust.tenant_keys import tenants
from forebay.trust.tenants import Tenants


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What :class:`forebay.runtime.processing.Processor` needs to know.

    Attributes:
        stage: its name.
        timeout_s: hard limit of one handler call, in seconds.
        max_attempts: tries before a record is dead-lettered.
        codecs: logical topic to codec of its values.
        keyring: seals bytes that leave a topic that is not internal: the vault's where such a topic is restricted, else
            the stage's own; ``None`` only in stages that never see any.
        departures: checks what leaves for people and for the dead letters.
        proofs: signs what is to come back to this stage, and knows it again; by default for this process alone.
        operators: whose replays are believed.
        replays: which replays were there before.
        tenants: which tenant wrote what an application sends.
        tracer: makes spans of records of a request, if somebody wants them.
    """

    stage: str
    timeout_s: float
    max_attempts: int
    codecs: Mapping[str, Codec[Any]]
    kafka: KafkaSettings
    retry: RetrySettings
    keyring: Keyring | None = None
    departures: Departures | None = None
    proofs: RetryProofs = field(default_factory=RetryProofs.of_this_process)
    operators: Operators = field(default_factory=lambda: Operators({}))
    replays: Replays = field(default_factory=MemoryReplays)
    tenants: Tenants = field(default_factory=Tenants)
    tracer: Tracer | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trusted:
    """By what a stage knows what comes back to it; see :class:`Rules`."""

    proofs: RetryProofs
    operators: Operators
    replays: Replays
    tenants: Tenants = field(default_factory=Tenants)


def trusted_by(stage: str, routes: Sequence[Route], settings: Settings, replays: Replays) -> Trusted:
    """What the settings say. Raises ``ConfigurationError``: a secret, or the tenants, are missing."""
    signs = any(route.topic not in RETRY_LEVELS for route in routes)  # else it only hands on what others signed
    told = any((topic := topic_named(route.topic)) is not None and topic.outside for route in routes)
    return Trusted(
        proofs=retry_proofs(stage, settings) if signs else RetryProofs.of_this_process(),
        operators=operators(settings),
        replays=replays,
        tenants=tenants(settings) if told else Tenants(),
    )


def rules_of(
    stage: str,
    routes: Sequence[Route],
    limits: StageSettings,
    settings: Settings,
    codecs: Mapping[str, Codec[Any]],
    *,
    keyring: Callable[[], Keyring],
    trusted: Trusted,
    tracer: Tracer | None = None,
) -> Rules:
    """The rules of a stage; ``keyring`` is asked for only if one of its topics is restricted."""
    read = {topic.access for route in routes if (topic := topic_named(route.topic)) is not None}
    vault = keyring() if Access.RESTRICTED in read else None
    own = Keyring(trusted.proofs.sealing_keys()) if Access.IDENTIFYING in read else None
    return Rules(
        stage=stage,
        timeout_s=limits.timeout_s,
        max_attempts=limits.max_attempts,
        codecs=codecs,
        kafka=settings[KafkaSettings],
        retry=settings[RetrySettings],
        keyring=vault or own,
        departures=Departures(EgressGuard(settings[EgressSettings]), vault),
        proofs=trusted.proofs,
        operators=trusted.operators,
        replays=trusted.replays,
        tenants=trusted.tenants,
        tracer=tracer,
    )
