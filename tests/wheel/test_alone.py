"""`pip install forebay` is the client and the command line, away from the checkout; what more there is, it says."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import forebay
from tests.wheel.environments import Environment

pytestmark = pytest.mark.wheel

_IMPORT = "import sys, time; t = time.process_time(); {}; print(time.process_time() - t)"


def test_it_is_small(alone: Environment) -> None:
    assert alone.megabytes() <= 100


def test_it_has_one_version(alone: Environment) -> None:
    assert alone.run("forebay", "--version").stdout == f"forebay {forebay.__version__}\n"
    assert alone.run("python", "-m", "forebay", "--version").stdout == f"forebay {forebay.__version__}\n"
    assert (
        alone.python("from importlib.metadata import version; print(version('forebay'))").strip() == forebay.__version__
    )


def test_both_packages_and_their_data_are_inside(alone: Environment) -> None:
    assert {path.name for path in alone.packages.glob("forebay*")} >= {"forebay", "forebay_agents"}
    data = alone.packages / "forebay" / "_data"
    assert (data / "schemas" / "registry.json").is_file()
    assert (data / "forebay.yaml").is_file()
    assert all((alone.packages / package / "py.typed").is_file() for package in ("forebay", "forebay_agents"))


def test_help_shows_every_command(alone: Environment) -> None:
    shown = alone.run("forebay", "--help")
    assert shown.returncode == 0, shown.stderr
    commands = json.loads(
        alone.python(
            "import json; from importlib.metadata import entry_points\n"
            "print(json.dumps([entry.name for entry in entry_points(group='forebay.commands')]))"
        )
    )
    assert [command for command in commands if f" {command} " not in shown.stdout] == []


def test_importing_it_costs_less_than_twice_importing_asyncio(alone: Environment) -> None:
    def cost(statement: str) -> float:
        return min(float(alone.python(_IMPORT.format(statement))) for _ in range(7))

    assert cost("from forebay import *") < 2 * cost("import asyncio")


def test_the_client_needs_nothing_else(alone: Environment) -> None:
    told = alone.python(
        "from forebay import ForebayClient, ResponseTopic\n"
        "import forebay.client.kafka_channel\n"
        "from forebay.client.asking import request_of\n"
        "print(ResponseTopic().name, request_of([{'role': 'user', 'content': 'x'}], {}).messages[0].content)"
    )
    assert told == "forebay.responses x\n"


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["redact", "-"], "server"),
        (["compress", "-"], "server"),
        (["cache", "stats"], "server"),
        (["worker", "redaction"], "server"),
        (["up", "--detach"], "embedded"),
        (["demo"], "embedded"),
        (["tiers", "train", "rows.jsonl"], "training"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_a_command_that_needs_more_says_what(alone: Environment, words: list[str], extra: str) -> None:
    told = alone.run("forebay", *words, text='{"text": "Ada King", "context": "x", "question": "y"}\n')
    assert told.returncode == 2, (told.stdout, told.stderr)
    assert f"pip install 'forebay[{extra}]'" in told.stderr
    assert "Traceback" not in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_an_operators_commands_need_nothing_else(alone: Environment) -> None:
    checked = alone.run("forebay", "schemas", "check")
    assert checked.returncode == 0, checked.stderr
    asked = ["status", "topics describe", "dlq stats", "review list", "spend", "tail usage --end", "vault rotate"]
    with ThreadPoolExecutor(len(asked)) as pool:  # each waits 15 s for brokers that are not there
        for words, told in zip(asked, pool.map(lambda words: alone.run("forebay", *words.split()), asked), strict=True):
            assert told.returncode in (1, 2), words
            assert not re.search("not installed|Traceback|No such", told.stderr), (words, told.stderr)
