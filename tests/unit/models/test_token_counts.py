"""What a provider says of its tokens is believed where it can be, and estimated where it cannot: over real HTTP."""

import json
from typing import Any

import pytest

from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.usage import usage_of
from tests.unit.models.odd import MOST, TRUE, Became, became_of

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("way")]  # litellm's own warnings
SENT, SAID = TRUE
GUESS_SENT = 13
"""Our estimate of the question: a third of its 15 characters, and 8 tokens for the message."""
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def counted(sent: Any = SENT, said: Any = SAID, **more: Any) -> str:
    return json.dumps({"prompt_tokens": sent, "completion_tokens": said} | more)


async def told(stream: bool, *usage: str, at: str = "end", **model: Any) -> Became:
    became = await became_of(stream, shape={"usage": usage, "usage_at": at}, **model)
    assert became.answer is not None, became.failure
    assert "19" in became.answer.content
    return became


@BOTH
async def test_a_count_that_can_be_is_what_is_paid(stream: bool) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 7}}
    became = await told(stream, counted(**details))
    entry = became.entry
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cached_prompt_tokens) == (SENT, SAID, 7)
    assert not entry.estimated


@BOTH
@pytest.mark.parametrize(
    "usage",
    [
        "null",
        "[12, 10]",
        '"12"',
        "12",
        "true",
        "NaN",
        "{}",
        '{"prompt_tokens": {"all": 12}, "completion_tokens": [10]}',
        '{"input_tokens": 12, "output_tokens": 10}',
        counted(None, None),
        counted("12", "10"),
        counted(0, 0, total_tokens=0),
        counted(-12, -10),
        counted(12.5, 10.25),
        counted(True, True),
        counted(10**12, 10**12),
        counted(2**63, 2**63),
        counted(10**40, 10**40),
        '{"prompt_tokens": NaN, "completion_tokens": Infinity}',
        '{"prompt_tokens": 1e400, "completion_tokens": -1e400}',
    ],
)
async def test_counts_that_cannot_be_are_estimated(stream: bool, usage: str) -> None:
    sent, said, cached, estimated = (await told(stream, usage)).tokens
    assert (sent, cached, estimated) == (GUESS_SENT, 0, True)
    assert SAID <= said <= MOST


@BOTH
async def test_without_any_count_both_sides_are_estimated(stream: bool) -> None:
    assert (await told(stream)).tokens[0::3] == (GUESS_SENT, True)


@BOTH
@pytest.mark.parametrize(
    ("usage", "sent", "said"),
    [
        (counted(said=-5), SENT, None),
        (counted(said=0), SENT, None),
        (counted(said=MOST + 1), SENT, None),
        (counted(said=MOST), SENT, MOST),
        (counted(sent=0), None, SAID),
        (counted(sent=12.0, said=10.0), SENT, SAID),
        (counted(prompt_tokens_details={"cached_tokens": SENT + 1}), None, SAID),
        (counted(prompt_tokens_details={"cached_tokens": -5}), None, SAID),
        (counted(prompt_tokens_details={"cached_tokens": "7"}), None, SAID),
        (counted(prompt_tokens_details=[7]), SENT, SAID),
    ],
)
async def test_each_side_stands_for_itself(stream: bool, usage: str, sent: int | None, said: int | None) -> None:
    entry = (await told(stream, usage)).entry
    assert entry.prompt_tokens == (GUESS_SENT if sent is None else sent)
    assert entry.completion_tokens == said or said is None
    assert entry.estimated is (sent is None or said is None)
    assert 0 <= entry.cached_prompt_tokens <= entry.prompt_tokens
    assert 0 < entry.completion_tokens <= MOST


@BOTH
@pytest.mark.parametrize(
    ("said", "reasoning", "believed"),
    [
        (1010, 1000, True),
        (1210, 1000, False),
        (10, 1000, True),
        (10**12 + 4, 10**12, False),
        (10**12, "many", False),
        (1010, -1000, False),
    ],
)
async def test_reasoning_is_beyond_what_was_asked_for(stream: bool, said: int, reasoning: Any, believed: bool) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": reasoning}}
    entry = (await told(stream, counted(said=said, **details))).entry
    assert entry.estimated is not believed
    # Reasoning that is more than the output stands beside it.
    paid = said + reasoning if isinstance(reasoning, int) and reasoning > said else said
    assert (entry.completion_tokens == paid) if believed else (entry.completion_tokens <= MOST)


