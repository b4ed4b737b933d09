"""``forebay topics create|describe``: the catalogue on the broker."""

from dataclasses import asdict
from typing import Annotated

import typer

from forebay.kafka.topic_admin import TopicAdmin, TopicsError

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create the topics, or see how they are.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _admin() -> TopicAdmin:
    from forebay.embedded.installation import installation
    from forebay.settings import KafkaSettings

    return TopicAdmin(installation()[KafkaSettings])


@app.command(help="Create the topics that are missing; those that exist are left as they are.")
def create(*, json_output: Json = False) -> None:
    """Idempotent; exit status 1 when a topic cannot be created."""
    import orjson

    try:
        created = _admin().create()
    except TopicsError as error:
        typer.echo(f"forebay: {error}", err=True)
        raise typer.Exit(1) from None
    if json_output:
        typer.echo(orjson.dumps({"created": created}))
    else:
        typer.echo("\n".join(created) or "all topics exist")


@app.command(help="How the topics are, and where they differ from the catalogue and the settings.")
def describe(*, json_output: Json = False) -> None:
    """Exit status 1 when something differs."""
    import orjson

    try:
        admin = _admin()
        found, rows = admin.describe(), admin.differences()
    except TopicsError as error:
        typer.echo(f"forebay: {error}", err=True)
        raise typer.Exit(1) from None
    if json_output:
        shown = {
            name: {"partitions": topic.partitions, "replication": topic.replication, "config": topic.config}
            for name, topic in found.items()
        }
        typer.echo(orjson.dumps({"topics": shown, "differences": [asdict(row) for row in rows]}))
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table("topic", "partitions", "replication", "cleanup", "retention", "max bytes", box=None)
        for name, topic in found.items():
            settings = (topic.config.get(key, "") for key in ("cleanup.policy", "retention.ms", "max.message.bytes"))
            table.add_row(name, str(topic.partitions), str(topic.replication), *settings)
        Console().print(table)
        for row in rows:
            typer.echo(f"{row.topic}: {row.key} is {row.found}, not {row.wanted}")
    if rows:
        raise typer.Exit(1)
