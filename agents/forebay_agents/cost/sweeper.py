"""Which attempts will nobody close any more? Those whose worker died in the middle of the call.

Their entry stays ``started`` in the ledger; after a while it is declared ``unsettled``: its worst-case cost stands
until the provider's invoice says what it was. Rows of attempts that were closed long ago are forgotten.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from forebay.contract.records import CallPurpose, UsageEvent, UsageStatus
from forebay_agents.cost.projection import AttemptRow


def opening_of(row: AttemptRow) -> UsageEvent | None:
    """The entry that opened an attempt, as long as it is open."""
    opening = row.get("entry")
    if opening is None:
        return None
    status = UsageStatus(opening["status"])
    return UsageEvent(**{**opening, "purpose": CallPurpose(opening["purpose"]), "status": status})


def abandoned(attempts: Mapping[str, AttemptRow], *, now_ms: int, after_ms: int) -> Iterator[UsageEvent]:
    """Closing entries for attempts that were opened more than ``after_ms`` ago and never closed."""
    for row in list(attempts.values()):
        if "unsettled" in row or now_ms - row["at"] < after_ms or (opening := opening_of(row)) is None:
            continue
        yield replace(opening, status=UsageStatus.UNSETTLED, error_code="worker_lost", finished_at=now_ms)


def forgettable(attempts: Mapping[str, AttemptRow], *, before_ms: int) -> Iterator[str]:
    """Attempts of before ``before_ms``, which are older than any redelivery can be."""
    for attempt_id, row in list(attempts.items()):
        if row["at"] < before_ms:
            yield attempt_id
