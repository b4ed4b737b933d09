"""What does a worker measure? Every metric, from the Prometheus objects themselves."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

from forebay.reference.discovery import modules_named
from forebay.reference.markdown import code, page, prose, table

_INTRODUCTION = """\
Each worker serves these at `/metrics` (`worker.host`, `worker.port`), beside `process_*` and `python_*` of the
Prometheus client. Labels are closed sets: no tenant, no user, no request id, no text. A labelled series appears once
its first event happened. `stage` is a stage's name, `topic` a logical topic name, `code` one of the
[error codes](errors.md)."""

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "summary": ("",)}


def collectors() -> dict[str, tuple[MetricWrapperBase, str]]:
    """Metric name without suffix to its object and the module that declares it, in the order of declaration."""
    found: dict[str, tuple[MetricWrapperBase, str]] = {}
    for module in modules_named("metrics"):
        for value in vars(module).values():
            for metric in _metrics_of(value):
                found.setdefault(_attribute(metric, "name"), (metric, module.__name__))
    return found


def series() -> frozenset[str]:
    """Names of all time series, as queries write them."""
    return frozenset(
        name + suffix for name, (metric, _) in collectors().items() for suffix in _SUFFIXES[_attribute(metric, "type")]
    )


def labels() -> dict[str, frozenset[str]]:
    """Series to its labels; a histogram's buckets have ``le`` too."""
    return {
        name + suffix: frozenset(_attribute(metric, "labelnames")) | ({"le"} if suffix == "_bucket" else set())
        for name, (metric, _) in collectors().items()
        for suffix in _SUFFIXES[_attribute(metric, "type")]
    }


def metrics_page() -> str:
    """``docs/reference/metrics.md``."""
    by_module: dict[str, list[list[str]]] = {}
    for name, (metric, module) in collectors().items():
        kind = _attribute(metric, "type")
        row = [
            code(name + ("_total" if kind == "counter" else "")),
            kind,
            ", ".join(code(label) for label in _attribute(metric, "labelnames")),
            prose(_attribute(metric, "documentation")),
        ]
        by_module.setdefault(module, []).append(row)
    parts = [_INTRODUCTION]
    for module, rows in by_module.items():
        parts += [f"## `{module}`", table(["metric", "kind", "labels", "meaning"], rows)]
    return page("Metrics", "the modules called `metrics`", *parts)


def _metrics_of(value: Any) -> Iterator[MetricWrapperBase]:
    """``value`` itself, or the metrics among the attributes of an instance that groups them."""
    if isinstance(value, MetricWrapperBase):
        yield value
    elif not isinstance(value, type) and hasattr(value, "__dict__"):
        yield from (inner for inner in vars(value).values() if isinstance(inner, MetricWrapperBase))


def _attribute(metric: MetricWrapperBase, name: str) -> Any:
    """prometheus_client offers name, labels and documentation only as samples, and there are none before an event."""
    return getattr(metric, f"_{name}")
