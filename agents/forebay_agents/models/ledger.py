"""What does the ledger say of a call? One attempt, written ahead as ``started`` and closed with what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import CallPurpose, RedactedRequest, UsageEvent, UsageStatus
from forebay_agents.models.pricing import Cost
from forebay_agents.models.providers.provider import ProviderError, Usage
from forebay_agents.models.settings import Deployment

MOST_TEXT = 64
"""Characters of a task, and of a label's value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Payer:
    """For whom a call is made, and for what."""

    request_id: str
    tenant_id: str
    user_id: str
    key_id: str | None = None
    task: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: RedactedRequest) -> Self:
        """Who asks, and for what."""
        return cls(
            request_id=request.request_id,
            tenant_id=request.tenant_id,
            user_id=request.user_id,
            key_id=request.key_id,
            task=request.task,
            metadata=request.metadata,
        )

    def labels(self, names: Sequence[str]) -> Mapping[str, str]:
        """What of the metadata the ledger takes."""
        return {name: self.metadata[name][:MOST_TEXT] for name in names if name in self.metadata}


class Ledger:
    """Makes ledger entries; pure but for ids and time, which are injected.

    Args:
        purpose: of all calls entered here.
        clock_ms: ms since the epoch.
        attempt_id: makes UUIDv7 ids.
        labels: keys of metadata that entries take.
    """

    def __init__(
        self,
        purpose: CallPurpose,
        clock_ms: Clock = now_ms,
        attempt_id: Callable[[], str] = new_id,
        labels: Sequence[str] = (),
    ) -> None:
        self._labels = labels
        self._purpose = purpose
        self._clock_ms = clock_ms
        self._attempt_id = attempt_id

    def open(self, payer: Payer, tier: str, deployment: Deployment, worst_case: Cost) -> UsageEvent:
        """The entry of a call that is about to be made, and what it costs at most."""
        now = self._clock_ms()
        return UsageEvent(
            attempt_id=self._attempt_id(),
            request_id=payer.request_id,
            tenant_id=payer.tenant_id,
            user_id=payer.user_id,
            key_id=payer.key_id,
            purpose=self._purpose,
            tier=tier,
            model=deployment.model,
            deployment=deployment.name,
            status=UsageStatus.STARTED,
            cost_nanousd=worst_case.nanousd,
            reserved_nanousd=worst_case.nanousd,
            priced=worst_case.priced,
            price=worst_case.price,
            started_at=now,
            booked_at=now,
            task=payer.task and payer.task[:MOST_TEXT],
            labels=payer.labels(self._labels),
        )

    def settle(self, entry: UsageEvent, usage: Usage, cost: Cost, code: str | None = None) -> UsageEvent:
        """The entry of a call that was answered; ``code``: why its answer, which is paid, is of no use."""
        return replace(
            entry,
            status=UsageStatus.SETTLED,
            error_code=code,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_prompt_tokens=usage.cached_prompt_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            service_tier=usage.service_tier,
            estimated=usage.estimated,
            cost_nanousd=cost.nanousd,
            priced=cost.priced,
            price=cost.price,
            finished_at=self._clock_ms(),
        )

    def fail(self, entry: UsageEvent, error: ProviderError) -> UsageEvent:
        """The entry of a call without an answer: free, unless the provider may charge for it all the same."""
        if error.may_be_billed:
            return self.unsettle(entry, error.code)
        return replace(
            entry, status=UsageStatus.FAILED, error_code=error.code, cost_nanousd=0, finished_at=self._clock_ms()
        )

    def unsettle(self, entry: UsageEvent, code: str) -> UsageEvent:
        """The entry of a call whose outcome is unknown: its worst case counts until the invoice says otherwise."""
        return replace(entry, status=UsageStatus.UNSETTLED, error_code=code, finished_at=self._clock_ms())


def usage_output(entry: UsageEvent) -> Output:
    """The record for the topic ``usage``; keyed so that all spend of a user meets in one partition."""
    return Output(topic="usage", key=usage_key(entry.tenant_id, entry.user_id), value=entry, always=True)


def usage_key(tenant_id: str, user_id: str) -> str:
    """Key of a user's entries."""
    return f"{tenant_id}|{user_id}"
