"""Which stages share a process? What is said, every stage once, and what is wrong is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.embedded.layout import LayoutError, parse, processes

KNOWN = ("cache", "cost", "redaction", "response", "retry")


def test_stages_with_commas_between_them_share_a_process() -> None:
    assert parse("redaction; cache ;response,retry, cost", KNOWN) == (
        ("redaction",),
        ("cache",),
        ("response", "retry", "cost"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "commas between them"),
        ("cache;;cost", "commas between them"),
        ("cache,", "commas between them"),
        ("cache;judge", "there is no stage judge; there are cache, cost"),
        ("cache;cost,cache", "named twice: cache"),
        ("cache\ncost", "there is no stage"),
    ],
)
def test_what_is_no_layout_is_refused_with_a_reason(text: str, said: str) -> None:
    with pytest.raises(LayoutError, match=said):
        parse(text, KNOWN)


@given(st.lists(st.sampled_from(KNOWN), unique=True, min_size=1), st.data())
def test_every_stage_runs_once_wherever_it_is_named(named: list[str], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.booleans(), min_size=len(named), max_size=len(named)))
    text = "".join(f"{name}{';' if cut else ','}" for name, cut in zip(named, cuts, strict=True))[:-1]
    ran = [name for process in processes(parse(text, KNOWN), KNOWN) for name in process]
    assert sorted(ran) == sorted(KNOWN)
