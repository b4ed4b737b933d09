"""``forebay.testing`` is light, and offers what its page says."""

import subprocess
import sys

import pytest

from forebay import testing

PROGRAM = """
import sys
from forebay import testing
light = len(sys.modules)
for name in testing.__all__:
    getattr(testing, name)
names = {"pytest", "unittest.mock", "faust", "litellm", "presidio_analyzer", "onnxruntime", "numpy"}
heavy = names & sys.modules.keys()
assert light < 120 and not heavy, (light, heavy)
"""


APPLICATION = """
import sys
from forebay import AsyncForebayClient, ForebayClient
from forebay.testing import MemoryChannel
with ForebayClient(channel=MemoryChannel("19")) as client:
    assert client.ask("What is 12 + 7?").content == "19"
server = {"aiokafka", "confluent_kafka", "faust", "litellm", "numpy", "aiohttp"} & sys.modules.keys()
assert not server, server
"""


@pytest.mark.parametrize("program", [PROGRAM, APPLICATION], ids=["all names", "an application's test"])
def test_it_brings_nothing_along_that_its_users_need_not_have(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_name_is_where_it_says() -> None:
    assert sorted(testing._HOME) == testing.__all__
    assert all(getattr(testing, name) is not None for name in testing.__all__)
