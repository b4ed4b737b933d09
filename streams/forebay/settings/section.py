"""What is a section of the configuration? A class: its keys, their bounds, and what it has to say about itself."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Protocol, TypeVar

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

S = TypeVar("S", bound="Section")


class Others(Protocol):
    """What a section may ask of the others: of :class:`forebay.settings.values.Settings`."""

    def peek(self, kind: type[S]) -> S | None:
        """The section ``kind``, or ``None`` while something is wrong with it: that is said elsewhere."""
        ...


class Section(BaseSettings):
    """Base of all sections; subclasses set ``section`` and an ``env_prefix`` that goes with it.

    Attributes:
        section: its name in the file.
        renamed: keys that it had, each with where that is set now, as ``section.key``.
    """

    section: ClassVar[str] = ""
    renamed: ClassVar[Mapping[str, str]] = {}
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

    @classmethod
    def variable(cls, key: str) -> str:
        """The environment variable of ``key``."""
        return f"{cls.model_config.get('env_prefix', '')}{key}".upper()

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What no bound of a single key can say, as path and words; asked whenever a configuration is loaded.

        Args:
            settings: for keys that refer to another section; see :class:`Others`.
        """
        yield from ()

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """Protection that this section takes away, as key and words; each start of a worker logs it."""
        yield from ()
