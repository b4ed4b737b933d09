"""Is a request still ours, right before a call for it is made? A worker that stood still may have a successor.

The ledger's entry of a call is written and waited for immediately before the call, so that is where the claim is looked
at: before, lest an entry be written for nothing, and after, lest the call be made for nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Transient
from forebay.contract.handlers import Output, WriteAhead
from forebay.contract.records import UsageEvent, UsageStatus
from forebay.state.idempotency import Claim, ClaimLostError
from forebay_agents.models.ledger import usage_output


def fenced(
    write_ahead: WriteAhead, claim: Claim | None, *, required: bool = True, clock_ms: Clock = now_ms
) -> WriteAhead:
    """``write_ahead`` for calls under ``claim``; what returns, lets the call be made.

    It raises :class:`forebay.state.idempotency.ClaimLostError`, and ``Transient`` if nobody can say whose the request
    is and a claim is ``required``. Entries of calls that are not made then are closed: they are free.
    """
    if claim is None:
        return write_ahead

    async def check() -> None:
        try:
            await claim.check()
        except Transient:
            if required:
                raise

    async def written(outputs: Sequence[Output]) -> None:
        await check()
        await write_ahead(outputs)
        try:
            await check()
        except (ClaimLostError, Transient):
            await write_ahead([usage_output(one) for one in map(_not_made, outputs) if one is not None])
            raise

    def _not_made(output: Output) -> UsageEvent | None:
        entry = output.value
        if not isinstance(entry, UsageEvent) or entry.status is not UsageStatus.STARTED:
            return None
        return replace(
            entry, status=UsageStatus.FAILED, error_code="claim_lost", cost_nanousd=0, finished_at=clock_ms()
        )

    return written
