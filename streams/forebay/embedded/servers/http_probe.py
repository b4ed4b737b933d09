"""Does a server on loopback answer? One GET, over a plain socket: no HTTP library has to be imported for it."""

import socket

from forebay.embedded.parts import Health


def http_health(port: int, path: str, timeout_s: float = 2.0) -> Health:
    """What ``GET path`` on ``port`` says: 200 is ready, any other answer alive."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = b""
            while len(head) < len(b"HTTP/1.1 200") and (more := connection.recv(64)):
                head += more
    except OSError:
        return Health.DOWN
    if not head.startswith(b"HTTP/1."):
        return Health.DOWN
    return Health.READY if head[9:12] == b"200" else Health.ALIVE
