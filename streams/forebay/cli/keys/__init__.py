"""`forebay keys`: keys of the HTTP door."""

from forebay.cli.keys.commands import app

__all__ = ["app"]
