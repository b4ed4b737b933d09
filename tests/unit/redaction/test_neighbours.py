"""Two identifiers beside each other: the label of the one says nothing of the other."""

import itertools

import pytest

from agents.redaction.lines import Redactor

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
