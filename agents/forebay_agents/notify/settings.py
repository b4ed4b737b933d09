"""The section ``notify``: where are people told of alerts, and which of them?"""

from collections.abc import Iterator
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from forebay.contract.records import Severity
from forebay.settings import Section
from forebay.settings.section import Others

SHORTEST_KEY = 16
"""Characters of a webhook's key: fewer can be tried out."""


class Channel(BaseModel):
    """A way to reach people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["webhook", "slack", "smtp"] = Field(description="`webhook`, `slack` or `smtp`.")
    url: SecretStr = Field(
        SecretStr(""),
        description="Of a webhook, or Slack's; whoever has it can write there, so give it as `${NAME}`.",
    )
    key: SecretStr = Field(
        SecretStr(""),
        description="Signs what a webhook gets (`forebay-signature`), 16 characters or more; give it as `${NAME}`.",
    )
    host: str = Field("", description="Mail server.")
    port: int = Field(587, ge=1, le=65_535, description="Its port.")
    starttls: bool = Field(True, description="Encrypt the connection to it; without it no password is sent.")
    user: str = Field("", description="User there, if it asks for one.")
    password: SecretStr = Field(SecretStr(""), description="The user's password; give it as `${NAME}`.")
    sender: str = Field("", description="From whom mails are.")
    to: list[str] = Field(default_factory=list, description="To whom they go.")
    timeout_s: float = Field(10.0, gt=0, le=60, description="Seconds until it is tried again later.")

    def problems(self, *, whole: bool = False) -> Iterator[tuple[str, str]]:
        """Keys that do not go with the type, and what is wrong with them.

        Args:
            whole: also secrets that are missing: they are in the environment of the workers of this stage alone.
        """
        if self.type == "smtp":
            for name in ("host", "sender", "to"):
                if not getattr(self, name):
                    yield name, "is needed for mails"
            if self.password.get_secret_value() and not self.starttls:
                yield "starttls", "has to be true where there is a password"
            return
        if whole or self.url.get_secret_value():
            yield from self._about_url()
        key = self.key.get_secret_value()
        if self.type == "webhook" and (whole or key) and len(key) < SHORTEST_KEY:
            yield "key", f"needs {SHORTEST_KEY} characters or more: by it whoever is told knows that we said it"

    def _about_url(self) -> Iterator[tuple[str, str]]:
        try:
            parts = urlsplit(self.url.get_secret_value())
            right = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            right = False
        if not right:
            yield "url", "needs an address that begins with http:// or https://"


class Route(BaseModel):
    """Which alerts go where; what is left out is any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: list[str] = Field(default_factory=list, description="Kinds of alerts: docs/reference/alerts.md.")
    severities: list[Severity] = Field(default_factory=list, description="`info`, `warning`, `critical`.")
    tenants: list[str] = Field(default_factory=list, description="Alerts about these tenants only.")
    channels: list[str] = Field(min_length=1, description="Names of channels.")


class NotifySettings(Section):
    """Messages to people about alerts."""

    section: ClassVar[str] = "notify"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_NOTIFY_")

    channels: dict[str, Channel] = Field(
        default_factory=dict, description="Name to a way to reach people; without any, nobody is told."
    )
    routes: list[Route] = Field(
        default_factory=list,
        description="Which alerts go where; one that fits several goes to the channels of all. Without any, all alerts "
        "go to all channels.",
    )
    group_s: float = Field(
        30.0, ge=0, description="Seconds after a message in which more of the same kind and tenant are collected."
    )
    repeat_s: float = Field(14_400.0, ge=60, description="Seconds after which an alert that fires still is repeated.")
    forget_s: float = Field(
        604_800.0, ge=60, description="Seconds after which an alert of which no end was heard is repeated no more."
    )
    max_attempts: int = Field(
        8, ge=1, description="Tries of a message, with the delays of `retry`; then it is a dead letter."
    )

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What does not go with a channel's type, and routes to channels that there are not."""
        for name, channel in self.channels.items():
            for key, words in channel.problems():
                yield ("channels", name, key), words
        for number, route in enumerate(self.routes):
            for place, name in enumerate(route.channels):
                if name not in self.channels:
                    yield ("routes", number, "channels", place), "there is no channel of this name"
