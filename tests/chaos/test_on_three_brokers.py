"""The behaviour suites of one broker on three: see :mod:`tests.chaos.conftest`."""

import pytest

from tests.integration.test_dlq import (  # noqa: F401 - collected from here
    cli,
    test_a_letter_is_replayed_once_and_a_second_replay_finds_nothing,
    test_of_two_operators_at_once_one_replays,
    test_park_drop_and_export_leave_a_trail,
)
from tests.integration.test_stage_survives import (  # noqa: F401 - collected from here
    test_no_record_is_lost_when_workers_end,
    test_workers_that_come_and_go_cost_nothing,
    worker,
)

pytestmark = [pytest.mark.chaos, pytest.mark.embedded]
