"""What can go wrong when an application asks, but for the answer itself."""


class InvalidRequestError(ValueError, TypeError):
    """What was given is no request; the message names each wrong field and the nearest right name, never a value.

    A ``TypeError`` as well, which is what Python says of an argument that does not exist.
    """


class RequestTooLargeError(ValueError):
    """The encoded request exceeds ``kafka.max_record_bytes``."""


class NotDeliveredError(Exception):
    """The brokers did not take the record."""


class ClientClosedError(RuntimeError):
    """The client was closed: before this was asked, or before its response came."""
