"""Two identifiers beside each other: the label of the one says nothing of the other."""

import itertools

import pytest

from forebay_agents.redaction.detection.detector import Detector
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.settings import RedactionSettings

VALUES = {
    "ssn": ("219-09-9999", ("SSN {}", "social security number {}", "{}")),
    "card": ("4111 1111 1111 1111", ("card number: {}", "{}")),
    "phone": ("(252) 683-4854", ("phone {}", "call {}", "{}")),
    "email": ("ann@example.com", ("mail {}", "{}")),
    "iban": ("GB82WEST12345698765432", ("IBAN {}", "{}")),
    "account": ("000123456789", ("account {}",)),
    "record": ("4471923", ("MRN {}",)),
    "passport": ("483920174", ("passport {}",)),
    "order": ("", ("order 774411", "invoice 2024-118", "$1,200.50")),
}
PAIRS = list(itertools.permutations(VALUES, 2))


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_both_are_found(structured: Redactor, first: str, second: str) -> None:
    (one, forms), (two, others) = VALUES[first], VALUES[second]
    for form, other, between in itertools.product(forms, others, (", ", "; ", " ", "\n", " and ")):
        text = form.format(one) + between + other.format(two)
        redacted = structured.redact(text).text
        assert not one or one not in redacted, text
        assert not two or two not in redacted, text


@pytest.mark.parametrize("text", ["order 4155550123", "4155550123 is the order number, call me"])
def test_a_label_of_its_own_still_counts(structured: Redactor, text: str) -> None:
    assert structured.redact(text).text == text


@pytest.mark.parametrize("text", ["ref 9  {} 19 Troy", "Troy 19{} x", "19 Troy{} x", "{}19 Troy"])
def test_what_a_finding_leaves_of_a_longer_number_is_looked_at_again(text: str) -> None:
    number = "4 2 2 2 2 2 2 2 2 2 2 2 2"  # a card's, but not together with digits beside it
    settings = RedactionSettings(names="none", deny=("19 Troy", "Troy 19"))
    redactor = Redactor(Detector(settings), Policies(settings), settings.max_chars)
    redacted = redactor.redact(text.format(number)).text
    assert "<DENIED_1>" in redacted
    assert "<CREDIT_CARD_1>" in redacted