@pytest.mark.parametrize(
    ("at", "usage"),
    [
        ("start", [counted(), counted(0, 0)]),
        ("start", [counted()]),
        ("start", [counted(said=None), counted(sent=None)]),
        ("end", [counted(said=0), counted(sent=0)]),
        ("end", [counted(), counted()]),
        ("end", ["null", counted(), "null", "[]"]),
        ("each", [counted(said=1), counted(said=6), counted()]),
        ("each", [counted(said=0), counted(said=0), counted()]),
    ],
)
async def test_counts_of_several_chunks_are_one(at: str, usage: list[str]) -> None:
    pace = {"latency": {"tokens_per_s": 5000}}  # so that the text comes in pieces
    assert (await told(True, *usage, at=at, **pace)).tokens == (SENT, SAID, 0, False)


@pytest.mark.parametrize("usage", [[counted(said=1), counted(said="10")], [counted(said=-1), counted()]])
async def test_a_count_that_cannot_be_spoils_the_others(usage: list[str]) -> None:
    assert (await told(True, *usage)).entry.estimated


READ, HOUR = "cached_tokens", "ephemeral_1h_input_tokens"


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        ({"prompt_tokens_details": {READ: 5, "cache_creation_tokens": 30}}, (5, 30, 0)),
        ({"prompt_tokens_details": {READ: 5, "cache_write_tokens": 30}}, (5, 30, 0)),
        ({"cache_read_input_tokens": 5, "cache_creation_input_tokens": 30}, (5, 30, 0)),
        ({"cache_creation_input_tokens": 30, "cache_creation": {HOUR: 20}}, (0, 10, 20)),
        ({"prompt_tokens_details": {"cache_creation_token_details": {HOUR: 20}}}, (0, 0, 20)),
        ({"cache_creation": {HOUR: 0}, "cache_creation_input_tokens": 40}, (0, 40, 0)),
    ],
)
def test_reads_and_writes_of_a_providers_cache_are_found_in_each_shape(
    told: dict[str, Any], kinds: tuple[int, int, int]
) -> None:
    usage = usage_of({"prompt_tokens": 40, "completion_tokens": 3} | told)
    assert (usage.cached_prompt_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens) == kinds
    assert not usage.estimated


@pytest.mark.parametrize(
    ("said", "total", "output"), [(7, 657, 607), (607, 657, 607), (607, None, 607), (7, None, 607), (650, 700, 650)]
)
def test_reasoning_beside_the_output_is_paid_and_within_it_not_twice(said: int, total: int | None, output: int) -> None:
    details = {"reasoning_tokens": 600}
    told = {"prompt_tokens": 50, "completion_tokens": said, "completion_tokens_details": details}
    usage = usage_of(told if total is None else told | {"total_tokens": total})
    assert (usage.completion_tokens, usage.reasoning_tokens, usage.estimated) == (output, 600, False)


@pytest.mark.parametrize(
    ("tier", "known"),
    [("flex", "flex"), ("PRIORITY", "priority"), ("default", "standard"), ("fast", "priority"), ("auto", "standard")]
    + [(odd, "standard") for odd in (None, 7, ["flex"], "", "\ud800", "x" * 10_000)],
)
def test_the_service_tier_is_one_with_a_price(tier: Any, known: str) -> None:
    found = Assembly()
    found.add({"service_tier": tier, "choices": []})
    assert found.counts.tier == known


@pytest.mark.parametrize(
    "told",
    [
        {"prompt_tokens": 9, "prompt_tokens_details": {READ: 5, "cache_creation_tokens": 5}},
        {"prompt_tokens": 9, "cache_creation_input_tokens": -1},
        {"prompt_tokens": 9, "cache_creation_input_tokens": "4"},
        {"prompt_tokens": 9, "cache_creation": {HOUR: 10**12}},
        {"prompt_tokens": 2 * 10**9},
        {"prompt_tokens": float("nan"), "total_tokens": float("inf")},
        {"prompt_tokens": 9, "cache_creation": [1], "prompt_tokens_details": "7"},
        None,
    ],
)
def test_no_count_raises_and_parts_are_never_more_than_the_whole(told: Any) -> None:
    usage = usage_of(told)
    assert usage.estimated
    parts = usage.cached_prompt_tokens + usage.cache_write_tokens + usage.cache_write_1h_tokens
    assert 0 <= parts <= usage.prompt_tokens
