"""Is this worker still in its consumer group? Whoever is about to publish asks; the answers to heartbeats say so.

A process that stood still (a debugger, a laptop's lid, a machine without memory) wakes up believing in its partitions,
which others have by then: the coordinator gives them away when a session ends without a heartbeat. So membership holds
for one session from when the last heartbeat that was answered well was *sent*: an answer may have waited in a socket
for as long as the process stood still. ``elapsed_s`` counts also while it does.
"""

from collections.abc import Callable
from typing import Any

from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

from forebay.contract.clock import elapsed_s


class Membership:
    """Whether the coordinator has this worker for a member; read by the stage, written by the consumer's thread.

    Args:
        session_s: seconds after which the coordinator gives a silent worker's partitions to others.
    """

    def __init__(self, session_s: float, elapsed: Callable[[], float] = elapsed_s) -> None:
        self._session_s = session_s
        self._elapsed = elapsed
        self._heard_s = float("-inf")

    def heard(self, asked_s: float) -> None:
        """The coordinator said, to what it was asked at ``asked_s``, that this worker is a member."""
        self._heard_s = max(self._heard_s, asked_s)

    def confirmed(self) -> bool:
        """Whether nobody else can have this worker's partitions yet."""
        return self._elapsed() - self._heard_s < self._session_s

    def watch(self, coordinator: Any) -> None:
        """Listen to what the coordinator's client (aiokafka's ``GroupCoordinator``) is answered.

        A heartbeat that is told of a rebalance confirms nothing: partitions may go as soon as the others have joined.
        """
        send = coordinator._send_req  # noqa: SLF001 - aiokafka keeps the time of the last heartbeat to itself

        async def listening(request: Any) -> Any:
            asked_s = self._elapsed()
            response = await send(request)
            if isinstance(request, HeartbeatRequest | SyncGroupRequest) and response.error_code == 0:
                self.heard(asked_s)
            return response

        coordinator._send_req = listening  # noqa: SLF001
