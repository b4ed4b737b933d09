"""The behaviour suites of one broker on three: see :mod:`tests.chaos.conftest`."""

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.embedded]
