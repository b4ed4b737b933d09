"""An embedded stack whose models are the provider simulator, for the length of a measurement."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Admin:
    """The simulator's admin paths: it is changed and read while it runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def outage(self, for_s: float, *models: str, kind: str = "503") -> None:
        """``models``, all if none is named, fail for ``for_s`` seconds from now on."""
        self._ask("outage", {"for_s": for_s, "kind": kind, "models": list(models) or ["*"]})

    def calls(self) -> dict[str, dict[str, int]]:
        """Calls so far, by model and outcome."""
        found: dict[str, Any] = self._ask("stats")["models"]
        return {model: dict(stats.get("outcomes", {})) for model, stats in found.items()}

    def _ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/{path}", data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)


@contextlib.contextmanager
def running(script: Mapping[str, Any], **environment: str) -> Iterator[tuple[Any, Admin]]:
    """Settings of a stack that calls ``sim-small`` and ``sim-large`` of a simulator with ``script``, and its admin.

    The working directory is the stack's meanwhile, with the bodies of all calls in ``provider.jsonl``; ``environment``
    is added to that of its workers.
    """
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        (folder / "script.json").write_text(json.dumps(script), "utf-8")
        found = opened.enter_context(_provider(folder))
        opened.enter_context(_stack(folder, found["base_url"], environment))
        opened.enter_context(contextlib.chdir(folder))
        from forebay.embedded.installation import installation

        yield installation(), Admin(found["admin_url"])


@contextlib.contextmanager
def _provider(folder: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "loadtest.provider", "--config", str(folder / "script.json")]
    command += ["--request-log", str(folder / "provider.jsonl")]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextlib.contextmanager
def _stack(folder: Path, url: str, more: Mapping[str, str]) -> Iterator[None]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    for tier in ("SMALL", "LARGE"):
        environment |= {
            f"FOREBAY_TIER_{tier}_MODEL": f"openai/sim-{tier.lower()}",
            f"FOREBAY_TIER_{tier}_URL": url,
            f"FOREBAY_TIER_{tier}_KEY": "none",
        }
    environment |= {"FOREBAY_EVALUATION_SAMPLE_RATE": "0", **more}
    command = [sys.executable, "-m", "forebay"]
    up = [*command, "up", "--detach", "--no-edge"]
    started = subprocess.run(up, cwd=folder, env=environment, check=False, stderr=subprocess.PIPE, text=True)
    if started.returncode:
        sys.exit(started.stderr)
    try:
        yield
    finally:
        subprocess.run([*command, "down"], cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL)
