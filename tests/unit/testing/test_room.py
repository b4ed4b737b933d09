"""``forebay.testing`` is light, and offers what its page says."""

import subprocess
import sys

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


def test_it_brings_no_framework_along_and_waits_with_the_rest_until_a_name_is_used() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


def test_every_name_is_where_it_says() -> None:
    assert sorted(testing._HOME) == testing.__all__
    assert all(getattr(testing, name) is not None for name in testing.__all__)
