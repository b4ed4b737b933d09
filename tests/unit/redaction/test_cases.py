"""What people paste, by kind: what must be gone, what must stay, and look-alikes that are not touched at all.

A value counts wherever it stands in the text; of what must stay no letter, and of what must go none may be left.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forebay_agents.redaction.offline.lines import Redactor

FILE = Path(__file__).parents[2] / "data" / "redaction-cases.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
KINDS = sorted({case["kind"] for case in CASES})


def places(value: str, text: str) -> Iterator[range]:
    """Where ``value`` stands; one that begins or ends with a digit is no part of a longer number."""
    before, behind = r"(?<!\d)" if value[0].isdigit() else "", r"(?!\d)" if value[-1].isdigit() else ""
    for match in re.finditer(before + re.escape(value) + behind, text):
        yield range(*match.span())


def faults(redactor: Redactor, case: dict[str, Any]) -> Iterator[str]:
    text = case["text"]
    spans = redactor.redact(text).spans
    shown = [(span.kind, text[span.start : span.end]) for span in spans]
    hidden = {at for span in spans for at in range(span.start, span.end)}
    if case.get("clean") and spans:
        yield f"{text!r}: touched {shown}"
    for value in case.get("gone", ()):
        left = [text[at] for place in places(value, text) for at in place if text[at].isalnum() and at not in hidden]
        if left:
            yield f"{text!r}: left of {value!r}: {''.join(left)!r}"
    for value in case.get("stay", ()):
        if any(text[at].isalnum() and at in hidden for place in places(value, text) for at in place):
            yield f"{text!r}: taken from {value!r}: {shown}"


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_go_and_look_alikes_stay(redactor: Redactor, kind: str) -> None:
    wrong = [fault for case in CASES if case["kind"] == kind for fault in faults(redactor, case)]
    assert not wrong


def test_every_value_is_in_its_text() -> None:
    for case in CASES:
        assert all(list(places(value, case["text"])) for value in (*case.get("gone", ()), *case.get("stay", ())))
        assert case.get("clean") or case["gone"]
