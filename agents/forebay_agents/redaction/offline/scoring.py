"""How good is redaction on labelled text? What leaks is counted in letters and digits, whatever the finding was called.

Leak rate: letters and digits inside labelled spans that are still in the output, as a share of all that are inside
labelled spans. Over-redaction: the share of texts without a label in which anything was redacted. Recall, precision and
F2 (recall counts four times as much) are by entity and by span: a labelled span is found if a finding of its type
touches it. Labelled texts name types differently, so names of one thing are taken as one (:data:`SAME`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forebay_agents.redaction.detection.spans import Span

SAME: Mapping[str, str] = {
    "NAME": "PERSON", "PER": "PERSON", "FIRST_NAME": "PERSON", "LAST_NAME": "PERSON", "FULL_NAME": "PERSON",
    "GPE": "LOCATION", "LOC": "LOCATION", "ADDRESS": "LOCATION", "STREET_ADDRESS": "LOCATION", "CITY": "LOCATION",
    "ZIP_CODE": "LOCATION", "ZIP": "LOCATION", "FAC": "LOCATION", "STATE": "LOCATION", "COUNTRY": "LOCATION",
    "EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER", "SSN": "US_SSN", "IBAN": "IBAN_CODE", "IP": "IP_ADDRESS",
    "CARD": "CREDIT_CARD", "CREDIT_CARD_NUMBER": "CREDIT_CARD", "DOB": "DATE_OF_BIRTH", "PASSPORT": "US_PASSPORT",
    "DRIVER_LICENSE": "US_DRIVER_LICENSE", "DATE_TIME": "DATE_OF_BIRTH", "MAC": "MAC_ADDRESS", "NINO": "UK_NINO",
    "DOMAIN_NAME": "URL", "BANK_ACCOUNT": "US_BANK_NUMBER", "ROUTING_NUMBER": "ABA_ROUTING_NUMBER",
}  # fmt: skip
"""Other names of our entity types."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """A text and what is to be found in it: start, end, type."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    source: str = "all"


@dataclass(kw_only=True, slots=True)
class Tally:
    """Sums of one entity."""

    labelled: int = 0
    found: int = 0
    findings: int = 0
    right: int = 0
    characters: int = 0
    leaked: int = 0

    def summary(self) -> dict[str, Any]:
        """Rates; ``None`` where there is nothing to divide by."""
        recall, precision = _share(self.found, self.labelled), _share(self.right, self.findings)
        f2 = None
        if recall is not None:
            f2 = 5 * (precision or 0) * recall / (4 * (precision or 0) + recall) if recall else 0.0
        return {
            "labelled": self.labelled,
            "findings": self.findings,
            "recall": _rounded(recall),
            "precision": _rounded(precision),
            "f2": _rounded(f2),
            "leak_rate": _rounded(_share(self.leaked, self.characters)),
        }


@dataclass(kw_only=True, slots=True)
class _Sums:
    texts: int = 0
    characters: int = 0
    leaked: int = 0
    clean: int = 0
    touched: int = 0
    kinds: dict[str, Tally] = field(default_factory=dict)


