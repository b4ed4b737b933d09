"""``forebay schemas``: register and check the Avro schemas."""

from typing import Annotated

import typer

from forebay.cli.terminal.saying import say

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Register and check the Avro schemas.")


@app.command(help="Register every schema: with the schema registry that is configured, or in schemas/registry.json.")
def register(
    local: Annotated[bool, typer.Option("--local", help="Write schemas/registry.json in any case.")] = False,
) -> None:
    """A new version is refused unless it is BACKWARD_TRANSITIVE; exit status 1 then."""
    from forebay.avro.compatibility import incompatibilities
    from forebay.avro.registry import ConfluentRegistry, LocalRegistry, open_registry
    from forebay.avro.schemas import schema_of
    from forebay.contract.names import topic_on_broker
    from forebay.contract.topics import TOPICS
    from forebay.settings import KafkaSettings, load

    settings = load()
    registry = LocalRegistry() if local else open_registry(settings)
    assert isinstance(registry, LocalRegistry | ConfluentRegistry)
    for topic in TOPICS.values():
        if topic.record is None:
            continue
        schema = schema_of(topic.record.__name__)
        problems = incompatibilities(schema, LocalRegistry().versions(topic.subject))
        if problems:
            say(f"{topic.subject}: refused\n  " + "\n  ".join(problems), err=True, lines=True)
            raise typer.Exit(1)
        subject = topic.subject if local else topic_on_broker(topic.subject, settings[KafkaSettings])
        say(f"{subject}: id {registry.register(subject, schema)}")


@app.command(help="Check that every schema is registered and compatible with all its earlier versions.")
def check() -> None:
    """Exit status 1 with a line for each problem."""
    from forebay.avro.compatibility import check_all

    problems = check_all()
    for problem in problems:
        say(problem, err=True)
    if problems:
        raise typer.Exit(1)
    say("every schema is registered and BACKWARD_TRANSITIVE")
