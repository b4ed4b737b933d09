"""``python -m loadtest.provider`` says where it listens, writes its invoice, and stops when it is told to."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path


def test_the_command_serves_until_sigterm(tmp_path: Path) -> None:
    config, invoice = tmp_path / "script.yaml", tmp_path / "invoice.jsonl"
    config.write_text("models: {small: {input_nanousd: 3}}\n")
    command = [sys.executable, "-m", "loadtest.provider", "--port", "0", "--config", config, "--invoice", invoice]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = json.loads(process.stdout.readline())
            request = urllib.request.Request(
                f"{address['base_url']}/chat/completions",
                json.dumps({"model": "small", "messages": [{"role": "user", "content": "1 + 1?"}]}).encode(),
                {"content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                assert response.status == 200
        finally:
            process.terminate()
        assert process.wait(30) == 0
    [line] = invoice.read_text().splitlines()
    assert json.loads(line)["model"] == "small"
