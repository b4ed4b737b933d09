"""What people write goes past the same check as what stages write, and is refused before anything of it is written."""

import pytest

from forebay.contract.handlers import Output
from forebay.contract.records import Correction
from forebay.kafka.transactions import Transactions
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.publishing import guard, publish
from forebay.settings import Settings

SAID = [Output(topic="corrections", key="r", value=Correction(content="write to jane.miller@mail.example"))]


def test_a_correction_with_an_address_is_refused_without_a_broker_having_seen_it() -> None:
    with pytest.raises(InvalidChoiceError, match=r"nothing was done: .* go to correction: EMAIL_ADDRESS") as refused:
        publish(Settings({}), SAID)
    assert "jane" not in str(refused.value)


def test_so_is_one_in_a_transaction() -> None:
    writer = Transactions(Settings({}), "corrections-operator", guard(Settings({})))
    with pytest.raises(InvalidChoiceError, match="EMAIL_ADDRESS"):
        writer.step(SAID)
