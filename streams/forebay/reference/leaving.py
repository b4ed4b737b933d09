"""What leaves the building, field by field? From the code that sends it, never from a list beside it.

Providers' fields are found by changing each field of a call and looking where it comes out; log lines, by reading every
call of a logger; labels, from the metric objects and the alert rules; records, from their classes; ways out, from the
imports. So a field that is sent from tomorrow on changes this page, and a test fails until somebody has looked at it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from forebay.contract.records import Alert, Response
from forebay.contract.topics import TOPICS, Access
from forebay.observability.health import Readiness, answer
from forebay.reference.counters import labels
from forebay.reference.discovery import modules_named
from forebay.reference.log_lines import bound_fields, log_lines
from forebay.reference.markdown import code, page, table, wrapped
from forebay.reference.sources import Source, sources, text_of
from forebay.reference.ways_out import CONNECTS, ways_out

RULES = Path("deploy/prometheus/alerts.yml")
_LABEL = re.compile(r"\$labels\.(\w+)")
_BY = re.compile(r"\bby \(([\w, ]+)\)")
_SERIES = re.compile(r"\bforebay_\w+")

_INTRODUCTION = """\
Every field that somebody outside of the chain can get: a provider, a log, a metric, an alert, a probe, a trace, an
application. The last table names every library with which this code can reach another machine. What the fields may
hold, and which test shows it: [security](../explanation/security.md)."""

_PROVIDERS = """\
A call is made by the stages in the second table, out of a *redacted* request; the last check (`egress`) looks at its
texts once more. `Call` and `Deployment` are ours: a field of theirs that is not here is not sent. Path: as given to the
client library, which adds its own `user-agent`. `x-forebay-request-id` is the application's `request_id`, so that must
name nobody."""

_LOGS = """\
One JSON object a line on standard error: `event`, `level`, `timestamp`, {bound}, and the fields below. `message` is a
text of ours about a failure, or of a library about a broker; it quotes no request. What libraries log themselves
appears at `warning` and above, with `logger`."""

_METRICS = """\
Labels of the [metrics](metrics.md) at `/metrics`; each has a closed set of values."""

_RULES = """\
What Prometheus hands on to whoever is told of an alert: `alertname`, and these labels. Texts of `summary` and `action`
are fixed but for labels and the value."""

_ALERTS = """\
Records of the topic `alerts`, which `forebay tail alerts` shows; nothing sends them anywhere by itself."""

_PROBES = """\
`/healthz` says that the process is alive; `/readyz` answers these fields. Both, and `/metrics`, on `worker.host`."""

_TRACES = """\
Where `tracing.otlp_url` names a collector, spans of stages and of calls go there with these attributes: names, codes,
counts and times of ours, and the request's id where it is a plain one. Nothing else of a request is in them."""
_ATTRIBUTE = re.compile(r'"((?:messaging|gen_ai|forebay|error|service)\.[\w.]+)"')

_RESPONSES = """\
What an application gets of its request, with personal data restored: the value of `responses`
([Response](records.md#response))."""

_TOPICS = """\
On the brokers, for whoever has the right to read: [topics](topics.md). Personal data: {restricted}; pseudonymous or
sealed: the others."""

_WAYS = """\
Every import of a library that can connect to something. A library that is in no list of
[`ways_out.py`](../../streams/forebay/reference/ways_out.py) stops `forebay reference write`."""


@cache
def leaving_page() -> str:
    """``docs/reference/what-leaves.md``."""
    given = sources()
    bound = ", ".join(map(code, bound_fields(given)))
    restricted = ", ".join(code(topic.name) for topic in TOPICS.values() if topic.access is Access.RESTRICTED)
    return page(
        "What leaves the building",
        "the code that sends it",
        _INTRODUCTION,
        "## A provider",
        _PROVIDERS,
        *_providers(given),
        "## A log",
        wrapped(_LOGS.format(bound=bound)),
        _log_table(given),
        "## A metric",
        _METRICS,
        _label_table(labels(), "metrics with it"),
        "## An alert of Prometheus",
        _RULES,
        _label_table(rule_labels(yaml.safe_load(_rules().read_text("utf-8"))), "alerts with it"),
        "## An alert of a stage",
        _ALERTS,
        table(["field", "type"], _fields(Alert)),
        table(["kind", "made in"], [[code(kind), code(module)] for kind, module in alert_kinds(given)]),
        "## A probe",
        _PROBES,
        table(["field"], [[code(name)] for name in answer(Readiness(started=True))]),
        "## A trace",
        _TRACES,
        table(["attribute"], [[code(name)] for name in attributes()]),
        "## An application",
        _RESPONSES,
        table(["field", "type"], _fields(Response)),
        "## A topic",
        wrapped(_TOPICS.format(restricted=restricted)),
        "## Ways out",
        _WAYS,
        table(
            ["library", "what it connects to", "imported by"],
            [
                [code(library), CONNECTS[library], ", ".join(map(code, modules))]
                for library, modules in ways_out(given).items()
            ],
        ),
    )


