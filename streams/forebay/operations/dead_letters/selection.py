"""Which dead letters does an operator mean? A filter, made of what people type, and the letters that it matches."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points

from forebay.contract.error_codes import CODES
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.dead_letters.letters import DeadLetter, LetterState


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which letters? Empty fields match everything; times in ms since the epoch, half-open."""

    stage: str = ""
    code: str = ""
    tenant: str = ""
    request_id: str = ""
    text: str = ""
    since: int | None = None
    until: int | None = None
    states: frozenset[LetterState] = frozenset({LetterState.OPEN})
    ids: frozenset[str] = frozenset()

    def matches(self, letter: DeadLetter) -> bool:
        """Whether ``letter`` is meant."""
        return (
            self.stage in ("", letter.stage)
            and self.code in ("", letter.code)
            and self.tenant in ("", letter.tenant_id)
            and self.request_id in ("", letter.request_id)
            and self.text.casefold() in letter.message.casefold()
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
            and (not self.states or letter.state in self.states)
            and (not self.ids or letter.letter_id in self.ids)
        )

    def describe(self) -> str:
        """The filter in words, for the audit trail."""
        parts = [
            f"{name}={value}"
            for name, value in (
                ("stage", self.stage),
                ("code", self.code),
                ("tenant", self.tenant),
                ("request_id", self.request_id),
                ("text", self.text),
                ("since", self.since),
                ("until", self.until),
                ("ids", ",".join(sorted(self.ids))),
            )
            if value
        ]
        return " ".join(parts) or "all"


def replayable_states(*, again: bool, by_id: bool) -> frozenset[LetterState]:
    """States that a replay chooses from: open; ``again``: all but dropped, and those too by their ids (none: all)."""
    if not again:
        return frozenset({LetterState.OPEN})
    return frozenset() if by_id else frozenset(LetterState) - {LetterState.DROPPED}


def chosen_of(letters: Iterable[DeadLetter], chosen: Filter, limit: int = 0) -> list[DeadLetter]:
    """The ``letters`` that match, the oldest failure first; ``limit`` 0: all.

    Raises:
        InvalidChoiceError: a stage or code that none of ``letters`` has, and that is not known either.
    """
    found, stages, codes = [], set(), set()
    for letter in letters:
        stages.add(letter.stage)
        codes.add(letter.code)
        if chosen.matches(letter):
            found.append(letter)
    if chosen.code and chosen.code not in codes | CODES.keys():
        raise InvalidChoiceError(f"there is no error code {chosen.code!r}; `forebay dlq stats` shows those at hand")
    known = {entry.name for entry in entry_points(group="forebay.stages")}
    if chosen.stage and chosen.stage not in stages | known:
        raise InvalidChoiceError(f"there is no stage {chosen.stage!r}, only {', '.join(sorted(known))}")
    found.sort(key=lambda letter: letter.failed_at)
    return found[:limit] if limit else found
