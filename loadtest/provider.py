"""A provider to test against: ``python -m loadtest.provider``, or ``async with ProviderSimulator(script)`` in a test.

OpenAI-compatible over real HTTP; what it does is scripted (:mod:`loadtest.simulator.script`), what it charges is in its
invoice. The command prints one JSON line with its address, and stops on SIGTERM.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from loadtest.simulator.answers import difficulty, is_right, truth
from loadtest.simulator.script import PROFILES, merged
from loadtest.simulator.server import Simulator, serving

__all__ = ["ProviderSimulator", "difficulty", "is_right", "truth"]


class ProviderSimulator:
    """The simulated provider on a port of this machine, for as long as the context lasts.

    Args:
        script: see docs/reference/simulator.md; merged over ``profile``.
        port: 0 takes a free one.
        invoice: file that gets a JSON line for each billed call.
        request_log: file that gets the body of each request.
    """

    def __init__(
        self,
        script: Mapping[str, Any] | None = None,
        *,
        profile: str = "default",
        host: str = "127.0.0.1",
        port: int = 0,
        invoice: Path | None = None,
        request_log: Path | None = None,
    ) -> None:
        self.simulator = Simulator(merged(PROFILES[profile], script or {}), invoice, request_log)
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._serving: Any = None

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"http://{self._host}:{self._port}/v1"

    @property
    def admin_url(self) -> str:
        """Where the admin paths are."""
        return f"http://{self._host}:{self._port}/admin"

    @property
    def port(self) -> int:
        """The port, once it is open."""
        return self._port

    @property
    def invoice(self) -> Sequence[Mapping[str, Any]]:
        """Lines billed so far."""
        return self.simulator.invoice.lines

    def configure(self, patch: Mapping[str, Any]) -> None:
        """Change the script live, by merge patch (RFC 7396)."""
        self.simulator.configure(merged(self.simulator.raw, patch))

    async def __aenter__(self) -> Self:
        self._serving = serving(self.simulator)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._serving, self._host, self._port, backlog=1024)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._serving.shutdown(timeout=0.1)
        await self._server.wait_closed()
        self.simulator.close()


async def _serve(options: argparse.Namespace) -> None:
    script = yaml.safe_load(options.config.read_text("utf-8")) if options.config else {}
    provider = ProviderSimulator(
        script,
        profile=options.profile,
        host=options.host,
        port=options.port,
        invoice=options.invoice,
        request_log=options.request_log,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with provider:
        print(json.dumps({"port": provider.port, "base_url": provider.base_url, "admin_url": provider.admin_url}))
        sys.stdout.flush()
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the provider until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.provider", description="An OpenAI-compatible simulator.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--config", type=Path, help="script, JSON or YAML, merged over the profile")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="default")
    parser.add_argument("--invoice", type=Path, help="file that gets a JSON line for each billed call")
    parser.add_argument("--request-log", type=Path, help="file that gets the body of each request")
    options = parser.parse_args(arguments)
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_serve(options))


if __name__ == "__main__":
    main()
