"""Many values, and many that begin alike: each is found, the longest of those that fit, in one pass."""

import random
import threading
import unicodedata

import pytest

from forebay.contract.canonical import fold, normal
from forebay.contract.handlers import Output, aside
from forebay.contract.records import Evaluation
from forebay.privacy.egress import EgressGuard
from forebay.privacy.occurrences import Occurrences, beginning, common_start
from forebay.privacy.outbound import Departures
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer

ALIKE = [f"12 Elm Street, flat {number}" for number in range(1, 120)]


def test_all_that_begins_a_text_is_told_the_longest_first() -> None:
    rng = random.Random(1)
    for _ in range(3_000):
        values = sorted({"".join(rng.choice("ab") for _ in range(rng.randint(1, 6))) for _ in range(8)})
        text = "".join(rng.choice("ab") for _ in range(rng.randint(0, 8)))
        expected = sorted((value for value in values if text.startswith(value)), key=len, reverse=True)
        assert list(beginning(values, text)) == expected


@pytest.mark.parametrize(("one", "other", "length"), [("", "a", 0), ("abc", "abd", 2), ("ab", "abc", 2), ("a", "b", 0)])
def test_how_far_two_begin_alike(one: str, other: str, length: int) -> None:
    assert common_start(one, other) == length


def test_of_values_that_begin_alike_the_whole_one_is_found() -> None:
    known = Occurrences(ALIKE)
    for value in ("12 Elm Street, flat 1", "12 Elm Street, flat 11", "12 Elm Street, flat 119"):
        text = f"to {value}; not to 12 Elm Street, flat 1190"
        assert [text[start:end] for start, end in known.find(text)] == [value]


def test_values_with_something_before_their_first_word_are_found() -> None:
    known = Occurrences(["(0)20 7946", "20 7946 0958", "+20 7946"])
    text = "call (0)20 7946 or +20 7946 or 20 7946 0958"
    assert [text[start:end] for start, end in known.find(text)] == ["(0)20 7946", "+20 7946", "20 7946 0958"]


def test_a_stand_in_that_begins_as_another_is_restored_as_itself() -> None:
    stand_ins = {"Ann": "Zoe", "Ann Lee": "Eve Roe", "Ann Leeds": "Ida Fox", "(Ann)": "(Zoe)"}
    restorer = Restorer(PseudonymMap(originals=stand_ins))
    assert restorer.restore_text("Ann, Ann Lee, Ann Leeds, (Ann), Annie") == "Zoe, Eve Roe, Ida Fox, (Zoe), Annie"


def test_a_thousand_stand_ins_that_begin_alike_are_restored() -> None:
    stand_ins = {f"Ann {'e' * number}": f"person {number}" for number in range(1, 400)} | {"Bob ": "b", "B": "c"}
    restorer = Restorer(PseudonymMap(originals=stand_ins))
    for number in (1, 2, 39, 40, 41, 399):
        assert restorer.restore_text(f"Ann {'e' * number}.") == f"person {number}."
    assert restorer.restore_text(f"Ann {'e' * 400}.") == f"Ann {'e' * 400}."


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_texts_of_any_language_are_normalised_as_ever(form: str) -> None:
    texts = ["plain", "Zoë ﬁne ½ ①", "Z\u0323\u0307a", "각한글", "हिन्दी की", "a" + "\u0301\u0323" * 15, "שָׁלוֹם"]
    for text in texts:
        assert normal(form, text) == unicodedata.normalize(form, text)  # type: ignore[arg-type]  # one of four


def test_marks_without_end_are_sorted_thirty_at_a_time() -> None:
    marks = "\u0301\u0323" * 500
    runs = normal("NFD", f"a{marks}b").split("\u034f")
    assert len(runs) == 34
    assert max(map(len, runs)) <= 32
    assert fold(f"a{marks}") == fold(fold(f"a{marks}"))


# -- off the event loop


async def test_what_reads_a_long_text_does_not_hold_the_loop() -> None:
    own = threading.get_ident()
    assert await aside(1_000, threading.get_ident) == own
    assert await aside(1_000_000, threading.get_ident) != own


class _Looking(EgressGuard):
    """Keeps in which threads it looked."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []

    def check(self, texts, originals=()):  # type: ignore[no-untyped-def]  # as the one that it stands for
        self.threads.append(threading.get_ident())
        return super().check(texts, originals)


async def test_the_last_check_of_a_long_record_is_made_beside_the_loop() -> None:
    guard = _Looking()
    departures = Departures(guard, None)
    for length in (10, 100_000):
        await departures.enforce_aside([Output(topic="evaluations", key="r", value=Evaluation(reason="x" * length))])
    assert guard.threads[0] == threading.get_ident() != guard.threads[1]
