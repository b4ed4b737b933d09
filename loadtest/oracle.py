"""Was anything lost, doubled, or billed without being known? One verdict from what producer, topics and provider say.

Pure: it gets the evidence and knows no broker. What counts as accepted is what the broker acknowledged to the producer,
and nothing else; what was paid is what stands on the provider's invoice, and nothing else.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from forebay.contract.records import CallPurpose, Response, UsageEvent, UsageStatus
from forebay_agents.cost.reconciliation import InvoiceLine, OpenAttempt, Reconciliation, newest_entries, reconcile


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A terminal response as it stands on its topic; ``at_ms`` is when it was written there."""

    response: Response
    at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A dead letter's headers."""

    letter_id: str
    stage: str
    code: str
    message: str
    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What was seen.

    Attributes:
        accepted: request id to the moment, in ms since the epoch, that its producer sent it.
        letters: dead letters, whatever they are of.
        invoice: lines of the calls of this run.
        ledger: every entry, in any order.
        entered: attempt to when the ledger heard of its end, by the brokers' time in ms.
        poisoned: ids of records that no stage can read: each has to become a dead letter.
        stood_still: from when to when (ms since the epoch) a worker stood still.
        lag: unfinished records by stage and topic, as :func:`forebay.kafka.lag.consumer_lag` has it.
    """

    accepted: Mapping[str, int]
    responses: Sequence[Answered]
    letters: Sequence[Letter] = ()
    ledger: Sequence[UsageEvent] = ()
    entered: Mapping[str, int] = field(default_factory=dict)
    invoice: Sequence[InvoiceLine] = ()
    poisoned: frozenset[str] = frozenset()
    stood_still: Sequence[tuple[int, int]] = ()
    lag: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the evidence says; :attr:`violations` is empty when everything that is promised was kept.

    Attributes:
        lost: accepted, and without a terminal response.
        duplicates: responses beyond the first of a request; those of a replay are none.
        differing: requests whose repeated responses do not say the same.
        unasked: responses to requests that nobody sent.
        unexplained: dead letters without stage, known cause or message.
        silent: dead-lettered requests without a response.
        swallowed: poison that became no dead letter.
        paid: calls on the invoice.
        paid_again: requests that one deployment was paid for more than once with an answer in hand each time, but for
            those at which a worker stood still: the answer is known to others when its successor has begun anew.
        repaid: calls paid again because the answer of an earlier one was lost with its worker (open in the ledger), or
            came when that stood still no longer.
    """

    accepted: int
    statuses: Mapping[str, int]
    lost: Sequence[str]
    duplicates: int
    differing: Sequence[str]
    unasked: Sequence[str]
    unexplained: Sequence[str]
    silent: Sequence[str]
    swallowed: Sequence[str]
    dead_letters: int
    paid: int
    paid_again: Sequence[str]
    repaid: int
    money: Reconciliation
    lag: int

    @property
    def violations(self) -> list[str]:
        """Each broken promise in words."""
        found = [
            (len(self.lost), "accepted requests have no response", self.lost),
            (len(self.differing), "requests got responses that do not say the same", self.differing),
            (len(self.unasked), "responses are to requests that nobody sent", self.unasked),
            (len(self.unexplained), "dead letters have no reason", self.unexplained),
            (len(self.silent), "dead-lettered requests have no response", self.silent),
            (len(self.swallowed), "unreadable records became no dead letter", self.swallowed),
            (len(self.paid_again), "requests were paid twice with the answer at hand", self.paid_again),
            (
                len(self.money.differences),
                f"differences between ledger and invoice, {self.money.error_nanousd} nano-dollars",
                [f"{item.kind}:{item.attempt_id}" for item in self.money.differences],
            ),
            (self.lag, "records are unfinished", ()),
        ]
        return [f"{count} {what}{_some(examples)}" for count, what, examples in found if count]

    @property
    def open(self) -> Sequence[OpenAttempt]:
        """Attempts whose cost the ledger holds open."""
        return self.money.open


