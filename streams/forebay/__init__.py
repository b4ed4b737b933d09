"""Forebay: LLM calls as a system on Kafka and Faust. For applications::

    from forebay import ForebayClient, installation

Everything else is for those who build on it: start with :mod:`forebay.contract.topics` (which records flow where) and
:mod:`forebay.runtime.stage` (how a handler is run so that nothing is lost). ``import forebay`` loads nothing but this
file; a name's module is imported when the name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forebay.client.client import ForebayClient, NotDeliveredError, RequestTooLargeError
    from forebay.contract.records import Message, MessageRole, Params, Request, Response
    from forebay.embedded.installation import installation

__version__ = "0.1.0"
__all__ = [
    "ForebayClient",
    "Message",
    "MessageRole",
    "NotDeliveredError",
    "Params",
    "Request",
    "RequestTooLargeError",
    "Response",
    "installation",
]

_MODULES = {
    "forebay.client.client": ("ForebayClient", "NotDeliveredError", "RequestTooLargeError"),
    "forebay.contract.records": ("Message", "MessageRole", "Params", "Request", "Response"),
    "forebay.embedded.installation": ("installation",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
