"""Which port does a part listen on? A free one of loopback, the same again after every restart.

A killed broker must come back where its clients and its peers look for it. Ports are taken from below the ranges that
systems use for outgoing connections, since one of those could sit on a remembered port while its server is down.
"""

import json
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from forebay.embedded.files import write_private

FIRST, LAST = 20_000, 31_999
"""Linux hands out 32768 and above for outgoing connections, macOS and Windows 49152 and above."""

EDGE = 8_600
"""Of the HTTP door: one that people can remember, where it is free."""

_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server can listen on ``port`` of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: old connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ports:
    """Named ports, remembered in a file.

    Args:
        path: the file; a damaged one is started afresh.
    """

    def __init__(self, path: Path, free: Callable[[int], bool] = is_free) -> None:
        self._path = path
        self._free = free
        self._known = _read(path)
        self._taken: set[int] = set()

    def take(self, name: str, wanted: int = 0) -> int:
        """The port of ``name``: the one it had, unless somebody else has it now; at first ``wanted``, if that is free.

        Raises ``OSError`` if none is free.
        """
        port = self._known.get(name)
        if port is None or port in self._taken or not self._free(port):
            port = wanted if wanted and wanted not in self._taken and self._free(wanted) else self._new()
            self._known[name] = port
            write_private(self._path, json.dumps(self._known, indent=1))
        self._taken.add(port)
        return port

    def _new(self) -> int:
        spoken_for = self._taken | set(self._known.values())
        for _ in range(_TRIES):
            port = FIRST + secrets.randbelow(LAST - FIRST + 1)
            if port not in spoken_for and self._free(port):
                return port
        raise OSError(f"no free port between {FIRST} and {LAST} on 127.0.0.1")


def _read(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: port for name, port in found.items() if isinstance(port, int) and (FIRST <= port <= LAST or port == EDGE)
    }
