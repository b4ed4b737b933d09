"""``forebay worker STAGE…``, ``forebay worker edge``, ``forebay worker recorder``: what production runs."""

import gc
import os
import sys
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command(
    help="Run stages in one process, or `all`; or `edge`, the HTTP door; or `recorder`. SIGTERM ends it after draining."
)
def worker(stages: Annotated[list[str], typer.Argument(help="Stage names, or `all`.", metavar="STAGE…")]) -> None:
    """Run stages until told to stop; exit status 1 when one cannot go on."""
    # What is imported stays: looking through it for garbage costs an eighth of the imports' CPU (litellm 4.3 s, 3.8 s
    # without). forebay.runtime.worker switches the collector on again.
    gc.disable()
    from forebay.embedded.discovery import apply_to_environment
    from forebay.observability import logging
    from forebay.settings import WorkerSettings, load

    # A further worker beside an embedded stack joins it; one that is told its brokers is told everything.
    if not os.environ.get("FOREBAY_KAFKA_BOOTSTRAP"):
        apply_to_environment()
    settings = load()
    if stages == ["edge"]:  # no stage: it needs no Faust, and no group
        from forebay.edge.run import main as serve

        logging.configure(settings[WorkerSettings].log_level, worker="edge")
        sys.exit(serve(settings))
    if stages == ["recorder"]:  # neither
        from forebay.recorder.run import main as record

        logging.configure(settings[WorkerSettings].log_level, worker="recorder")
        sys.exit(record(settings))
    from forebay.runtime.worker import main, stage_names

    names = stage_names() if stages == ["all"] else stages
    logging.configure(settings[WorkerSettings].log_level, worker=",".join(names))
    sys.exit(main(names, settings))
