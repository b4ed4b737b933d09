"""What of a request's metadata the ledger takes: what the configuration names, and no long texts."""

import pytest

from forebay.contract.records import CallPurpose, RedactedRequest
from forebay.settings import ConfigurationError, Settings
from forebay_agents.models.cost_settings import CostSettings
from forebay_agents.models.ledger import Ledger, Payer
from forebay_agents.models.pricing import Cost
from forebay_agents.models.settings import Deployment

REQUEST = RedactedRequest(
    request_id="r", task="support.faq", metadata={"team": "red" * 99, "note": "what nobody named", "feature": "x"}
)


def test_an_entry_takes_the_task_and_the_keys_that_are_named_at_most_64_characters() -> None:
    ledger = Ledger(CallPurpose.COMPLETION, lambda: 7, labels=("feature", "team", "absent"))
    entry = ledger.open(Payer.of(REQUEST), "small", Deployment(name="d", model="m"), Cost())
    assert entry.labels == {"feature": "x", "team": ("red" * 99)[:64]}
    assert (entry.task, entry.booked_at, entry.started_at) == ("support.faq", 7, 7)


def test_by_default_none_is_taken() -> None:
    entry = Ledger(CallPurpose.COMPLETION).open(Payer.of(REQUEST), "t", Deployment(name="d", model="m"), Cost())
    assert entry.labels == {}


@pytest.mark.parametrize("labels", [["a", "b", "c", "d"], [""], ["x" * 65]])
def test_more_than_three_labels_are_refused(labels: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"cost\.labels"):
        _ = Settings({"cost": {"labels": labels}})[CostSettings]
