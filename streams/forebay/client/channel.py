"""What does a client need of the brokers? Five things, so that it is the same on Kafka and on nothing (in tests).

Nothing here, nor in the two clients, is imported for its cost: ``from forebay import ForebayClient`` takes 0.05 s.
Whatever is dear (pydantic, fastavro, librdkafka, asyncio: 0.4 s) is imported when a client is opened or asked.
"""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from concurrent.futures import Future

    from forebay.contract.records import Request, Response


class Channel(Protocol):
    """An open connection; safe to use from several threads. All but ``encode`` return at once."""

    @property
    def outstanding(self) -> int:
        """Ids that still wait for a response."""
        ...

    def encode(self, topic: str, record: Any) -> bytes:
        """The bytes of a record of ``topic`` (logical name). The first of a topic may ask the schema registry, but of
        ``requests``, which was asked about when the channel was opened.

        Raises :class:`RequestTooLargeError`, and ``ValueError`` when a field does not fit the schema.
        """
        ...

    def ask(self, request_id: str, value: bytes, request: "Request | None") -> "Future[Response]":
        """Publish a request; a future of its response. ``request`` is ``None`` when only its bytes are known.

        Raises:
            BufferError: there is no room for the moment; see :meth:`make_room`.
            ClientClosedError: too late.
        """
        ...

    def deliver(self, topic: str, key: str, value: bytes) -> "Future[None]":
        """Publish a record that has no answer; a future that is done when the brokers have it. Raises as ``ask``."""
        ...

    def give_up(self, request_id: str, future: "Future[Response]") -> None:
        """Nobody waits for ``future`` any more; others may wait for the same id."""
        ...

    def make_room(self, seconds: float) -> None:
        """Wait until something was delivered, ``seconds`` at most."""
        ...

    def close(self) -> None:
        """Deliver what is queued, for 30 s at most, then stop reading; who still waits is cancelled. Blocks."""
        ...
