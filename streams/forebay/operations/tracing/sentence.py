"""Where did most of a request's time go, in one sentence?

The parts of its way are added up, and the longest is named: a wait for a stage, a stage's own work, calls of a
deployment, waiting to be tried again, or what lies between the stages. Names are those of the configuration.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from forebay.history.views import Call
from forebay.observability.spans import Span

_MANY_MS = 1_000
_RETRY = "retry:"
_CALLER = "completion"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of the way: ``what`` names it for the sentence; ``ms``: how long it took."""

    what: str
    ms: int


def parts(total_ms: int, spans: Sequence[Span], calls: Sequence[Call]) -> list[Part]:
    """All parts of the way, in its order; those of calls and of what is told by no span at the end."""
    found = [part for part in _of_spans(spans, calls) if part.ms > 0]
    found += _of_calls(spans, calls)
    left = total_ms - sum(part.ms for part in found)
    return [*found, Part(what="was spent between the stages", ms=left)] if left > 0 else found


def sentence(total_ms: int | None, spans: Sequence[Span], calls: Sequence[Call], *, source: str = "") -> str:
    """The sentence; without spans it says that nobody knows."""
    if total_ms is None or not spans:
        return "Where its time went is not known: its outcome has no spans."
    way = parts(total_ms, spans, calls)
    if not way or total_ms <= 0:
        return "It took less than a millisecond."
    longest = max(way, key=lambda part: part.ms)
    hit = "The cache answered. " if source.startswith("cache") else ""
    return f"{hit}{_share(min(longest.ms, total_ms), total_ms)} {longest.what}."


def _of_spans(spans: Sequence[Span], calls: Sequence[Call]) -> Iterator[Part]:
    called_ms = sum(call.took_ms or 0 for call in _made(calls))
    before: Span | None = None
    for span in spans:
        if before is not None and before.outcome.startswith(_RETRY):
            waited = span.accepted_ms - span.waited_ms - before.ended_ms
            yield Part(
                what=f"was spent waiting to be tried again, after {before.outcome.removeprefix(_RETRY)}", ms=waited
            )
        yield Part(what=f"was spent waiting until {span.stage} took it", ms=span.waited_ms)
        worked = span.worked_us // 1_000
        if span.stage == _CALLER:
            taken = min(worked, called_ms)
            worked, called_ms = worked - taken, called_ms - taken
        yield Part(what=f"went to {span.stage} itself", ms=worked)
        before = span


def _of_calls(spans: Sequence[Span], calls: Sequence[Call]) -> list[Part]:
    """One part a deployment, cut to what completion worked: calls may overlap."""
    left = sum(span.worked_us // 1_000 for span in spans if span.stage == _CALLER)
    found = []
    by_deployment: dict[str, list[Call]] = {}
    for call in _made(calls):
        by_deployment.setdefault(call.deployment or call.model or call.tier or "a model", []).append(call)
    for name, of_it in by_deployment.items():
        taken = min(left, sum(call.took_ms or 0 for call in of_it))
        left -= taken
        found.append(Part(what=f"went to {name}, {_ended(of_it)}", ms=taken))
    return [part for part in found if part.ms > 0]


def _made(calls: Iterable[Call]) -> list[Call]:
    return [call for call in calls if call.took_ms and call.purpose in (None, "completion")]


def _ended(calls: Sequence[Call]) -> str:
    last = calls[-1].outcome or "unknown"
    tries = f" {len(calls)} times" if len(calls) > 1 else ""
    if last == "ok":
        return f"which answered at the call {len(calls)}" if len(calls) > 1 else "which answered"
    if last == "escalated":
        return "whose answer was not good enough"
    return f"which did not answer{tries} ({last})"


def _share(ms: int, total_ms: int) -> str:
    if total_ms >= _MANY_MS:
        return f"{ms / 1_000:.1f} of {total_ms / 1_000:.1f} s"
    return f"{ms} of {total_ms} ms"
