"""What is the contract with other programs? Error codes, topics and records, from their catalogues and schema files."""

import json
from collections.abc import Iterable
from typing import Any

from forebay.contract.error_codes import CODES, FailureClass
from forebay.contract.topics import DAY_MS, HOUR_MS, RETRY_LEVELS, TOPICS, Access, Topic
from forebay.reference.markdown import code, page, prose, table, wrapped
from forebay.resources import data_path

_CLASSES = {
    FailureClass.TRANSIENT: "passes by itself; the record is tried again later, through the retry topics",
    FailureClass.CONTRACT: "the bytes or fields are not what was agreed; the producer has to act",
    FailureClass.BUSINESS: "a rule or a limit said no; the requester or the operator decides",
    FailureClass.BUG: "Forebay itself is wrong; a developer has to act",
}

_ERRORS = """\
A code is stable: it stands in `error.code` of a response, in `forebay-dlq-code` of a dead letter, in the log event
`record_failed` and in the label `code` of metrics. The class says who acts:"""

_TOPICS = """\
Names are logical; on the broker `kafka.topic_prefix` (`forebay.` by default) stands in front of them. Keys are UTF-8
text. `restricted` topics hold personal data and need ACLs that keep everybody out but producers, consumers and the
stages that read or write them; `identifying` ones hold no text, but users by their ids; `internal` ones hold
pseudonymous text. Registry subjects are the name on the broker
with `-value`."""

_RECORDS = """\
Values are Avro in the [Confluent wire format](../how-to/other-languages.md), made from these files in
`schemas/`. Times are milliseconds since the epoch in UTC, money is whole nano-dollars (10⁻⁹ US dollars), ids are UUIDv7
in text. Every field has a default, so a producer sends what it has."""


def errors_page() -> str:
    """``docs/reference/errors.md``."""
    classes = [[code(kind.value), words] for kind, words in _CLASSES.items()]
    rows = [
        [f'<a id="{e.code}"></a>{code(e.code)}', e.failure_class.value, prose(e.meaning), prose(e.action)]
        for e in CODES.values()
    ]
    return page(
        "Error codes",
        "streams/forebay/contract/error_codes.py",
        _ERRORS,
        table(["class", "meaning"], classes),
        table(["code", "class", "meaning", "what the operator does"], rows),
    )


def topics_page() -> str:
    """``docs/reference/topics.md``."""
    rows = [
        [
            code(topic.name),
            topic.key,
            f"[{topic.record.__name__}](records.md#{topic.record.__name__.lower()})" if topic.record else "bytes",
            _retention(topic),
            topic.access.value,
            prose(topic.doc) + (" Timestamps are the broker's." if topic.broker_time else ""),
        ]
        for topic in TOPICS.values()
    ]
    return page(
        "Topics",
        "streams/forebay/contract/topics.py",
        _TOPICS,
        table(["topic", "key", "value", "kept for", "access", ""], rows),
    )


def retention_section() -> str:
    """The table of ``docs/explanation/security.md``."""
    rows = [[code(topic.name), _personal(topic), _retention(topic)] for topic in TOPICS.values()]
    return table(["topic", "personal data", "kept for"], rows)


def _personal(topic: Topic) -> str:
    if topic.access is Access.RESTRICTED:
        return "in the clear"
    if topic.access is Access.IDENTIFYING:
        return "ids of users, as applications give them"
    if topic.record is not None:
        return "pseudonymous"
    return "sealed, of records from topics that hold any" if topic.name in (*RETRY_LEVELS, "dlq") else "none"


def records_page() -> str:
    """``docs/reference/records.md``."""
    schemas = {schema["name"]: schema for schema in _schema_files()}
    of_topics: dict[str, list[str]] = {}
    for topic in TOPICS.values():
        if topic.record is not None:
            of_topics.setdefault(topic.record.__name__, []).append(topic.name)
    parts = [_RECORDS, "## Values of topics"]
    for name in of_topics:
        parts += _record(schemas[name], f"Value of {' and '.join(map(code, of_topics[name]))}.")
    parts.append("## Records inside others")
    for name, schema in schemas.items():
        if schema["type"] == "record" and name not in of_topics:
            parts += _record(schema)
    parts.append("## Closed sets")
    enums = [
        [f'<a id="{s["name"].lower()}"></a>{s["name"]}', ", ".join(map(code, s["symbols"])), prose(s.get("doc", ""))]
        for s in schemas.values()
        if s["type"] == "enum"
    ]
    parts.append(table(["name", "values", ""], enums))
    return page("Records", "schemas/*.avsc", *parts)


def _schema_files() -> list[dict[str, Any]]:
    paths = sorted(data_path("schemas").glob("forebay.*.avsc"))
    return [json.loads(path.read_text("utf-8")) for path in paths]


def _record(schema: dict[str, Any], *sentences: str) -> Iterable[str]:
    rows = [
        [code(f["name"]), _type(f["type"]), code(json.dumps(f["default"])), prose(f.get("doc", ""))]
        for f in schema["fields"]
    ]
    text = " ".join([prose(schema.get("doc", "")), *sentences]).strip()
    return f"### {schema['name']}", wrapped(text), table(["field", "type", "default", "meaning"], rows)


def _type(kind: Any) -> str:
    """An Avro type in words."""
    match kind:
        case ["null", other]:
            return f"{_type(other)} or null"
        case {"type": "array", "items": items}:
            return f"array of {_type(items)}"
        case {"type": "map", "values": values}:
            return f"map of {_type(values)}"
        case {"logicalType": logical, "type": base}:
            return f"{base} ({logical})"
        case str() if kind.startswith("forebay."):
            name = kind.removeprefix("forebay.")
            return f"[{name}](#{name.lower()})"
        case str():
            return kind
    raise ValueError(f"no words for the Avro type {kind!r}")


def _retention(topic: Topic) -> str:
    if topic.retention_ms is None:
        return "newest of each key, for ever" if topic.compacted else "ever"
    if topic.retention_ms >= 2 * DAY_MS:
        return f"{topic.retention_ms // DAY_MS} days"
    return f"{topic.retention_ms // HOUR_MS} hours"