@dataclass(kw_only=True)
class Score:
    """The sums over many texts; add one at a time."""

    entities: dict[str, Tally] = field(default_factory=dict)
    sources: dict[str, _Sums] = field(default_factory=dict)
    ms: list[float] = field(default_factory=list)
    size: int = 0

    def add(self, row: Labelled, findings: Sequence[Span], ms: float) -> None:
        """Count one text.

        Args:
            findings: ordered, not overlapping.
            ms: milliseconds that they took.
        """
        self.ms.append(ms)
        self.size += len(row.text.encode("utf-8", "surrogatepass"))
        source = self.sources.setdefault(row.source, _Sums())
        source.texts += 1
        covered = _marked(len(row.text), ((span.start, span.end) for span in findings))
        labelled = _marked(len(row.text), ((start, end) for start, end, _ in row.spans))
        for at, char in enumerate(row.text):
            if labelled[at] and char.isalnum():
                source.characters += 1
                source.leaked += not covered[at]
        if not row.spans:
            source.clean += 1
            source.touched += bool(findings)
        self._add_entities(row, findings, covered, source.kinds)

    def _add_entities(
        self, row: Labelled, findings: Sequence[Span], covered: bytearray, kinds: dict[str, Tally]
    ) -> None:
        for start, end, given in row.spans:
            kind = canonical(given)
            tally = self.entities.setdefault(kind, Tally())
            tally.labelled += 1
            tally.found += any(
                canonical(span.kind) == kind and span.start < end and span.end > start for span in findings
            )
            places = [at for at in range(start, min(end, len(row.text))) if row.text[at].isalnum()]
            for one in (tally, kinds.setdefault(kind, Tally())):
                one.characters += len(places)
                one.leaked += sum(not covered[at] for at in places)
        for span in findings:
            kind = canonical(span.kind)
            tally = self.entities.setdefault(kind, Tally())
            tally.findings += 1
            tally.right += any(
                canonical(given) == kind and span.start < end and span.end > start for start, end, given in row.spans
            )

    def summary(self) -> dict[str, Any]:
        """All figures, as JSON values; rates between 0 and 1."""
        total = _Sums()
        for sums in self.sources.values():
            total.texts += sums.texts
            total.characters += sums.characters
            total.leaked += sums.leaked
            total.clean += sums.clean
            total.touched += sums.touched
        entities = {kind: tally.summary() for kind, tally in sorted(self.entities.items())}
        both = Tally(
            **{
                name: sum(getattr(tally, name) for tally in self.entities.values())
                for name in ("labelled", "found", "findings", "right", "characters", "leaked")
            }
        ).summary()
        seconds = sum(self.ms) / 1000
        return {
            **{name: rate for name, rate in _of(total).items() if name != "leak_by_entity"},
            **{name: both[name] for name in ("recall", "precision", "f2")},
            "ms_per_text": _rounded(sum(self.ms) / len(self.ms), 3) if self.ms else None,
            "p99_ms": _rounded(sorted(self.ms)[min(len(self.ms) - 1, int(0.99 * len(self.ms)))], 3)
            if self.ms
            else None,
            "mb_per_s": _rounded(self.size / 1e6 / seconds) if seconds else None,
            "entities": entities,
            "sources": {name: _of(sums) for name, sums in sorted(self.sources.items())},
        }


def score(
    rows: Iterable[Labelled],
    redact: Callable[[str], tuple[Sequence[Span], float]],
    tick: Callable[[], None] = lambda: None,
) -> Score:
    """The score of one redactor.

    Args:
        redact: findings in a text, ordered and not overlapping, and the milliseconds that they took.
        tick: called after each text.
    """
    result = Score()
    for row in rows:
        result.add(row, *redact(row.text))
        tick()
    return result


def canonical(kind: str) -> str:
    """One name for an entity type that has several."""
    upper = kind.upper().replace(" ", "_").replace("-", "_")
    return SAME.get(upper, upper)


def _of(sums: _Sums) -> dict[str, Any]:
    return {
        "texts": sums.texts,
        "leak_rate": _rounded(_share(sums.leaked, sums.characters)),
        "clean_texts": sums.clean,
        "over_redaction": _rounded(_share(sums.touched, sums.clean)),
        "leak_by_entity": {
            kind: _rounded(_share(one.leaked, one.characters)) for kind, one in sorted(sums.kinds.items())
        },
    }


def _marked(length: int, places: Iterable[tuple[int, int]]) -> bytearray:
    marks = bytearray(length)
    for start, end in places:
        end = min(end, length)
        marks[start:end] = b"\1" * max(end - start, 0)
    return marks


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _rounded(value: float | None, places: int = 4) -> float | None:
    return None if value is None else round(value, places)
