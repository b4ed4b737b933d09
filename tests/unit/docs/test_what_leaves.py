"""A field that leaves from tomorrow on is on the page, and what nobody could say of the source is refused."""

import ast
from dataclasses import fields

import pytest

from forebay.contract.records import Alert, Response
from forebay.reference.counters import collectors, labels
from forebay.reference.leaving import alert_kinds, leaving_page, rule_labels
from forebay.reference.log_lines import bound_fields, log_lines
from forebay.reference.sources import Source, sources
from forebay.reference.ways_out import CONNECTS, CONNECTS_NOT, ways_out

LOGGER = "log = structlog.get_logger(__name__)\n"
PAGE = leaving_page()


def source(text: str) -> Source:
    return Source(name="forebay.some.module", tree=ast.parse(text))


def lines(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(line.event, line.level, line.fields) for line in log_lines([source(LOGGER + text)])]


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_a_new_line_of_the_log_is_said_with_its_fields() -> None:
    assert lines("log.info('greeted', name=name, times=2)") == [("greeted", "info", ("name", "times"))]
    assert lines("def f():\n    log.error('gone')") == [("gone", "error", ())]


def test_fields_out_of_a_function_and_events_of_callers_are_followed() -> None:
    place = "def place(of):\n    return {'topic': of.topic, 'offset': 1}\n"
    assert lines(place + "log.warning('lost', **place(x), why=1)") == [("lost", "warning", ("topic", "offset", "why"))]
    told = "def told(event, x):\n    log.info(event, x=x)\ntold('a', 1)\nself.told('b', 2)\n"
    assert lines(told) == [("a", "info", ("x",)), ("b", "info", ("x",))]


@pytest.mark.parametrize(
    "text",
    [
        LOGGER + "log.info(f'{user} came')",
        LOGGER + "log.info('came', **everything)",
        LOGGER + "log.info('came %s', user)",
        LOGGER + "def told(event):\n    log.info(event)\ntold(text)",
        "logger = structlog.get_logger(__name__)\nlogger.info('came', user=user)",
        "def f():\n    structlog.get_logger().info('came', user=user)",
        "logging.warning(text)",
        "logging.getLogger(__name__).info(text)",
    ],
)
def test_a_line_of_which_nobody_could_say_what_it_holds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"forebay\.some\.module"):
        log_lines([source(text)])


def test_every_line_of_the_source_is_on_the_page() -> None:
    found = log_lines(sources())
    assert {"record_failed", "worker_starting", "headers_dropped"} <= {line.event for line in found}
    for line in found:
        assert f"| `{line.event}` | {line.level} |" in section("A log")
    assert bound_fields(sources()) == ["worker"]


def test_a_kind_of_alert_is_said_and_one_that_is_put_together_is_refused() -> None:
    assert alert_kinds([source("Alert(kind='flood', subject=x)")]) == [("flood", "forebay.some.module")]
    with pytest.raises(ValueError, match="not plain to see"):
        alert_kinds([source("Alert(kind=kind, subject=x)")])


def test_labels_of_a_rule_are_those_it_has_quotes_and_is_grouped_by() -> None:
    rule = {"alert": "A", "expr": "sum by (topic, user) (rate(x[5m]))", "labels": {"severity": "page"}}
    rule["annotations"] = {"summary": "{{ $labels.tenant }} of {{ $value }}"}
    assert rule_labels({"groups": [{"rules": [rule]}]}) == {"A": {"topic", "user", "severity", "tenant"}}
    whole = {"alert": "B", "expr": "forebay_consumer_lag > 1"}
    assert rule_labels({"groups": [{"rules": [whole]}]}) == {"B": {"stage", "topic", "partition", "instance", "job"}}


def test_every_label_and_field_is_on_the_page() -> None:
    assert len(labels()) > 50
    assert all(f"| `{label}` |" in section("A metric") for found in labels().values() for label in found - {"le"})
    assert all(f"`{name}" in section("A metric") for name, (metric, _) in collectors().items() if metric._labelnames)
    for kind, heading in ((Alert, "An alert of a stage"), (Response, "An application")):
        assert all(f"| `{field.name}` |" in section(heading) for field in fields(kind))


def test_no_label_names_somebody() -> None:
    """The closed sets of docs/reference/metrics.md: what a label would be called if it were about a person."""
    named = {label for found in labels().values() for label in found}
    assert not named & {"tenant", "tenant_id", "user", "user_id", "request_id", "conversation_id", "key", "subject"}


@pytest.mark.parametrize(
    "text",
    [
        "import sentry_sdk",
        "from pyroscope.exporter import push",
        "def f():\n    import requests",
        "import ftplib",
        "from http import client",
        "from urllib import request as r\nimport ftplib",
        "async def f():\n    await asyncio.open_connection('host', 1)",
        "async def f():\n    await loop.create_connection(P, 'host', 1)",
    ],
)
def test_a_new_way_out_is_refused_until_somebody_says_where_it_goes(text: str) -> None:
    with pytest.raises(ValueError, match=r"say in .* what it connects to"):
        ways_out([source(text)])


def test_what_goes_nowhere_needs_no_word() -> None:
    assert ways_out([source("import json, ssl\nfrom urllib.parse import quote\nimport numpy\nfrom . import x")]) == {}
    assert ways_out([source("from urllib.request import urlopen")]) == {"urllib.request": ["forebay.some.module"]}


def test_every_way_out_is_on_the_page_and_none_is_left_over() -> None:
    found = ways_out(sources())
    assert found.keys() == CONNECTS.keys()
    assert not CONNECTS.keys() & CONNECTS_NOT
    for library, modules in found.items():
        assert all(f"`{module}`" in PAGE for module in (library, *modules))
    assert found["litellm"] == ["forebay_agents.models.providers.litellm_provider"]
