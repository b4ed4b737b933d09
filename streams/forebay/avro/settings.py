"""Where schema ids come from: the section ``registry`` of the configuration."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from forebay.settings import Others, Section


class RegistrySettings(Section):
    """Where schema ids come from."""

    section: ClassVar[str] = "registry"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_REGISTRY_")

    kind: Literal["local", "confluent"] = Field(
        "local", description="local: schemas/registry.json; confluent: a Confluent-compatible schema registry."
    )
    url: str = Field("", description="Base URL of the schema registry.")
    user_info: SecretStr = Field(SecretStr(""), description="user:password for the schema registry.")

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """A registry without an address."""
        if self.kind == "confluent" and not self.url:
            yield ("url",), "is needed with kind confluent"
