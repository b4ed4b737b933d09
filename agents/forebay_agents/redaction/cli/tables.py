"""How are figures shown to people? As tables on standard output."""

from collections.abc import Mapping, Sequence
from typing import Any

from forebay.cli.terminal.tables import print_table

_RATES = (
    ("leak rate", "leak_rate"),
    ("over-redaction of clean texts", "over_redaction"),
    ("recall of spans", "recall"),
    ("precision of spans", "precision"),
    ("F2 of spans", "f2"),
)


def show(found: Mapping[str, Any]) -> None:
    """An evaluation: totals, sources and entities; whoever else was scored beside."""
    names = [name for name in found if name != "texts"]
    totals = [(title, *(_percent(found[name][key]) for name in names)) for title, key in _RATES]
    for title, key in (("ms per text", "ms_per_text"), ("p99 ms", "p99_ms"), ("MB/s", "mb_per_s")):
        totals.append((title, *(str(found[name][key]) for name in names)))
    print_table(("", *names), totals, title=f"{found['texts']} texts")
    sources = []
    for source, own in found[names[0]]["sources"].items():
        rates = [_percent(found[n]["sources"][source][key]) for n in names for key in ("leak_rate", "over_redaction")]
        sources.append((source, str(own["texts"]), *rates))
    print_table(_titles(("source", "texts"), names, ("leak", "clean touched")), sources)
    if len(found[names[0]]["sources"]) > 1:
        print_table(_titles(("source", "entity"), names, ("leak",)), _by_both(found, names))
    entities = []
    for kind in sorted({kind for name in names for kind in found[name]["entities"]}):
        cells = []
        for name in names:
            own = found[name]["entities"].get(kind, {})
            cells += [_percent(own.get(key)) for key in ("leak_rate", "recall", "precision", "f2")]
        labelled = max(found[name]["entities"].get(kind, {}).get("labelled", 0) for name in names)
        entities.append((kind, str(labelled), *cells))
    print_table(_titles(("entity", "labelled"), names, ("leak", "recall", "precision", "F2")), entities)


def _by_both(found: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, ...]]:
    """What leaks of each entity in each source."""
    return [
        (source, kind, *(_percent(found[name]["sources"][source]["leak_by_entity"][kind]) for name in names))
        for source, own in found[names[0]]["sources"].items()
        for kind in own["leak_by_entity"]
    ]


def _titles(first: Sequence[str], names: Sequence[str], figures: Sequence[str]) -> list[str]:
    return [*first, *(f"{name} {what}" for name in names for what in figures)]


def show_report(rows: Sequence[Mapping[str, Any]]) -> None:
    """Daily counts."""
    print_table(
        ("day", "tenant", "entity", "action", "findings"),
        [(row["day"], row["tenant_id"], row["entity"], row["action"], str(row["count"])) for row in rows],
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
