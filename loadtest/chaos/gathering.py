"""Where does the evidence come from? The topics, the provider's invoice, and the groups' committed offsets.

Topics keep what earlier runs on the same stack left; a :class:`Mark` says where this one begins.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from forebay.kafka.decoding import ReadRecord
from forebay.kafka.group_offsets import read_offsets
from forebay.kafka.lag import consumer_lag
from forebay.kafka.reader import read_topic
from forebay.operations.dead_letters.letters import letter_of
from forebay.settings import KafkaSettings, Settings
from forebay_agents.cost.reconciliation import InvoiceLine
from loadtest.chaos.faults import Traces
from loadtest.oracle import Answered, Evidence, Letter


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The ends of the topics and of the invoice when a run began."""

    ends: Mapping[tuple[str, int], int]
    invoice_bytes: int


def mark(settings: Settings, invoice: Path) -> Mark:
    """Where things stand now."""
    kafka = settings[KafkaSettings]
    end = read_offsets(kafka, ()).end
    prefix = kafka.topic_prefix
    return Mark(
        ends={(topic.removeprefix(prefix), number): offset for (topic, number), offset in end.items()},
        invoice_bytes=invoice.stat().st_size if invoice.exists() else 0,
    )


def gather(settings: Settings, invoice: Path, since: Mark, accepted: Mapping[str, int], traces: Traces) -> Evidence:
    """The evidence of what happened since ``since``."""
    responses = [
        Answered(response=record.value, at_ms=record.source.timestamp_ms)
        for record in _new(settings, "responses", since)
        if record.value is not None
    ]
    letters = []
    for record in _new(settings, "dlq", since):
        letter = letter_of(record.source)
        letters.append(
            Letter(
                letter_id=letter.letter_id,
                stage=letter.stage,
                code=letter.code,
                message=letter.message,
                request_id=letter.request_id,
            )
        )
    ledger, earlier, entered = [], set(), dict[str, int]()
    for record in read_topic(settings, "usage"):
        if record.value is None:
            continue
        if _is_new(record, "usage", since):
            ledger.append(record.value)
            entered[record.value.attempt_id] = record.source.timestamp_ms
        else:
            earlier.add(record.value.attempt_id)
    return Evidence(
        accepted=accepted,
        responses=responses,
        letters=letters,
        # A call of an earlier run that is declared unsettled only now is that run's. Clocks do not tell: they may lie.
        ledger=[entry for entry in ledger if entry.attempt_id not in earlier],
        entered=entered,
        invoice=list(read_invoice(invoice, since.invoice_bytes)),
        poisoned=traces.buried,
        stood_still=traces.stood_still,
        lag=consumer_lag(settings),
    )


def read_invoice(path: Path, from_byte: int = 0) -> Iterable[InvoiceLine]:
    """Lines of the simulator's invoice file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(from_byte)
        for line in file:
            entry = json.loads(line)
            yield InvoiceLine(
                attempt_id=entry["attempt_id"] or "",
                cost_nanousd=entry["cost_nanousd"],
                model=entry["model"],
                prompt_tokens=entry["prompt_tokens"],
                completion_tokens=entry["completion_tokens"],
            )


def _new(settings: Settings, topic: str, since: Mark) -> Iterable[ReadRecord]:
    return (record for record in read_topic(settings, topic) if _is_new(record, topic, since))


def _is_new(record: ReadRecord, topic: str, since: Mark) -> bool:
    return record.source.offset >= since.ends.get((topic, record.source.partition), 0)
