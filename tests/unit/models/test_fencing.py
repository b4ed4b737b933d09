"""No call is made for a request that is another worker's by now, and no entry of the ledger stays open for it."""

from collections.abc import Sequence

import pytest

from forebay.contract.failures import Transient
from forebay.contract.handlers import Output
from forebay.contract.records import UsageEvent, UsageStatus
from forebay.state.idempotency import Claim, ClaimLostError
from forebay.testing import VirtualClock
from forebay_agents.models.fencing import fenced
from forebay_agents.models.ledger import usage_output

STARTED = usage_output(UsageEvent(attempt_id="a", status=UsageStatus.STARTED, cost_nanousd=900, reserved_nanousd=900))


class Scripted(Claim):
    """A claim that says what it is told to, one answer a check."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)

    async def check(self) -> None:
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer


class Ledger:
    """What was written ahead."""

    def __init__(self) -> None:
        self.entries: list[UsageEvent] = []

    async def write(self, outputs: Sequence[Output]) -> None:
        self.entries += [output.value for output in outputs if isinstance(output.value, UsageEvent)]


async def test_a_request_that_is_ours_is_entered_and_called() -> None:
    ledger = Ledger()
    await fenced(ledger.write, Scripted(None, None))([STARTED])
    assert [entry.status for entry in ledger.entries] == [UsageStatus.STARTED]


async def test_one_that_was_lost_before_is_not_even_entered() -> None:
    ledger = Ledger()
    with pytest.raises(ClaimLostError):
        await fenced(ledger.write, Scripted(ClaimLostError()))([STARTED])
    assert ledger.entries == []


@pytest.mark.parametrize("reason", [ClaimLostError(), Transient("redis_unavailable", "gone")])
async def test_one_that_was_lost_while_its_entry_was_written_is_closed_and_free(reason: Exception) -> None:
    ledger, clock = Ledger(), VirtualClock()
    with pytest.raises(type(reason)):
        await fenced(ledger.write, Scripted(None, reason), clock_ms=clock)([STARTED])
    opened, closed = ledger.entries
    assert (closed.attempt_id, closed.status, closed.error_code) == ("a", UsageStatus.FAILED, "claim_lost")
    assert (closed.cost_nanousd, closed.reserved_nanousd, closed.finished_at) == (0, 900, clock())
    assert opened.status is UsageStatus.STARTED


async def test_where_no_claim_is_required_nobody_waits_for_redis() -> None:
    ledger, gone = Ledger(), Transient("redis_unavailable", "gone")
    await fenced(ledger.write, Scripted(gone, gone), required=False)([STARTED])
    assert len(ledger.entries) == 1
    await fenced(ledger.write, None)([STARTED])
    assert len(ledger.entries) == 2
