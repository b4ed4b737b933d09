"""Forebay and the package openai-agents, whose import name is `agents`, live in one environment."""

from pathlib import Path

import pytest

from tests.wheel.environments import ROOT, Environment, empty

pytestmark = pytest.mark.wheel

_PROGRAM = """
import agents
import forebay
from agents import Agent, Runner
from forebay import AsyncForebayClient, ForebayClient, Request, Response
print(agents.__file__)
print(forebay.__file__)
print(Agent(name="helper", instructions="Answer briefly.").name, Request().tenant_id)
"""


@pytest.fixture(scope="module")
def both(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = empty(tmp_path_factory.mktemp("both"))
    made.install(str(wheel), "openai-agents")
    return made


@pytest.mark.parametrize("in_the_checkout", [False, True], ids=["away", "in the checkout"])
def test_both_are_imported(both: Environment, in_the_checkout: bool) -> None:
    theirs, ours, worked = both.python(_PROGRAM, cwd=ROOT if in_the_checkout else None).splitlines()
    assert Path(theirs) == both.packages / "agents" / "__init__.py"
    assert Path(ours) == both.packages / "forebay" / "__init__.py"
    assert worked == "helper default"
