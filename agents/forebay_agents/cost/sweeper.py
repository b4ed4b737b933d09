"""Which attempts will nobody close any more? Those whose worker died in the middle of the call.

Their entry stays ``started`` in the ledger; after a while it is declared ``unsettled``: its worst-case cost stands
until the provider's invoice says what it was. Rows of attempts that were closed long ago are forgotten.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from forebay.contract.records import CallPurpose, UsageEvent, UsageStatus
from forebay_agents.cost.projection import AttemptRow


def abandoned(attempts: Mapping[str, AttemptRow], *, now_ms: int, after_ms: int) -> Iterator[UsageEvent]:
    """Closing entries for attempts that were opened more than ``after_ms`` ago and never closed."""
    for row in list(attempts.values()):
        opening = row.get("entry")
        if opening is None or "unsettled" in row or now_ms - row["at"] < after_ms:
            continue
        entry = UsageEvent(
            **{**opening, "purpose": CallPurpose(opening["purpose"]), "status": UsageStatus(opening["status"])}
        )
        yield replace(entry, status=UsageStatus.UNSETTLED, error_code="worker_lost", finished_at=now_ms)


def forgettable(attempts: Mapping[str, AttemptRow], *, now_ms: int, after_ms: int) -> Iterator[tuple[str, int]]:
    """Attempt id and partition of rows that are older than any redelivery can be."""
    for attempt_id, row in list(attempts.items()):
        if now_ms - row["at"] > after_ms:
            yield attempt_id, row["partition"]
