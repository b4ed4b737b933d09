"""Which installation is at hand? What the environment names, else the embedded stack that runs in this directory."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forebay.settings import Settings


def installation() -> "Settings":
    """Settings of the installation at hand; an embedded stack that runs in this directory is found by itself.

    The environment of the process stays as it is: it may be an application's, which may go on to another directory.
    Raises :class:`forebay.settings.ConfigurationError`.
    """
    # Imported here: pydantic-settings costs 0.2 s, and the name is one of those that `from forebay import …` gives.
    from forebay.embedded.discovery import reached
    from forebay.settings import load

    return load(reached=reached())
