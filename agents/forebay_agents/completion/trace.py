"""What was tried for a request, what did it cost, and who should hear of it?"""

from dataclasses import dataclass, field

from forebay.contract.json_lines import new_id
from forebay.contract.records import Alert, Attempt, Severity, UsageEvent
from forebay_agents.models.pieces import Pieces
from forebay_agents.models.providers.provider import ProviderError, Said
from forebay_agents.models.settings import Tier


@dataclass(slots=True)
class Trace:
    """All that was tried for a request: closed ledger entries and attempts, in order; and what people should hear of.

    Attributes:
        errors: of the calls that brought no answer.
        broke: whether a budget stopped a call.
        unpriced: whether a deployment was left out because nobody knows its price.
        dearest: tier that the request allowed, once one has served it.
        spent_before: cost of earlier tries of the request, in nano-dollars.
        pieces: where answers go while models write them, if anybody wants that.
        final: whether an answer of the tier that is asked now will be the answer, so that it may be heard.
    """

    entries: list[UsageEvent] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    errors: list[ProviderError] = field(default_factory=list)
    broke: bool = False
    unpriced: bool = False
    dearest: Tier | None = None
    spent_before: int = 0
    pieces: Pieces | None = None
    final: bool = False

    @property
    def heard(self) -> bool:
        """Whether somebody hears the call that is made now."""
        return self.final and self.pieces is not None

    def hears(self, attempt_id: str, tier: str, model: str) -> Said | None:
        """Who hears the call ``attempt_id``."""
        return self.pieces.of(attempt_id, tier, model) if self.final and self.pieces is not None else None

    @property
    def spent(self) -> int:
        """Cost of all tries so far, in nano-dollars."""
        return self.spent_before + sum(entry.cost_nanousd for entry in self.entries)


def refused(deployment: str, told: str, now_ms: int) -> Alert:
    """Told at once: nobody but an operator can renew a key."""
    return Alert(
        alert_id=new_id(),
        kind="provider_auth",
        severity=Severity.CRITICAL,
        subject=deployment,
        message=f"{deployment} refuses our key ({told}): renew it, or its credit",
        created_at=now_ms,
    )