def judge(evidence: Evidence) -> Verdict:
    """The verdict on ``evidence``."""
    by_request: defaultdict[str, list[Answered]] = defaultdict(list)
    for answered in evidence.responses:
        by_request[answered.response.request_id].append(answered)
    duplicates, differing = _repetitions(by_request)
    dead = [letter for letter in evidence.letters if letter.request_id in evidence.accepted]
    again, repaid = _payments(evidence)
    return Verdict(
        accepted=len(evidence.accepted),
        statuses=Counter(
            _last(by_request[request]).response.status.value for request in evidence.accepted if request in by_request
        ),
        lost=sorted(request for request in evidence.accepted if request not in by_request),
        duplicates=duplicates,
        differing=differing,
        unasked=sorted(by_request.keys() - evidence.accepted.keys()),
        unexplained=sorted(letter.letter_id for letter in evidence.letters if not _explained(letter)),
        silent=sorted({letter.request_id for letter in dead if letter.request_id not in by_request}),
        swallowed=sorted(evidence.poisoned - {letter.request_id for letter in evidence.letters}),
        dead_letters=len(evidence.letters),
        paid=len(evidence.invoice),
        paid_again=again,
        repaid=repaid,
        money=reconcile(evidence.ledger, evidence.invoice),
        lag=sum(records for topics in evidence.lag.values() for records in topics.values()),
    )


def latencies_ms(evidence: Evidence, since_ms: int = 0, until_ms: int = 1 << 62) -> list[int]:
    """Sorted times from sending to the first response, of requests sent in the half-open interval."""
    first: dict[str, int] = {}
    for answered in evidence.responses:
        request = answered.response.request_id
        first[request] = min(answered.at_ms, first.get(request, answered.at_ms))
    return sorted(
        first[request] - sent
        for request, sent in evidence.accepted.items()
        if request in first and since_ms <= sent < until_ms
    )


def quantile(values: Sequence[int], share: float) -> int:
    """The value that ``share`` of the sorted ``values`` do not exceed; 0 of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0


def _last(answered: Iterable[Answered]) -> Answered:
    return max(answered, key=lambda item: item.at_ms)


def _repetitions(by_request: Mapping[str, Sequence[Answered]]) -> tuple[int, list[str]]:
    """How many responses repeat one, and the requests whose repetitions say something else.

    A response that supersedes a failure comes of a replay: it is expected to differ.
    """
    count, differing = 0, []
    for request, answered in by_request.items():
        said = [_said(item.response) for item in answered if item.response.supersedes is None]
        made_good = [_said(item.response) for item in answered if item.response.supersedes is not None]
        count += max(0, len(said) - 1) + max(0, len(made_good) - 1)
        if len(set(said)) > 1 or len(set(made_good)) > 1:
            differing.append(request)
    return count, sorted(differing)


def _said(response: Response) -> tuple[str, ...]:
    """What a response tells its reader; times and the path it took may differ between repetitions."""
    error = response.error.code if response.error else ""
    return (response.status.value, response.content, response.tool_calls or "", error)


def _explained(letter: Letter) -> bool:
    return all((letter.stage, letter.code, letter.message)) and "?" not in (letter.stage, letter.code)


def _payments(evidence: Evidence) -> tuple[list[str], int]:
    """Requests that a deployment was paid for twice although the first answer was known, and payments after a loss."""
    entries = newest_entries(evidence.ledger)
    settled: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    asleep: set[str] = set()
    for line in evidence.invoice:
        entry = entries.get(line.attempt_id)
        if entry is None or entry.purpose is not CallPurpose.COMPLETION:
            continue
        plan = (entry.request_id, entry.deployment)
        if entry.status is UsageStatus.SETTLED:
            settled[plan] += 1
            entered = evidence.entered.get(line.attempt_id, 0)
            if any(entry.started_at <= begun and ended <= entered for begun, ended in evidence.stood_still):
                asleep.add(entry.request_id)
        elif entry.status in (UsageStatus.STARTED, UsageStatus.UNSETTLED):
            lost[plan] += 1
    twice = {plan for plan, count in settled.items() if count > 1}
    again = sorted({request for request, _ in twice if request not in asleep})
    late = sum(1 for request, _ in twice if request in asleep)
    return again, late + sum(1 for plan in lost if settled[plan])


def _some(examples: Sequence[str]) -> str:
    return f" ({', '.join(examples[:5])}{', …' if len(examples) > 5 else ''})" if examples else ""
