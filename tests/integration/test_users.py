"""People think and ask on a stack of their own: all are answered, and what it took is said."""

from pathlib import Path

import pytest

from loadtest.users.report import a_request, markdown
from loadtest.users.run import Wanted, measure

pytestmark = [pytest.mark.embedded, pytest.mark.long]


def test_everybody_is_answered_and_nothing_is_lost_doubled_leaked_or_wrongly_billed(tmp_path: Path) -> None:
    said: list[str] = []
    wanted = Wanted(users=240, seconds=20.0, warm=60, idle_s=5.0)
    found = measure(wanted, tmp_path, said.append)
    [trial] = found.trials
    assert trial.violations == []
    assert trial.answered == trial.requests > 40
    assert trial.hits["exact"] > 0
    took = a_request(trial)
    assert min(took[name] for name in ("redaction", "cache", "completion", "response", "cost", "kafka")) > 0
    assert trial.spent.records["responses"] == trial.requests
    assert "| requests/s |" in markdown(found)
    assert said
