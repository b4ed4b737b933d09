"""Forebay: LLM calls as a system on Kafka and Faust. For applications::

    from forebay import ForebayClient

    with ForebayClient() as client:
        print(client.ask("What is 12 + 7?", user_id="u-1").content)

Everything else is for those who build on it: start with :mod:`forebay.contract.topics` (which records flow where) and
:mod:`forebay.runtime.stage` (how a handler is run so that nothing is lost). ``import forebay`` loads nothing but this
file; a name's module is imported when the name is first used. A name is here once a page under ``docs/how-to`` needs
it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forebay.client.async_client import AsyncForebayClient
    from forebay.client.client import ForebayClient
    from forebay.client.errors import ClientClosedError, InvalidRequestError, NotDeliveredError, RequestTooLargeError
    from forebay.client.response_topic import ResponseTopic
    from forebay.contract.records import (
        CacheMode,
        CachePolicy,
        Feedback,
        FeedbackRating,
        Message,
        MessageRole,
        Params,
        Request,
        Response,
        ResponseStatus,
    )
    from forebay.contract.wire import UndecodableError
    from forebay.embedded.installation import installation

__version__ = "0.1.0"  # the only place: pyproject.toml reads it here
__all__ = [
    "AsyncForebayClient",
    "CacheMode",
    "CachePolicy",
    "ClientClosedError",
    "Feedback",
    "FeedbackRating",
    "ForebayClient",
    "InvalidRequestError",
    "Message",
    "MessageRole",
    "NotDeliveredError",
    "Params",
    "Request",
    "RequestTooLargeError",
    "Response",
    "ResponseStatus",
    "ResponseTopic",
    "UndecodableError",
    "installation",
]

_MODULES = {
    "forebay.client.async_client": ("AsyncForebayClient",),
    "forebay.client.client": ("ForebayClient",),
    "forebay.client.errors": ("ClientClosedError", "InvalidRequestError", "NotDeliveredError", "RequestTooLargeError"),
    "forebay.client.response_topic": ("ResponseTopic",),
    "forebay.contract.records": (
        "CacheMode",
        "CachePolicy",
        "Feedback",
        "FeedbackRating",
        "Message",
        "MessageRole",
        "Params",
        "Request",
        "Response",
        "ResponseStatus",
    ),
    "forebay.contract.wire": ("UndecodableError",),
    "forebay.embedded.installation": ("installation",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
