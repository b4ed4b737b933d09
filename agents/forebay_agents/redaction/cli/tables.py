"""How are figures shown to people? As tables on standard output."""

from collections.abc import Mapping, Sequence
from typing import Any

_RATES = (
    ("leak rate", "leak_rate"),
    ("over-redaction of clean texts", "over_redaction"),
    ("recall of spans", "recall"),
    ("precision of spans", "precision"),
    ("F2 of spans", "f2"),
)


def show(found: Mapping[str, Any]) -> None:
    """An evaluation: totals, sources and entities; stock beside, if it was run."""
    from rich.console import Console
    from rich.table import Table

    names = [name for name in ("forebay", "stock") if name in found]
    console = Console()
    totals = Table("", *names, title=f"{found['texts']} texts")
    for title, key in _RATES:
        totals.add_row(title, *(_percent(found[name][key]) for name in names))
    for title, key in (("ms per text", "ms_per_text"), ("p99 ms", "p99_ms"), ("MB/s", "mb_per_s")):
        totals.add_row(title, *(str(found[name][key]) for name in names))
    console.print(totals)
    sources = Table("source", "texts", *(f"{name} {what}" for name in names for what in ("leak", "clean touched")))
    for source, own in found[names[0]]["sources"].items():
        rates = [_percent(found[n]["sources"][source][key]) for n in names for key in ("leak_rate", "over_redaction")]
        sources.add_row(source, str(own["texts"]), *rates)
    console.print(sources)
    columns = [f"{name} {what}" for name in names for what in ("leak", "recall", "precision", "F2")]
    entities = Table("entity", "labelled", *columns)
    for kind in sorted({kind for name in names for kind in found[name]["entities"]}):
        cells = []
        for name in names:
            own = found[name]["entities"].get(kind, {})
            cells += [_percent(own.get(key)) for key in ("leak_rate", "recall", "precision", "f2")]
        labelled = max(found[name]["entities"].get(kind, {}).get("labelled", 0) for name in names)
        entities.add_row(kind, str(labelled), *cells)
    console.print(entities)


def show_report(rows: Sequence[Mapping[str, Any]]) -> None:
    """Daily counts."""
    from rich.console import Console
    from rich.table import Table

    table = Table("day", "tenant", "entity", "action", "findings")
    for row in rows:
        table.add_row(row["day"], row["tenant_id"], row["entity"], row["action"], str(row["count"]))
    Console().print(table)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
