"""The section ``edge`` of the configuration."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import KafkaSettings, Section
from forebay.settings.section import Others


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches ``host``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class EdgeSettings(Section):
    """The HTTP door."""

    section: ClassVar[str] = "edge"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_EDGE_")

    host: str = Field("127.0.0.1", description="Where the door listens. Another host than loopback needs TLS.")
    port: int = Field(8600, ge=0, le=65_535, description="Its port; 0: any that is free.")
    hosts: tuple[str, ...] = Field(
        (), description="On loopback: further names that a request may have in `host`, such as a proxy's."
    )
    timeout_s: float = Field(120.0, gt=0, description="How long a request is waited for; it goes on after that.")
    open_after_s: float = Field(
        2.0, ge=0, description="A stream begins with its first piece or after so long; before, errors have a status."
    )
    flush_ms: int = Field(
        40, ge=0, description="So long completion gathers a piece of a streamed answer; a piece has a price of its own."
    )
    head_s: float = Field(
        10.0,
        gt=0,
        description="So long a client may take for the head of a request, else 408; and for the handshake of TLS.",
    )
    body_s: float = Field(30.0, gt=0, description="So long for its body.")
    idle_s: float = Field(
        75.0, gt=0, description="So long a connection may rest between two requests; more than a balancer's own time."
    )
    reader_s: float = Field(30.0, gt=0, description="Who takes nothing of an answer for so long is dropped.")
    early_accept: float = Field(
        0.9,
        ge=0,
        le=1,
        description="`x-forebay-stream: early`: the cheapest tier whose answer suffices so probably, by the router's "
        "guess before it writes, is heard while it does, and is not escalated; if there is none, the dearest.",
    )
    max_in_flight: int = Field(2_000, ge=1, description="Requests at once; further ones are refused with 503.")
    max_lag: int = Field(10_000, ge=1, description="Unfinished records of `requests` beyond which all are refused.")
    max_body_bytes: int | None = Field(
        None, ge=1_024, description="Largest body; by default as large as a record may be (`kafka.max_record_bytes`)."
    )
    recent_s: int = Field(600, ge=1, description="So long answers are kept in memory, for whoever asks again.")
    recent_bytes: int = Field(64 << 20, ge=0, description="So much of them.")
    lame_duck_s: float = Field(2.0, ge=0, description="After SIGTERM it listens on so long, not ready.")
    drain_s: float = Field(30.0, ge=0, description="After that open requests have so long.")
    models: Mapping[str, str] = Field(
        default_factory=dict, description="Other names of `auto` and of tiers: `{gpt-4o-mini: small}`."
    )
    strict: bool = Field(False, description="Refuse fields that are unknown, instead of ignoring and counting them.")
    accept_metadata: bool = Field(False, description="Put `metadata` into the record; otherwise it is ignored.")
    cors_origins: tuple[str, ...] = Field((), description="Origins whose pages may ask; empty: none.")
    tls_cert: str = Field("", description="File with the certificate and its chain.")
    tls_key: str = Field("", description="File with its key.")
    plain_text: bool = Field(False, description="Listen without TLS elsewhere than on loopback, behind a proxy.")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Networks (CIDR) whose `x-forwarded-for` says where a request comes from."
    )

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Keys that would be read on their way, files that are not there, and networks that are none."""
        if not is_loopback(self.host) and not self.tls_cert and not self.plain_text:
            yield ("host",), "others could read keys and texts on their way: set tls_cert, or plain_text: true"
        if bool(self.tls_cert) != bool(self.tls_key):
            yield ("tls_cert" if self.tls_key else "tls_key",), "a certificate and its key belong together"
        for key in ("tls_cert", "tls_key"):
            if (path := getattr(self, key)) and not Path(path).is_file():
                yield (key,), f"there is no file {path}"
        for number, network in enumerate(self.trusted_proxies):
            try:
                ip_network(network)
            except ValueError:
                yield ("trusted_proxies", number), "is no network, such as 10.0.0.0/8"
        kafka = settings.peek(KafkaSettings)
        if kafka is not None and (self.max_body_bytes or 0) > 2 * kafka.max_record_bytes:
            yield ("max_body_bytes",), "no record is as large (kafka.max_record_bytes)"

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """Texts and keys that others on the way can read."""
        if not is_loopback(self.host) and not self.tls_cert:
            yield "plain_text", "whoever is on the way reads what is asked over HTTP, and the keys"
