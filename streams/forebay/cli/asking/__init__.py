"""`forebay ask`: a question to the HTTP door, as any client asks it, and the answer while it is written."""

from forebay.cli.asking.commands import app

__all__ = ["app"]
