"""``forebay tail TOPIC``: decoded records as JSON lines."""

import base64
from typing import Annotated, Any

import typer

from forebay.cli.terminal.saying import print_json

app = typer.Typer(add_completion=False)


@app.command(help="Print the records of a topic as JSON lines; of a restricted topic only with --restricted.")
def tail(
    topic: Annotated[str, typer.Argument(help="Logical name, for example completions.")],
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="All that is kept, then new ones.")] = False,
    limit: Annotated[int, typer.Option(help="Stop after so many records; 0: never.")] = 0,
    end: Annotated[bool, typer.Option("--end", help="Stop at the present end of the topic.")] = False,
    _as_json: Annotated[bool, typer.Option("--json", help="One JSON line a record, as without it.")] = True,
    restricted: Annotated[bool, typer.Option("--restricted", help="Yes, show a topic with personal data.")] = False,
) -> None:
    """One JSON object a record: topic, partition, offset, key, timestamp, headers, and value or error.

    A look at a restricted topic is in the audit trail before anything is shown.
    """
    from forebay.cli.explaining import explained
    from forebay.embedded.installation import installation
    from forebay.kafka.reader import read_topic
    from forebay.operations.audit.opening import recorder
    from forebay.operations.watching import watched

    settings = installation()
    found = read_topic(settings, topic, from_beginning=from_beginning, until_end=end)
    with explained(), watched(topic, found, recorder(settings), limit=limit, restricted=restricted) as records:
        for record in records:
            print_json(_line(record))


def _line(record: Any) -> dict[str, Any]:
    from forebay.contract.json_lines import to_json

    line: dict[str, Any] = {
        "topic": record.source.topic,
        "partition": record.source.partition,
        "offset": record.source.offset,
        "key": (record.source.key or b"").decode("utf-8", "replace"),
        "timestamp": record.source.timestamp_ms,
        "headers": {name: value.decode("utf-8", "replace") for name, value in record.source.headers.items()},
    }
    if record.error is not None:
        line["error"] = {"code": record.error.code, "message": str(record.error)}
    elif isinstance(record.value, bytes):
        line["value_base64"] = base64.b64encode(record.value).decode()
    else:
        line["value"] = to_json(record.value)
    return line
