"""``forebay worker STAGE…``: what production runs."""

import sys
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command(help="Run one stage, several in one process, or `all`; stops on SIGTERM after draining.")
def worker(stages: Annotated[list[str], typer.Argument(help="Stage names, or `all`.", metavar="STAGE…")]) -> None:
    """Run stages until told to stop; exit status 1 when one cannot go on."""
    from streams import logging
    from streams.settings import WorkerSettings, load
    from streams.worker import main, stage_names

    settings = load()
    names = stage_names() if stages == ["all"] else stages
    logging.configure(settings[WorkerSettings].log_level, worker=",".join(names))
    sys.exit(main(names, settings))
