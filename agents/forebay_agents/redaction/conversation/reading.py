"""What of a conversation is personal since somebody asked for it? Turn by turn, with what is still open.

What was asked for stays open until it is answered, over "one second" and "take your time"; another question closes it,
and "that does not match" opens it again. What was answered may be put right: "no, 9503".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from forebay_agents.redaction.conversation.answering import Answer, answers, corrects, stated
from forebay_agents.redaction.conversation.asking import Asks, asks
from forebay_agents.redaction.conversation.cues import Cues
from forebay_agents.redaction.conversation.shapes import SHAPES

PATIENCE = 3
"""Turns of whoever asked for which a question stays open."""
_MOST = 8
"""Things that can be open at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """``text[start:end]``, and who says it.

    Attributes:
        speaker: only the same as another's or not; empty: nobody is known, and a line answers the one before.
        asks: whether it may ask; owned: whether it asks for what is its own; answers: whether it may answer.
    """

    start: int
    end: int
    speaker: str = ""
    asks: bool = True
    owned: bool = False
    answers: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """Where a conversation is.

    Attributes:
        pending: kinds that were asked for, in order, and by whom.
        answered: kinds that were answered since.
        age: turns of whoever asked since then.
        shut: whether something else was asked meanwhile.
        fresh: whether nobody but who answers has spoken since the answer.
    """

    pending: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    asker: str = ""
    age: int = 0
    shut: bool = False
    fresh: bool = False


@dataclass(kw_only=True, slots=True)
class Reading:
    """A conversation so far: what was found, and what is open."""

    found: list[Answer] = field(default_factory=list)
    open: Open = field(default_factory=Open)


def read(text: str, turns: Iterable[Turn], cues: Cues, begun: Open | None = None) -> Reading:
    """What ``turns`` of ``text`` give away.

    Args:
        begun: where the conversation was.
    """
    reading = Reading(open=begun or Open())
    known: dict[tuple[bool, str], Asks] = {}
    for turn in turns:
        asked = _asked(text, turn, cues, known) if turn.asks else _NOTHING
        now = reading.open
        if turn.answers and (now.pending or now.answered) and (turn.speaker != now.asker or not turn.speaker):
            found = _answered(text, turn, now, cues)
            if not turn.speaker and asked.kinds:
                found = []  # the next line of a form
            reading.found += found
            reading.open = _after(now, {kind for _, _, kind in found}, line=not turn.speaker)
        if turn.answers and turn.speaker:
            reading.found += stated(text, turn.start, turn.end, cues)
        if turn.asks:
            reading.open = _opened(reading.open, asked, turn.speaker)
    return reading


def _asked(text: str, turn: Turn, cues: Cues, known: dict[tuple[bool, str], Asks]) -> Asks:
    """What a turn asks; a short one that is said over and over is read once."""
    if turn.end - turn.start > _SHORT:
        return asks(text, turn.start, turn.end, cues, owned=turn.owned)
    said = turn.owned, text[turn.start : turn.end]
    asked = known.get(said)
    if asked is None:
        asked = known[said] = asks(text, turn.start, turn.end, cues, owned=turn.owned)
    return asked


_NOTHING = Asks()
_SHORT = 40
"""Characters of a turn that is remembered: a text of such has thousands of them."""


def _answered(text: str, turn: Turn, now: Open, cues: Cues) -> list[Answer]:
    if now.shut or (not turn.speaker and turn.end - turn.start > _LINE):
        return []
    again: tuple[str, ...] = ()
    if now.answered and (now.fresh or corrects(text, turn.start, turn.end, cues)):
        again = tuple(kind for kind in now.answered if not SHAPES[kind].words and kind not in now.pending)
    return answers(text, turn.start, turn.end, (*now.pending, *again), cues)


_LINE = 120
"""Characters of a line that answers the one before where nobody is known to speak."""


def _after(now: Open, kinds: set[str], *, line: bool) -> Open:
    if line and not kinds:
        return Open()
    if not kinds:
        return now
    left = tuple(kind for kind in now.pending if kind not in kinds)
    done = (*now.answered, *(kind for kind in now.pending if kind in kinds and kind not in now.answered))
    return replace(now, pending=left, answered=done, fresh=True)


def _opened(now: Open, asked: Asks, speaker: str) -> Open:
    if asked.kinds:
        return Open(pending=asked.kinds[:_MOST], asker=speaker)
    if asked.again and (now.answered or now.pending):
        pending = tuple(dict.fromkeys((*now.pending, *now.answered)))
        return replace(now, pending=pending, shut=False, age=0, fresh=False)
    if speaker != now.asker or not speaker:
        return now
    if now.age + 1 >= PATIENCE:
        return Open()
    return replace(now, age=now.age + 1, shut=asked.question, fresh=False)
