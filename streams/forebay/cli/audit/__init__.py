"""``forebay audit``: what people did, and whether the trail is whole."""

from forebay.cli.audit.commands import app

__all__ = ["app"]
