"""What would the cache say of a pair of questions? The very decision of the stage, without a broker or a store."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forebay.contract.canonical import canonical_messages
from forebay.contract.json_lines import InvalidLineError, request_from_json
from forebay.contract.records import MessageRole
from forebay_agents.cache.language.script import readable
from forebay_agents.cache.matching.matching import Matcher, Verdict
from forebay_agents.cache.settings import MAX_QUESTION_CHARS


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionPair:
    """Two conversations in canonical form: all turns but the last, and the last one.

    Attributes:
        record_id: what the line calls itself.
        duplicate: its label, where it has one.
    """

    record_id: Any
    before_a: Any
    before_b: Any
    a: str
    b: str
    duplicate: bool | None


def object_of(line: str) -> dict[str, Any]:
    """The object of one line. Raises :class:`InvalidLineError`; the message never quotes the text."""
    line = line.removeprefix("\ufeff").strip()  # what some editors begin a file with
    if not line:
        raise InvalidLineError("the line is empty")
    if not is_unicode(line):
        raise InvalidLineError("the line is not UTF-8")
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        raise InvalidLineError(f"not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):
        raise InvalidLineError("not JSON that can be read: a number too long, or nested too deeply") from None
    if not isinstance(content, dict):
        raise InvalidLineError("a line must be an object")
    return content


def is_unicode(content: Any) -> bool:
    """Whether no text in ``content`` has half a surrogate pair, which JSON can write and UTF-8 cannot."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def pair_of(line: str) -> QuestionPair:
    """Read ``{"id"?, "a", "b", "duplicate"?}``: two last user turns or two lists of messages.

    Raises:
        InvalidLineError: the message never quotes the text.
    """
    content = object_of(line)
    record_id = content.get("id")
    known_id = record_id if isinstance(record_id, str | int | float) and not isinstance(record_id, bool) else None
    if isinstance(known_id, float) and not math.isfinite(known_id):
        raise InvalidLineError("id is no number that JSON has")
    try:
        (before_a, a), (before_b, b) = _side(content, "a"), _side(content, "b")
        label = _label(content)
    except InvalidLineError as error:
        raise IdentifiedError(str(error), known_id) from None
    return QuestionPair(record_id=known_id, before_a=before_a, before_b=before_b, a=a, b=b, duplicate=label)


def labelled_pair_of(line: str) -> QuestionPair:
    """The same for a line that must have its label."""
    pair = pair_of(line)
    if pair.duplicate is None:
        raise IdentifiedError("duplicate is missing", pair.record_id)
    return pair


def _label(content: Mapping[str, Any]) -> bool | None:
    label = content.get("duplicate")
    if label not in (None, True, False, 0, 1):
        raise InvalidLineError("duplicate must be true or false")
    return None if label is None else bool(label)


class IdentifiedError(InvalidLineError):
    """A bad line that has an id; ``id_value`` is it, a string or a number."""

    def __init__(self, message: str, id_value: Any) -> None:
        super().__init__(message)
        self.id_value = id_value


def _side(content: Mapping[str, Any], name: str) -> tuple[Any, str]:
    value = content.get(name)
    if not isinstance(value, str | list) or not value:
        raise InvalidLineError(f"{name} must be a text or a list of messages, and not empty")
    if not is_unicode(value):
        raise InvalidLineError(f"{name} has half a surrogate pair, which is no text")
    try:
        request = request_from_json({"messages": value})
    except InvalidLineError as error:
        raise InvalidLineError(f"{name}: {error}") from None
    if request.messages[-1].role is not MessageRole.USER:
        raise InvalidLineError(f"{name}: the last message must be the user's")
    turns, _ = canonical_messages(request.messages)
    return turns[:-1], turns[-1]["content"]


def decide(
    pair: QuestionPair, matcher: Matcher, threshold: float | None = None, longest: int = MAX_QUESTION_CHARS
) -> Verdict:
    """The verdict on answering ``a`` with what was answered to ``b``.

    Args:
        longest: characters of a question that is compared by meaning.
    """
    least = matcher.threshold if threshold is None else threshold
    if pair.before_a != pair.before_b:
        # Another partition: the two are never compared, whatever their last turns are.
        return Verdict(hit=False, similarity=0.0, threshold=least, score=0.0, reasons=("context",), forbidden=True)
    if pair.a == pair.b:
        return Verdict(hit=True, similarity=1.0, threshold=least, score=1.0, reasons=("equal",))
    reason = _exact_only(pair, longest)
    if reason is not None:
        return Verdict(hit=False, similarity=0.0, threshold=least, score=0.0, reasons=(reason,), forbidden=True)
    return matcher.compare(matcher.read(pair.a), [matcher.read(pair.b)], [threshold])[0]


def _exact_only(pair: QuestionPair, longest: int) -> str | None:
    """Why the stage would only look for an equal question, if so (see
    :func:`forebay_agents.cache.store.address.comparable`)."""
    texts = (pair.a.strip(), pair.b.strip())
    if any(len(text) > longest for text in texts):
        return "too_long"
    return None if all(map(readable, texts)) else "script"


def explained(pair: QuestionPair, verdict: Verdict) -> dict[str, Any]:
    """One line of output."""
    head = {} if pair.record_id is None else {"id": pair.record_id}
    return head | {
        "hit": verdict.hit,
        "similarity": round(verdict.similarity, 4),
        "threshold": round(verdict.threshold, 4),
        "score": verdict.score,
        "reasons": list(verdict.reasons),
    }


def bad_line(error: InvalidLineError) -> dict[str, Any]:
    """What stands in the place of a line that cannot be read."""
    id_value = getattr(error, "id_value", None)
    head = {} if id_value is None else {"id": id_value}
    return head | {"error": {"code": "invalid_request", "message": str(error)}}


def explain_lines(lines: Iterable[str], matcher: Matcher) -> Iterator[tuple[dict[str, Any], bool]]:
    """For each line its output and whether it was good, in order."""
    for line in lines:
        try:
            pair = pair_of(line)
        except InvalidLineError as error:
            yield bad_line(error), False
        else:
            yield explained(pair, decide(pair, matcher)), True
