"""The hints of all rules are looked for at once: what is found is what each would find by itself."""

from hypothesis import given
from hypothesis import strategies as st

from forebay_agents.redaction.conversation.words import Hit, Phrases, words
from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.hints import Hints

SOME = st.lists(st.text("abé名 -", min_size=1, max_size=5), max_size=12)


@given(hints=SOME, low=st.text("abé名 -", max_size=40))
def test_hints_of_any_length_are_found_wherever_they_stand(hints: list[str], low: str) -> None:
    assert Hints(hints).among(low) == {hint for hint in hints if hint in low}


@given(one=SOME, other=SOME, text=st.text("aAbB名 -", max_size=40))
def test_each_recogniser_is_told_of_its_own_hints(one: list[str], other: list[str], text: str) -> None:
    own, others = Hints(one), Hints(other)
    for asked in (Facts(text=text, hints=Hints.together([own, others])), Facts(text=text), Facts(text=text, hints=own)):
        for hints in (own, others):
            assert asked.said(hints) & hints.all == {hint for hint in hints.all if hint in text.lower()}


def _found(phrases: list[tuple[str, str, str]], text: str) -> list[Hit]:
    return list(Phrases(phrases).found(words(text, 0, len(text))))


def test_of_a_sort_the_longest_phrase_counts_whatever_its_second_word_is() -> None:
    phrases = [("s", "", "a"), ("s", "", "a b*"), ("s", "", "a bc d"), ("t", "", "a c"), ("u", "", "ab*")]
    assert _found(phrases, "a") == [Hit(0, 1, "s", "")]
    assert _found(phrases, "a bx") == [Hit(0, 2, "s", "")]
    assert _found(phrases, "a bc d") == [Hit(0, 3, "s", "")]
    assert _found(phrases, "a c abc") == [Hit(0, 2, "t", ""), Hit(0, 1, "s", ""), Hit(2, 3, "u", "")]


def test_no_phrase_goes_on_in_the_next_sentence() -> None:
    assert _found([("s", "", "a b"), ("s", "", "a")], "a. b") == [Hit(0, 1, "s", "")]
