"""The sections of the substrate: brokers, Redis, stages, retries, workers, vault, and the guard at each way out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from forebay.settings.section import Others, Section


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

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Files that are not there, and users without a name or a password."""
        for key in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
            yield from _missing(key, getattr(self, key))
        if self.security_protocol.startswith("SASL_"):
            for key, value in (("sasl_username", self.sasl_username), ("sasl_password", self.sasl_password)):
                if not value:
                    yield (key,), f"is needed with {self.security_protocol}"

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """Brokers elsewhere that do not ask who comes, or are spoken to in the clear."""
        if all(_is_here(server.rpartition(":")[0]) for server in self.bootstrap.split(",")):
            return
        if not self.security_protocol.startswith("SASL_") and not (
            self.security_protocol == "SSL" and self.ssl_certfile
        ):
            yield "security_protocol", "the brokers are not told who comes: no authentication"
        if self.security_protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
            yield "security_protocol", "what goes to the brokers and back is not encrypted"


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

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """Servers elsewhere that ask for no password."""
        for key in ("url", "cache_url"):
            parts = urlsplit(getattr(self, key).get_secret_value())
            if parts.hostname and not _is_here(parts.hostname) and not parts.password:
                yield key, "Redis asks for no password: no authentication"


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
    fetch_wait_ms: int = Field(
        100,
        ge=0,
        le=1_000,
        description="Milliseconds that a fetch may wait for more records at 40 a second and above; nothing below 10. "
        "Stages that nobody waits for (cost, evaluation, review, retry) take five times as long.",
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
    secret: SecretStr = Field(
        SecretStr(""),
        description="Secret of the stage, by which it knows its own retries again: 256 bits in base64. Several, "
        "separated by commas: the first signs, all count.",
    )
    secret_file: str = Field(
        "",
        description="File with the same, one a line, which its owner alone can read; {stage} in its name: the stage's.",
    )
    unsigned_until_ms: int = Field(
        0, ge=0, description="For an upgrade: until when retries without a proof are believed, in ms since 1970."
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

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """A file that is not there."""
        yield from _missing("keys_file", self.keys_file)


class EgressSettings(Section):
    """The last check before data leaves."""

    section: ClassVar[str] = "egress"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_EGRESS_")

    allow_kinds: tuple[str, ...] = Field(
        (), description="Kinds that may leave: those for which redaction.policy says allow."
    )
    allow: tuple[str, ...] = Field(
        (), description="Values that may leave, such as your own support address: those of redaction.allow."
    )

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """What the guard lets through."""
        if self.allow_kinds:
            yield "allow_kinds", f"the guard lets out {', '.join(sorted(self.allow_kinds))}"


def _missing(key: str, file: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if file and not Path(file).is_file():
        yield (key,), f"there is no file {file}"


def _is_here(host: str) -> bool:
    """Whether what goes to ``host`` does not leave this machine."""
    bare = host.strip().strip("[]")
    return bare == "localhost" or bare == "::1" or bare.startswith("127.")


class DeadLetterSettings(Section):
    """Replays of dead letters: whose are believed, and as whom ``forebay dlq`` sends them."""

    section: ClassVar[str] = "dlq"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_DLQ_")

    signing_key_file: str = Field(
        "", description="File of the key that `forebay dlq replay` signs with (`forebay dlq key`); for operators only."
    )
    operators: dict[str, str] = Field(
        default_factory=dict, description="Name to public key of those whose replays stages believe."
    )
