"""``forebay config``: check a configuration, and show what counts and where it comes from."""

from forebay.cli.configuration.commands import app

__all__ = ["app"]
