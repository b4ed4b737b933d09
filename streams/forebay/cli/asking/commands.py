"""``forebay ask``: one question by HTTP, the answer on the terminal."""

from pathlib import Path
from typing import Annotated

import typer

from forebay.cli.terminal.saying import complain, say, say_part

app = typer.Typer(add_completion=False)

_DATA_DIR = ".forebay"
_TIMEOUT_S = 180.0


@app.command(help="Ask the HTTP door a question; with --stream the answer is shown while the model writes it.")
def ask(
    question: Annotated[str, typer.Argument(help="What is asked.")],
    stream: Annotated[bool, typer.Option("--stream", help="Show the answer while it is written.")] = False,
    model: Annotated[str, typer.Option(help="A tier; `auto` chooses one, and is shown when it is whole.")] = "auto",
    base_url: Annotated[
        str, typer.Option(envvar="OPENAI_BASE_URL", help="Of the API; by default the running stack's.")
    ] = "",
    key_file: Annotated[
        Path | None, typer.Option(help="File with the API key; by default OPENAI_API_KEY, or the running stack's.")
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Of the running stack.")] = Path(_DATA_DIR),
) -> None:
    """Exit status 1 if there is no answer, or no end of it."""
    import os

    from forebay.cli.asking.by_http import AnswerError, asked

    key = "" if key_file is not None else os.environ.get("OPENAI_API_KEY", "")
    try:
        key = key or (key_file or data_dir / "edge.key").read_text("utf-8").strip()
        for part in asked(base_url or _of_stack(data_dir), key, model, question, stream=stream, timeout_s=_TIMEOUT_S):
            say_part(part)
    except (AnswerError, OSError) as error:
        complain(error)
        raise typer.Exit(1) from None
    say("")


def _of_stack(data_dir: Path) -> str:
    from forebay.cli.asking.by_http import AnswerError
    from forebay.embedded.supervision.state import live

    state = live(data_dir)
    ports = [row.port for row in state.processes if row.name == "edge" and row.port] if state else []
    if not ports:
        raise AnswerError("no stack with an HTTP door runs here; `forebay up` starts one, or name yours: --base-url")
    return f"http://127.0.0.1:{ports[0]}/v1"
