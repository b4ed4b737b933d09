"""How did a request spend its time, line by line? Each stage with what it waited and worked, each call below it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forebay.history.views import Call
from forebay.observability.spans import Span

_WIDTH = 40
_WAITED, _WORKED = "░", "█"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A line: times in ms since the request was accepted.

    Attributes:
        waits_at: when it began to wait; ``works_at``: when it was taken in hand; ``ends_at``: when that was done.
    """

    name: str
    waits_at: int
    works_at: int
    ends_at: int
    outcome: str
    call: bool = False


def bars(accepted_at: int, spans: Sequence[Span], calls: Sequence[Call]) -> list[Bar]:
    """Lines in order of time, calls below the stage that made them. Times before 0, of clocks that are off, are 0."""
    found = []
    rest = [call for call in calls if call.started_at is not None and call.took_ms]  # what was avoided took no time
    for span in spans:
        works_at = max(0, span.accepted_ms - accepted_at)
        ends_at = works_at + span.worked_us // 1_000
        found.append(
            Bar(
                name=span.stage,
                waits_at=max(0, works_at - span.waited_ms),
                works_at=works_at,
                ends_at=ends_at,
                outcome=span.outcome,
            )
        )
        if span.stage == "completion":
            mine = [call for call in rest if (call.started_at or 0) <= span.ended_ms]
            found += [_call(call, accepted_at) for call in mine]
            rest = [call for call in rest if call not in mine]
    return [*found, *(_call(call, accepted_at) for call in rest)]


def _call(call: Call, accepted_at: int) -> Bar:
    at = max(0, (call.started_at or 0) - accepted_at)
    name = call.deployment or call.model or call.tier or "call"
    return Bar(
        name=name, waits_at=at, works_at=at, ends_at=at + (call.took_ms or 0), outcome=call.outcome or "", call=True
    )


def drawn(lines: Sequence[Bar], total_ms: int) -> Iterator[str]:
    """The lines as text: what waited is pale, what worked is solid."""
    whole = max(1, total_ms, *(bar.ends_at for bar in lines), 1)
    longest = max((len(_name(bar)) for bar in lines), default=0)
    for bar in lines:
        start, works, end = (round(_WIDTH * at / whole) for at in (bar.waits_at, bar.works_at, bar.ends_at))
        start, works = min(start, _WIDTH - 1), min(works, _WIDTH - 1)  # what was short and late is seen too
        picture = " " * start + _WAITED * (works - start) + _WORKED * max(1, end - works)
        waited = f"waited {bar.works_at - bar.waits_at} ms, " if bar.works_at > bar.waits_at else ""
        took = f"{waited}took {bar.ends_at - bar.works_at} ms"
        ended = "" if bar.outcome in ("ok", "") else f", {bar.outcome}"
        yield f"{_name(bar):<{longest}}  {picture:<{_WIDTH}}  {took}{ended}"


def _name(bar: Bar) -> str:
    return f"  {bar.name}" if bar.call else bar.name
