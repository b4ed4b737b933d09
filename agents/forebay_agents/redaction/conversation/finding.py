"""What does the conversation of a request give away? The door of the room: parts in, findings out."""

from collections.abc import Sequence

from forebay_agents.redaction.conversation import memory
from forebay_agents.redaction.conversation.cues import Cues, shipped
from forebay_agents.redaction.conversation.fields import of_parts
from forebay_agents.redaction.conversation.reading import Open, Reading, read
from forebay_agents.redaction.conversation.turns import of_messages
from forebay_agents.redaction.detection.normalise import View
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.request_parts import Part

_SCORE = 0.8
"""Above what a name or a word by itself gets: what was asked for says what the answer is."""


class Conversations:
    """Reads conversations.

    Args:
        cues: by which words is asked; those of the package, if none are given.
    """

    def __init__(self, cues: Cues | None = None) -> None:
        self._cues = shipped() if cues is None else cues

    def found(
        self, view: View, parts: Sequence[Part], bounds: Sequence[tuple[int, int]], kept: str = ""
    ) -> tuple[list[Span], str]:
        """Findings in ``view``, and what to remember of the conversation at the end of the request.

        Args:
            bounds: of the parts, in the original of ``view``.
            kept: what was remembered of it before.
        """
        before = memory.begun(kept, parts)
        turns = of_messages(parts, bounds, view, going_on=before is not None)
        reading = read(view.text, turns, self._cues, before) if turns else Reading(open=before or Open())
        places = [(view.here(start), view.here(end)) for start, end in bounds]
        answers = [*reading.found, *of_parts(view.text, parts, places)]
        spans = [Span(start=start, end=end, kind=kind, score=_SCORE) for start, end, kind in answers]
        return spans, memory.kept(reading.open, parts)
