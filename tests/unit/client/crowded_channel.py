"""A channel whose queue is full when a test says so."""

from concurrent.futures import Future

from forebay.contract.records import Request, Response
from forebay.testing import MemoryChannel


class CrowdedChannel(MemoryChannel):
    """Answers at once, where it takes anything.

    Attributes:
        room: how many offers are taken before the queue is full.
        rooms_made: how often somebody waited for room in a full queue, and found a lot.
    """

    def __init__(self, *, room: int) -> None:
        super().__init__("19")
        self.room = room
        self.rooms_made = 0

    def ask(self, request_id: str, value: bytes, request: Request | None) -> "Future[Response]":
        self._take()
        return super().ask(request_id, value, request)

    def deliver(self, topic: str, key: str, value: bytes) -> "Future[None]":
        self._take()
        return super().deliver(topic, key, value)

    def make_room(self, seconds: float) -> None:
        self.rooms_made += 1
        self.room = 1_000

    def _take(self) -> None:
        if self.room == 0:
            raise BufferError
        self.room -= 1
