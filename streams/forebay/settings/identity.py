"""The section ``identity``: what people are called in records."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from forebay.settings.section import Others, Section


class IdentitySettings(Section):
    """Pseudonyms of users and conversations."""

    section: ClassVar[str] = "identity"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_IDENTITY_")

    pseudonymise_ids: bool = Field(
        True,
        description="Whether ids of users and conversations become keyed pseudonyms at ingress. They come back in the "
        "response; ledger, budgets and everything else know the pseudonym.",
    )
    key: SecretStr = Field(
        SecretStr(""),
        description="Key of the pseudonyms: 256 bits in base64, the same for all stages and operators, for ever. "
        "Empty, and without a file: derived from the vault's only key (`forebay vault identity` prints it).",
    )
    key_file: str = Field("", description="File with the same, which its owner alone can read.")

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """A file that is not there, a key that is none."""
        if self.key_file and not Path(self.key_file).is_file():
            yield ("key_file",), f"there is no file {self.key_file}"
        given = self.key.get_secret_value().strip()
        if given and not is_key(given):
            yield ("key",), "is not 256 bits in base64"

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """Ids that may name people, in every record."""
        if not self.pseudonymise_ids:
            yield "pseudonymise_ids", "records hold the ids of users and conversations as applications gave them"


def is_key(text: str) -> bool:
    """Whether ``text`` is a key of 256 bits in base64."""
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        return False
