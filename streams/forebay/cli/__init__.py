"""The ``forebay`` command line: each command is an entry point and is imported only when it is called."""

from forebay.cli.main import main

__all__ = ["main"]
