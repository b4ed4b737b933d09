"""``forebay topics create|describe``: the catalogue on the broker."""

from dataclasses import asdict
from typing import Annotated

import typer

from forebay.cli.explaining import explained

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create the topics, or see how they are.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(help="Create the topics that are missing; those that exist are left as they are.")
def create(*, json_output: Json = False) -> None:
    """Idempotent; exit status 1 when a topic cannot be created."""
    import orjson

    from forebay.embedded.installation import installation
    from forebay.kafka.topic_admin import TopicsError
    from forebay.operations import topics

    with explained(TopicsError):
        created = topics.create(topics.open_admin(installation()))
    if json_output:
        typer.echo(orjson.dumps({"created": created}))
    else:
        typer.echo("\n".join(created) or "all topics exist")


@app.command(help="How the topics are, and where they differ from the catalogue and the settings.")
def describe(*, json_output: Json = False) -> None:
    """Exit status 1 when something differs."""
    import orjson

    from forebay.embedded.installation import installation
    from forebay.kafka.topic_admin import TopicsError
    from forebay.operations import topics

    settings = installation()
    with explained(TopicsError):
        report = topics.describe(topics.open_admin(settings), settings)
    if json_output:
        typer.echo(orjson.dumps(asdict(report)))
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table("topic", "partitions", "replication", "cleanup", "retention", "max bytes", box=None)
        for name, topic in report.topics.items():
            shown = (topic.config.get(key, "") for key in ("cleanup.policy", "retention.ms", "max.message.bytes"))
            table.add_row(name, str(topic.partitions), str(topic.replication), *shown)
        Console().print(table)
        for row in report.differences:
            typer.echo(f"{row.topic}: {row.key} is {row.found}, not {row.wanted}")
    if report.differences:
        raise typer.Exit(1)
