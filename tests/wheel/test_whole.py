"""`pip install 'forebay[server,embedded]'` runs the whole stack, away from the checkout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wheel.environments import Environment

pytestmark = [pytest.mark.wheel, pytest.mark.embedded, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def stack(whole: Environment) -> Iterator[Environment]:
    """Everything started, in an empty folder: all stages in one process, so that each module is compiled once."""
    started = whole.run("forebay", "up", "--detach", "--workers", "single")
    try:
        assert started.returncode == 0, started.stderr
        yield whole
    finally:
        ended = whole.run("forebay", "down")
    assert ended.stderr == "stopped\n"


def test_a_request_is_answered(stack: Environment) -> None:
    answered = stack.run("forebay", "send", "--wait", "--timeout", "240", text="How many days are there in a week?\n")
    assert answered.returncode == 0, (answered.stdout, answered.stderr)
    assert answered.stdout.startswith("[model ")


def test_the_client_finds_the_stack_that_runs_in_its_folder(stack: Environment, tmp_path: Path) -> None:
    told = stack.python(
        "from forebay import ForebayClient\n"
        "with ForebayClient() as client:\n"
        "    print(client.ask([{'role': 'user', 'content': 'Name a colour.'}], timeout_s=240).status.value)\n"
    )
    assert told == "ok\n"
