"""What was tried for a request, what did it cost, and who should hear of it?"""

from dataclasses import dataclass, field

from forebay.contract.failures import Rejected
from forebay.contract.json_lines import new_id
from forebay.contract.records import Alert, Attempt, Severity, UsageEvent
from forebay.state.conditions import Conditions
from forebay_agents.models.caller import Outcome
from forebay_agents.models.pieces import Pieces
from forebay_agents.models.pool import LOST
from forebay_agents.models.providers.provider import ProviderError, Said
from forebay_agents.models.settings import Tier


@dataclass(slots=True)
class Trace:
    """All that was tried for a request: closed ledger entries and attempts, in order; and what people should hear of.

    Attributes:
        errors: of the calls that brought no answer.
        broke: why a budget stopped a call, if one did.
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
    broke: Rejected | None = None
    unpriced: bool = False
    dearest: Tier | None = None
    spent_before: int = 0
    pieces: Pieces | None = None
    final: bool = False

    def record(self, outcome: Outcome) -> None:
        """Take in how a call ended."""
        self.entries.append(outcome.entry)
        self.attempts.append(outcome.attempt(outcome.error.code if outcome.error else "ok"))
        if outcome.error is not None and outcome.error.code != LOST:
            self.errors.append(outcome.error)

    @property
    def heard(self) -> bool:
        """Whether somebody hears the call that is made now."""
        return self.final and self.pieces is not None

    def hears(self, attempt_id: str, tier: str, model: str) -> Said | None:
        """Who hears the call ``attempt_id``."""
        return self.pieces.of(attempt_id, tier, model) if self.final and self.pieces is not None else None

    @property
    def tokens(self) -> int:
        """Of all calls so far, questions and answers."""
        return sum(entry.prompt_tokens + entry.completion_tokens for entry in self.entries)

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
        summary=f"{deployment} refuses our key",
        action="Renew the key or its credit; the next deployment or tier answers meanwhile, at its price.",
    )


def unpriced(model: str, now_ms: int) -> Alert:
    """Told when the first call of a model was paid that nobody knows a price of."""
    return Alert(
        alert_id=new_id(),
        kind="unpriced_model",
        severity=Severity.WARNING,
        subject=model,
        message=f"nobody knows what {model} costs: its calls count as 0, and no budget holds them back",
        created_at=now_ms,
        summary=f"{model} has no price",
        action="Write its price into models.prices (0 is one); `forebay prices check` names all such deployments.",
    )


async def tell(outcome: Outcome, trace: Trace, conditions: Conditions, now_ms: int) -> None:
    """Have people told of a key that is refused, of what is paid without a price, and when that is over."""
    entry, error = outcome.entry, outcome.error
    if error is None:
        trace.alerts += await conditions.note(unpriced(entry.model, now_ms), holds=not entry.priced)
    if error is None or error.code == "provider_auth":
        alert = refused(entry.deployment, error.message if error else "", now_ms)
        trace.alerts += await conditions.note(alert, holds=error is not None)
