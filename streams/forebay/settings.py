"""Where does a setting come from? Environment first, then ``forebay.yaml``, then the default declared beside it.

A section is a class; its key ``KEY`` is read from ``FOREBAY_<SECTION>_<KEY>``, then from ``<section>: {<key>: …}`` in
the file. Values in the file may name the environment: ``${NAME}`` or ``${NAME:-default}``, which is how secrets get in.
Each stage declares its own section beside its rules; ``docs/reference/configuration.md`` is generated from them all.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from forebay.resources import data_path

S = TypeVar("S", bound="Section")

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class ConfigurationError(Exception):
    """The configuration cannot be used; the message names the key and what to do."""


class Section(BaseSettings):
    """Base of all sections; subclasses set ``section`` and an ``env_prefix`` that goes with it."""

    section: ClassVar[str] = ""
    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose values arrive as init arguments."""
        return env_settings, init_settings


class KafkaSettings(Section):
    """Brokers, and how to reach them."""

    section: ClassVar[str] = "kafka"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_KAFKA_")

    bootstrap: str = Field("127.0.0.1:9092", description="Comma-separated host:port list of brokers.")
    topic_prefix: str = Field("forebay.", description="Put in front of every topic name and consumer group.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How connections are secured."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, used with a SASL_* protocol."
    )
    sasl_username: str = Field("", description="SASL user name.")
    sasl_password: SecretStr = Field(SecretStr(""), description="SASL password; give it through the environment.")
    ssl_cafile: str = Field("", description="PEM file of the authority that signed the brokers' certificates.")
    ssl_certfile: str = Field("", description="PEM file of the client certificate, for mutual TLS.")
    ssl_keyfile: str = Field("", description="PEM file of the client key, for mutual TLS.")
    partitions: int = Field(4, ge=1, le=1024, description="Partitions of a topic that does not say otherwise.")
    replication_factor: int = Field(1, ge=1, le=7, description="Replicas of each partition; 3 in production.")
    min_insync_replicas: int = Field(
        1, ge=1, le=7, description="Replicas that must have a record before it counts as delivered; 2 in production."
    )
    max_record_bytes: int = Field(
        2_097_152, ge=16_384, description="Largest request that is accepted, in bytes; larger ones are refused at once."
    )


class RedisSettings(Section):
    """Redis 8: vault, cache, claims, limits."""

    section: ClassVar[str] = "redis"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_REDIS_")

    url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="redis:// or rediss:// URL of what may not be lost: vault, claims, budgets. Policy noeviction.",
    )
    cache_url: SecretStr = Field(
        SecretStr(""),
        description="URL of the cache's Redis, policy volatile-lru. Empty: it shares redis.url, up to cache_share.",
    )
    cache_share: float = Field(
        0.6, gt=0, le=1, description="In a shared Redis the cache keeps nothing new beyond this share of maxmemory."
    )
    key_prefix: str = Field("forebay:", description="Put in front of every key.")
    timeout_ms: int = Field(500, ge=10, description="Longest wait for one command, in milliseconds.")


class StageSettings(Section):
    """How a stage runs its handler; a stage's own section may override the first five."""

    section: ClassVar[str] = "stage"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_STAGE_")

    in_flight: int = Field(64, ge=1, description="Records in handlers at once, per worker.")
    in_flight_bytes: int = Field(
        67_108_864, ge=1, description="Bytes of records in handlers at once, per worker: bounds memory, not throughput."
    )
    window: int = Field(
        256,
        ge=1,
        description="Records of one partition between the oldest unfinished one and the newest started one: "
        "bounds the duplicates after a crash.",
    )
    timeout_s: float = Field(30.0, gt=0, description="Longest time that a handler may take, in seconds.")
    max_attempts: int = Field(8, ge=1, description="Times a record is tried before it is dead-lettered.")
    commit_interval_s: float = Field(
        0.2, gt=0, description="Seconds between offset commits; 0.2 cut the duplicates of a crash from 445 to 64."
    )
    drain_s: float = Field(
        3.0,
        ge=0,
        description="Seconds that running handlers get to finish when partitions are revoked or the worker "
        "stops; must be below session_timeout_s.",
    )
    session_timeout_s: float = Field(
        6.0, ge=6, description="Seconds without a heartbeat after which a worker's partitions go to another."
    )
    linger_ms: int = Field(
        5, ge=0, description="Milliseconds that the producer may gather a batch while busy; costs nothing when quiet."
    )
    version: int = Field(1, ge=1, description="Version of the consumer groups; raising it starts them afresh.")


class RetrySettings(Section):
    """Delayed retries."""

    section: ClassVar[str] = "retry"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_RETRY_")

    delays_s: tuple[Annotated[float, Field(ge=0, le=86_400)], ...] = Field(
        (10.0, 60.0, 600.0),
        min_length=1,
        max_length=3,
        description="Delay of retry.10s, retry.1m and retry.10m, in seconds, shortest first; with fewer than three the "
        "last ones are not used.",
    )

    @field_validator("delays_s")
    @classmethod
    def _shortest_first(cls, delays_s: tuple[float, ...]) -> tuple[float, ...]:
        if list(delays_s) != sorted(delays_s):
            raise ValueError("the shortest delay comes first")
        return delays_s


