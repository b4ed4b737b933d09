"""What may be asked? A text, messages, a mapping, or a request; all become the one record that is published."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from forebay.client.errors import InvalidRequestError
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import InvalidLineError, complete, new_id, request_from_json
from forebay.contract.records import Feedback, Message, Request

Asked = Request | str | Mapping[str, Any] | Iterable[Message | Mapping[str, Any]]
"""A request; the text of one user message; a request as a mapping; or messages, as records or as OpenAI has them."""


def request_of(asked: Asked, fields: Mapping[str, Any]) -> Request:
    """The complete request, with an id and a time.

    Args:
        asked: what the application gave.
        fields: further fields of the request, when ``asked`` is only its messages; records or mappings.

    Raises:
        InvalidRequestError: a field does not exist, or cannot have that value.
    """
    if isinstance(asked, Request | Mapping):
        if fields:
            raise InvalidRequestError("give fields either in the request or as arguments, not both")
        return complete(asked) if isinstance(asked, Request) else _read(asked)
    if "messages" in fields:
        raise InvalidRequestError("messages: they are given twice")
    return _read({"messages": _messages(asked), **fields})


def _messages(given: Any) -> str | list[Any]:
    if isinstance(given, str):
        return given
    if isinstance(given, Iterable) and not isinstance(given, bytes | bytearray | memoryview):
        return list(given)
    raise InvalidRequestError(
        f"a request is a text, a list of messages, a mapping or a Request, not {type(given).__name__}"
    )


def feedback_of(feedback: Feedback) -> Feedback:
    """``feedback`` with an id and a time, where it has none. Raises :class:`InvalidRequestError`: about nothing."""
    if not feedback.request_id:
        raise InvalidRequestError("request_id: feedback is about a request")
    return replace(feedback, feedback_id=feedback.feedback_id or new_id(), created_at=feedback.created_at or now_ms())


def _read(content: Mapping[str, Any]) -> Request:
    try:
        return request_from_json(content)
    except InvalidLineError as error:
        raise InvalidRequestError(str(error)) from None
