"""``forebay topics create|describe|unanswered``: the catalogue on the broker, and what was lost from it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import print_json, say
from forebay.cli.terminal.tables import Frame, print_table

if TYPE_CHECKING:
    from forebay.operations.topics import TopicsReport

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Create the topics, see how they are, or whose requests were lost."
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(help="Create the topics that are missing; those that exist are left as they are.")
def create(*, json_output: Json = False) -> None:
    """Idempotent; exit status 1 when a topic cannot be created."""
    from forebay.embedded.installation import installation
    from forebay.kafka.topic_admin import TopicsError
    from forebay.operations import topics

    with explained(TopicsError):
        created = topics.create(topics.open_admin(installation()))
    if json_output:
        print_json({"created": created})
    else:
        say("\n".join(created) or "all topics exist", lines=True)


@app.command(help="How the topics are, and where they differ from the catalogue and the settings.")
def describe(*, json_output: Json = False) -> None:
    """Exit status 1 when something differs."""
    from forebay.embedded.installation import installation
    from forebay.kafka.topic_admin import TopicsError
    from forebay.operations import topics

    settings = installation()
    with explained(TopicsError):
        report = topics.describe(topics.open_admin(settings), settings)
    if json_output:
        print_json(asdict(report))
    else:
        print_report(report)
    if report.differences:
        raise typer.Exit(1)


@app.command(help="Requests whose record was lost behind redaction before it was read: they have no answer.")
def unanswered(
    *,
    expire: Annotated[bool, typer.Option("--expire", help="Answer each: failed, with the code `expired`.")] = False,
    patience: Annotated[
        float, typer.Option(help="Seconds to wait until nothing is on its way behind redaction.")
    ] = 30.0,
    json_output: Json = False,
) -> None:
    """Exit status 1 when that is not so in time, or brokers do not take an answer."""
    from functools import partial

    from forebay.embedded.installation import installation
    from forebay.kafka.lag import consumer_lag
    from forebay.kafka.reader import TopicReader
    from forebay.operations import unanswered as operation
    from forebay.operations.audit.opening import recorder
    from forebay.operations.publishing import publish

    settings = installation()
    with (
        explained(operation.NotAtRestError),
        TopicReader(settings, [operation.ASKED]) as asked,
        TopicReader(settings, [operation.ENDED]) as ended,
    ):
        lost = operation.unanswered(asked, ended, lambda: consumer_lag(settings), patience_s=patience)
        if expire:
            operation.expire(lost, partial(publish, settings), recorder(settings))
    if json_output:
        print_json({"unanswered": [one.request_id for one in lost], "expired": expire})
        return
    for one in lost:
        say(one.request_id)
    told = "answered with `expired`" if expire else "without an answer; --expire gives them one"
    say(f"{len(lost)} requests {told}", err=True)


def print_report(report: "TopicsReport") -> None:
    """Topics as they are, and what differs."""
    keys = ("cleanup.policy", "retention.ms", "max.message.bytes")
    print_table(
        ("topic", "partitions", "replication", "cleanup", "retention", "max bytes"),
        [
            (name, str(topic.partitions), str(topic.replication), *(topic.config.get(key, "") for key in keys))
            for name, topic in report.topics.items()
        ],
        frame=Frame.NONE,
    )
    for row in report.differences:
        say(f"{row.topic}: {row.key} is {row.found}, not {row.wanted}")
