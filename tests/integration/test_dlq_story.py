"""The operator's story in docs/how-to/replay-dead-letters.md, run as it stands, with fewer requests."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from forebay.embedded.ports import Ports

STORY = Path(__file__).parents[2] / "docs/how-to/replay-dead-letters.md"
REQUESTS = int(os.environ.get("TEST_STORY_REQUESTS", "60"))
TIMEOUT_S = 600 + REQUESTS


def commands(text: str) -> str:
    """All commands of a document, as one script that stops at the first that fails."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    start = "set -eo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null' EXIT\n"  # no provider outlives a script that failed
    return start + "\n".join(f"set -x\n{block}\nset +x" for block in blocks)


@pytest.mark.embedded
@pytest.mark.timeout(TIMEOUT_S)
def test_an_outage_dead_letters_requests_and_an_operator_makes_it_good(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(STORY.parents[2]),
        "REQUESTS": str(REQUESTS),
        "PROVIDER_PORT": str(Ports(tmp_path / "ports.json").take("provider")),
    }
    log = tmp_path / "story.log"  # a file, not a pipe: what the script leaves running would keep a pipe open
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["bash", "-c", commands(STORY.read_text("utf-8"))],
            cwd=tmp_path,
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        status: int | str = process.wait(timeout=TIMEOUT_S - 20)
    except subprocess.TimeoutExpired:
        status = "still running"
    finally:
        subprocess.run([sys.executable, "-m", "forebay", "down"], cwd=tmp_path, env=environment, check=False)
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()
    output = log.read_text("utf-8")
    assert status == 0, f"{status}\n{output}"
    failed = [json.loads(line) for line in (tmp_path / "failed.jsonl").read_text().splitlines()]
    assert [row["status"] for row in failed] == ["failed"] * REQUESTS
    billed = [json.loads(line) for line in (tmp_path / "invoice.jsonl").read_text().splitlines()]
    paid = Counter((line["headers"]["x-forebay-request-id"], line["model"]) for line in billed)
    assert {request for request, _ in paid} == {row["request_id"] for row in failed}
    assert set(paid.values()) == {1}, "each request was paid once by each tier that it needed"
    trail = re.findall(r"^(dlq\.\w+)\t(\w+)\t(\d+)\tdone$", output, re.MULTILINE)
    actions = Counter(action for action, _, _ in trail)
    assert actions == {
        "dlq.replay": 3, "dlq.park": 1, "dlq.drop": 1, "dlq.export": 1, "dlq.show": 1, "dlq.preview": 1,
    }  # fmt: skip
