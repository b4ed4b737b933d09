"""Does a server on loopback answer? One GET, over a plain socket: no HTTP library has to be imported for it."""

import socket


def http_ok(port: int, path: str, timeout_s: float = 2.0) -> bool:
    """Whether ``GET path`` on ``port`` is answered with status 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            status = b""
            while len(status) < len(b"HTTP/1.1 200") and (more := connection.recv(64)):
                status += more
    except OSError:
        return False
    return status.startswith(b"HTTP/1.") and status[9:12] == b"200"
