"""Peers are asked what users ask, by the same rule, and told in one table."""

import json
import subprocess
import sys

from loadtest.peers.asking import Tried, body
from loadtest.peers.report import markdown
from loadtest.peers.rows import Row
from loadtest.peers.starting import Shape
from loadtest.users.mix import Users


def tried(**fields: object) -> Tried:
    known = {"rate": 40.0, "requests": 1_000, "ok": 1_000, "latency_ms": {"p50": 40, "p95": 900, "p99": 2_000}}
    return Tried(**(known | {"cpu_ms": 11.0, "mib": 300, "yardstick_ms": 20.0} | fields))  # type: ignore[arg-type]


def test_a_rate_holds_if_95_of_100_have_their_answer_within_3_s_and_99_have_one() -> None:
    assert tried().holds
    assert tried(ok=990).holds
    assert not tried(ok=989).holds
    assert not tried(latency_ms={"p50": 40, "p95": 3_000, "p99": 3_100}).holds


def test_a_request_is_the_users_own() -> None:
    asked = next(one for one in Users(600, seed=3).asking(60.0, "try") if one.system)
    told = json.loads(body(asked))
    assert [one["role"] for one in told["messages"]] == ["system", "user"]
    assert [one["content"] for one in told["messages"]] == [asked.system, asked.text]


def test_the_table_says_what_was_not_reached_and_what_was_lost() -> None:
    row = Row(
        name="LiteLLM, presidio", rate=None, added_ms=55.0, cpu_ms=31.2, mib=900, in_flight=64, lost=64,
        yardstick_ms=20.0, tried={10.0: 4_000},
    )  # fmt: skip
    told = {"seconds": 30.0, "seed": 1, "machine": {"cores": 2}, "versions": {"litellm": "1"}, "rows": [vars(row)]}
    last = markdown(told).splitlines()[-1]
    assert last == "| LiteLLM, presidio | none that was tried | 55 | 31.2 (20) | 900 | 64 of 64 lost |"


def test_what_is_not_known_is_refused_before_anything_starts() -> None:
    command = [sys.executable, "-m", "loadtest", "peers", "--litellm", "nowhere", "--only", "portkey"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "portkey" in done.stderr
    assert len(Shape) == 3
