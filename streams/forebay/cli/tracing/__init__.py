"""``forebay trace``: where is a request, what became of it, and where did its time go?"""

from forebay.cli.tracing.command import app

__all__ = ["app"]