def attributes() -> list[str]:
    """Of spans, in the order of the alphabet."""
    [module] = (spec.origin for spec in [find_spec("forebay.tracing.otlp")] if spec is not None and spec.origin)
    return sorted(set(_ATTRIBUTE.findall(Path(module).read_text("utf-8"))))


def alert_kinds(modules: Iterable[Source]) -> list[tuple[str, str]]:
    """Kinds of the alerts that stages make, and the modules that do.

    Raises:
        ValueError: a kind is not plain to see.
    """
    found = set()
    for source in modules:
        for call in source.calls:
            if call.name.rpartition(".")[2] == "Alert":
                kind = next((text_of(keyword.value) for keyword in call.node.keywords if keyword.arg == "kind"), None)
                if kind is None:
                    raise ValueError(f"{source.name}:{call.node.lineno}: the kind of an alert is not plain to see")
                found.add((kind, source.name))
    return sorted(found)


def rule_labels(rules: Mapping[str, Any]) -> dict[str, set[str]]:
    """Alert of Prometheus to its labels: fixed ones, those that its texts quote, and those that it is grouped by, or
    all of its series where it is not grouped."""
    found: dict[str, set[str]] = {}
    of_series = labels()
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        texts = " ".join(map(str, rule.get("annotations", {}).values()))
        grouped = {name.strip() for by in _BY.findall(rule["expr"]) for name in by.split(",")}
        if not grouped:
            grouped = {label for name in _SERIES.findall(rule["expr"]) for label in of_series.get(name, ())}
            grouped |= {"instance", "job"}  # as Prometheus calls whom it asked
        found[rule["alert"]] = set(rule.get("labels", {})) | set(_LABEL.findall(texts)) | grouped - {"le"}
    return found


def _providers(given: Sequence[Source]) -> Iterable[str]:
    for module in modules_named("call_arguments"):
        rows = [
            [code(path), ", ".join(map(code, origins)) or "always the same"]
            for path, origins in module.reaching().items()
        ]
        yield table(["what is sent", "decided by"], rows)
    callers = sorted(source.name for source in given if any(call.name == "Call" for call in source.calls))
    yield table(["calls are made in"], [[code(name)] for name in callers])


def _log_table(given: Sequence[Source]) -> str:
    rows = [
        [code(line.event), line.level, ", ".join(map(code, line.fields)), code(line.module)]
        for line in log_lines(given)
    ]
    return table(["event", "level", "fields", "in"], rows)


def _label_table(of: Mapping[str, Iterable[str]], header: str) -> str:
    """Label to those that have it: a histogram's parts are one metric."""
    found: dict[str, set[str]] = {}
    for name, carried in of.items():
        for label in set(carried) - {"le"}:  # the bound of a histogram's bucket
            found.setdefault(label, set()).add(re.sub(r"_(bucket|sum|count)$", "", name))
    rows = [[code(label), ", ".join(map(code, sorted(found[label])))] for label in sorted(found)]
    return table(["label", header], rows)


def _fields(kind: type[Any]) -> list[list[str]]:
    return [[code(field.name), code(_plain(str(field.type)))] for field in fields(kind)]


def _plain(kind: str) -> str:
    return re.sub(
        r"<(?:class|enum) '([\w.]+)'>|\b(?:[a-z_]+\.)+(?=\w)", lambda match: (match[1] or "").rpartition(".")[2], kind
    )


def _rules() -> Path:
    return Path(__file__).resolve().parents[3] / RULES
