"""The operator's story in docs/how-to/replay-dead-letters.md, run as it stands, with fewer requests."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from streams.embedded.ports import Ports

STORY = Path(__file__).parents[2] / "docs/how-to/replay-dead-letters.md"
REQUESTS = 60


def commands(text: str) -> str:
    """All commands of a document, as one script that stops at the first that fails."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return "set -eo pipefail\n" + "\n".join(f"set -x\n{block}\nset +x" for block in blocks)


@pytest.mark.embedded
@pytest.mark.timeout(600)
def test_an_outage_dead_letters_requests_and_an_operator_makes_it_good(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(STORY.parents[2]),
        "REQUESTS": str(int(os.environ.get("FOREBAY_STORY_REQUESTS", REQUESTS))),
        "PROVIDER_PORT": str(Ports(tmp_path / "ports.json").take("provider")),
    }
    process = subprocess.Popen(
        ["bash", "-c", commands(STORY.read_text("utf-8"))],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=580)
    finally:
        subprocess.run([sys.executable, "-m", "streams.cli", "down"], cwd=tmp_path, env=environment, check=False)
        if process.poll() is None:
            os.killpg(process.pid, 9)
    assert process.returncode == 0, output
    failed = [json.loads(line) for line in (tmp_path / "failed.jsonl").read_text().splitlines()]
    assert [row["status"] for row in failed] == ["failed"] * int(environment["REQUESTS"])
    billed = [json.loads(line) for line in (tmp_path / "invoice.jsonl").read_text().splitlines()]
    paid = Counter((line["headers"]["x-forebay-request-id"], line["model"]) for line in billed)
    assert {request for request, _ in paid} == {row["request_id"] for row in failed}
    assert set(paid.values()) == {1}, "each request was paid once by each tier that it needed"
    trail = re.findall(r"^(dlq\.\w+)\t(\w+)\t(\d+)\t", output, re.MULTILINE)
    actions = Counter(action for action, _, _ in trail)
    assert actions == {"dlq.replay": 3, "dlq.pause": 1, "dlq.park": 1, "dlq.drop": 1, "dlq.export": 1}
