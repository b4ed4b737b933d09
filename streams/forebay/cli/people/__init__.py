"""``forebay erase`` and ``forebay subject``: what people may ask of an installation about themselves."""

from forebay.cli.people.commands import erase, subject

__all__ = ["erase", "subject"]