class WorkerSettings(Section):
    """The worker process around a stage."""

    section: ClassVar[str] = "worker"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_WORKER_")

    host: str = Field("127.0.0.1", description="Address of /metrics, /healthz and /readyz; loopback unless told.")
    port: int = Field(0, ge=0, le=65535, description="Port of the same; 0 takes a free one.")
    instance: str = Field(
        "",
        pattern=r"^[a-zA-Z0-9._-]{0,200}$",
        description="A name that no other worker has and that this one keeps when it is started again: then it gets "
        "its partitions back at once, not after stage.session_timeout_s (static membership, KIP-345). Empty: none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe level logged.")
    flight_dir: str = Field(
        "",
        description="Folder of the small file in which a worker notes which record's code is running, so that a record "
        "that ends it twice is passed. Empty: the system's folder for temporary files. It should outlive a restart.",
    )


class VaultSettings(Section):
    """Encryption of what can re-identify a person."""

    section: ClassVar[str] = "vault"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_VAULT_")

    keys: SecretStr = Field(
        SecretStr(""),
        description="Comma-separated ID:BASE64 list of 256-bit keys, the newest first; the first seals, all open.",
    )
    keys_file: str = Field("", description="File with the same, one key a line; readable by its owner only.")
    ttl_s: int = Field(86_400, ge=60, description="Seconds that a pseudonym mapping is kept.")


class Settings:
    """All sections of one configuration file, each validated when it is first asked for.

    Args:
        content: the parsed file: section name to its keys.
        origin: where it was read, for error messages.
        reached: variables that count where the environment has none of that name.
    """

    def __init__(
        self, content: dict[str, dict[str, Any]], origin: str = "forebay.yaml", reached: Mapping[str, str] | None = None
    ) -> None:
        self._content = content
        self._origin = origin
        self._reached = reached or {}
        self._sections: dict[type[Section], Section] = {}

    def __getitem__(self, kind: type[S]) -> S:
        """The section ``kind``. Raises :class:`ConfigurationError` naming each wrong key."""
        found = self._sections.get(kind)
        if found is None:
            try:
                found = kind(**(self._content.get(kind.section) or {}) | self._reached_of(kind))
            except ValidationError as error:
                raise ConfigurationError(_explain(error, kind, self._origin)) from None
            self._sections[kind] = found
        assert isinstance(found, kind)
        return found

    def _reached_of(self, kind: type[Section]) -> dict[str, str]:
        variables = {key: f"{kind.model_config['env_prefix']}{key}".upper() for key in kind.model_fields}
        return {
            key: self._reached[name]
            for key, name in variables.items()
            if name in self._reached and name not in os.environ
        }

    @property
    def section_names(self) -> frozenset[str]:
        """Sections present in the file."""
        return frozenset(self._content)


def load(path: str | Path | None = None, reached: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file.

    Args:
        path: the file; by default ``$FOREBAY_CONFIG``, then ``./forebay.yaml``, then the one that is shipped.
        reached: variables that count where the environment has none of that name: how a stack that was found running
            is reached.

    Raises:
        ConfigurationError: the file is missing, is not YAML, or names an unset variable without a default.
    """
    chosen = Path(path or os.environ.get("FOREBAY_CONFIG") or _default_path())
    environment = {name: value for name, value in os.environ.items() if name.isupper()}
    return _load(chosen, _frozen({**(reached or {}), **environment}), _frozen(reached or {}))


def _default_path() -> Path:
    here = Path("forebay.yaml")
    return here if here.exists() else data_path("forebay.yaml")


_Variables = tuple[tuple[str, str], ...]


def _frozen(variables: Mapping[str, str]) -> _Variables:
    return tuple(sorted(variables.items()))


@cache
def _load(path: Path, environment: _Variables, reached: _Variables) -> Settings:
    try:
        parsed = yaml.safe_load(path.read_text("utf-8")) or {}
    except FileNotFoundError:
        raise ConfigurationError(f"there is no configuration file {path}") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(parsed, dict) or not all(isinstance(value, dict | None) for value in parsed.values()):
        raise ConfigurationError(f"{path} must be a mapping of section names to mappings")
    return Settings(_resolve(parsed, dict(environment), str(path)), str(path), dict(reached))


def _resolve(node: Any, environment: dict[str, str], where: str) -> Any:
    """Replace ``${NAME:-default}`` in every string; a string that becomes empty stays an empty string."""
    if isinstance(node, dict):
        return {key: _resolve(value, environment, f"{where}: {key}") for key, value in node.items()}
    if isinstance(node, list):
        return [_resolve(value, environment, where) for value in node]
    if not isinstance(node, str):
        return node

    def replace(match: re.Match[str]) -> str:
        value = environment.get(match["name"], match["default"])
        if value is None:
            raise ConfigurationError(f"{where} needs the environment variable {match['name']}, which is not set")
        return value

    return _REFERENCE.sub(replace, node)


def _explain(error: ValidationError, kind: type[Section], origin: str) -> str:
    lines = [f"configuration section {kind.section!r} cannot be used ({origin} and FOREBAY_{kind.section.upper()}_*):"]
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        lines.append(f"  {key}: {problem['msg']}")
    return "\n".join(lines)
