"""What does one fault do? Load, the fault in the middle of it, then quiet, then the oracle."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from forebay.contract.clock import now_ms
from forebay.kafka.lag import wait_until_idle
from forebay.kafka.queries import BrokerUnavailableError
from loadtest.chaos.faults import Fault, Traces
from loadtest.chaos.gathering import gather, mark
from loadtest.chaos.recovery import RecoveryWatch
from loadtest.chaos.stack import Stack
from loadtest.chaos.traffic import Traffic, read_log
from loadtest.oracle import Verdict, judge, latencies_ms, quantile

_OPEN_WAIT_S = 45.0
"""Above ``cost.unsettled_after_s`` and a sweep: by then the ledger has declared what it does not know."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much: ``requests`` at least, at ``rate`` a second, and on while the fault lasts, up to four times as many.

    Quiet must come within ``idle_s`` seconds of the last.
    """

    requests: int = 300
    rate: float = 25.0
    idle_s: float = 180.0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a fault did; times in seconds, latencies in ms.

    Attributes:
        caught_p99_ms: of requests sent while it lasted: from 2 s before it until 10 s after it began.
    """

    fault: Fault
    verdict: Verdict
    recovered_s: float | None
    idle_s: float | None
    p50_ms: int
    p99_ms: int
    caught_p99_ms: int

    @property
    def broken(self) -> list[str]:
        """Promises that were not kept."""
        found = list(self.verdict.violations)
        if self.idle_s is None:
            found.append("the stages never came to rest")
        return found


def warm_up(stack: Stack) -> None:
    """A few requests, so that every group has committed and no first call is measured."""
    stack.wait_ready()
    traffic = Traffic(stack.settings, stack.folder / "warm-up.jsonl", count=60, rate=20.0)
    traffic.start()
    traffic.join()
    _rest(stack, 180.0)


def run(stack: Stack, fault: Fault, load: Load, say: Callable[[str], None] = lambda _: None) -> Result:
    """Do ``fault`` to ``stack`` under ``load``; the stack is whole again when this returns."""
    stack.wait_ready()
    begun_ms = now_ms()
    since = mark(stack.settings, stack.invoice)
    log = stack.folder / f"accepted-{begun_ms}.jsonl"
    traffic = Traffic(
        stack.settings, log, count=load.requests, most=4 * load.requests, rate=load.rate, seed=begun_ms
    )  # fmt: skip
    traffic.start()
    time.sleep(load.requests / load.rate / 3)
    begun_fault_ms = now_ms()
    traces, watch = _inflict(stack, fault)
    # A worker's end is the last thing that such a fault does.
    at_ms = begun_fault_ms if watch is None else now_ms()
    if watch is not None:
        watch.join()
    stack.wait_ready()
    traffic.enough()
    traffic.join()
    resting_s = _rest(stack, load.idle_s)
    say(f"{fault.name}: at rest after {resting_s} s")
    accepted = read_log(log)
    for key in traces.answered:
        accepted[key] = at_ms
    wait_for_ledger(stack)
    evidence = gather(stack.settings, stack.invoice, since, accepted, traces)
    everything = latencies_ms(evidence)
    return Result(
        fault=fault,
        verdict=judge(evidence),
        recovered_s=watch.recovered_s if watch is not None else None,
        idle_s=resting_s,
        p50_ms=quantile(everything, 0.5),
        p99_ms=quantile(everything, 0.99),
        caught_p99_ms=quantile(latencies_ms(evidence, at_ms - 2_000, at_ms + 10_000), 0.99),
    )


def _inflict(stack: Stack, fault: Fault) -> tuple[Traces, RecoveryWatch | None]:
    traces = fault.inflict(stack) or Traces()
    watch = None
    if fault.stage is not None:
        watch = RecoveryWatch(stack.settings, fault.stage)
        watch.start()
    return traces, watch


def _rest(stack: Stack, timeout_s: float) -> float | None:
    """Seconds until no stage has anything left to do; ``None`` if that never came."""
    started = time.monotonic()
    while time.monotonic() - started < timeout_s:
        try:
            if wait_until_idle(stack.settings, timeout_s - (time.monotonic() - started)):
                return round(time.monotonic() - started, 1)
        except BrokerUnavailableError:
            time.sleep(0.5)
    return None


def wait_for_ledger(stack: Stack) -> None:
    """Wait until the sweeper has declared every lost call, or has had the time for it."""
    from forebay.contract.records import UsageStatus
    from forebay.kafka.reader import read_topic
    from forebay_agents.cost.reconciliation import newest_entries

    deadline = time.monotonic() + _OPEN_WAIT_S
    while time.monotonic() < deadline:
        entries = newest_entries(record.value for record in read_topic(stack.settings, "usage") if record.value)
        if not any(entry.status is UsageStatus.STARTED for entry in entries.values()):
            return
        time.sleep(1.0)
