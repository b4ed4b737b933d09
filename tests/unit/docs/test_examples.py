"""The demo's requests are valid, varied, and say which personal data is in them."""

from collections import Counter
from pathlib import Path

import pytest

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.registry import LocalRegistry
from forebay.contract.records import CacheMode, MessageRole, Request
from forebay.demo.examples import TWIN, read_examples, read_personal_data, read_questions
from forebay.settings import load
from forebay_agents.models.settings import ModelsSettings
from forebay_agents.redaction.validation import validate

FOLDER = Path(__file__).resolve().parents[3] / "examples"
EXAMPLES = read_examples(FOLDER / "requests.jsonl")
PERSONAL = read_personal_data(FOLDER / "personal-data.txt")
REQUESTS = [example.request for example in EXAMPLES if example.request is not None]


def texts(request: Request) -> str:
    return "\n".join(message.content for message in request.messages)


def test_there_are_enough_with_ids_of_their_own() -> None:
    assert len(EXAMPLES) >= 24
    assert len({example.request_id for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.request_id)
def test_a_request_passes_the_door_and_is_quick_to_answer(request_: Request) -> None:
    validate(request_, max_messages=100, max_chars=10_000)
    assert request_.params.max_tokens is not None
    assert request_.params.max_tokens <= 48


def test_the_broken_record_is_no_avro() -> None:
    [broken] = [example for example in EXAMPLES if example.raw is not None]
    with pytest.raises(UndecodableError) as refused:
        Codec(Request, "requests-value", LocalRegistry()).decode(broken.raw)
    assert refused.value.code == "not_avro"


def test_whoever_waits_waits_for_an_earlier_one() -> None:
    earlier: set[str] = set()
    waiting = 0
    for example in EXAMPLES:
        if example.after is not None:
            assert example.after in earlier
            waiting += 1
        earlier.add(example.request_id)
    assert waiting >= 5


def test_every_kind_is_there() -> None:
    tiers = {tier.name for tier in load(FOLDER.parent / "forebay.yaml")[ModelsSettings].tiers}
    prompts = Counter((request.tenant_id, texts(request)) for request in REQUESTS)
    conversations = Counter(request.conversation_id for request in REQUESTS if request.conversation_id)
    assert max(prompts.values()) >= 2, "exact repeats"
    assert max(conversations.values()) >= 2, "a conversation over several requests"
    assert any(request.tier is not None and request.tier not in tiers for request in REQUESTS), "a tier without models"
    assert any(request.tier in tiers for request in REQUESTS), "a chosen tier"
    assert any("json_schema" in (request.response_format or "") for request in REQUESTS), "JSON"
    assert any(request.cache.mode is CacheMode.BYPASS for request in REQUESTS), "a cache bypass"
    assert any(request.max_cost_nanousd for request in REQUESTS), "a cost limit"
    assert any(request.messages[0].role is MessageRole.SYSTEM for request in REQUESTS), "a system prompt"
    assert any(len(texts(request).split()) >= 600 for request in REQUESTS), "a long context"
    assert any(any("\u0590" <= char <= "\u06ff" for char in texts(request)) for request in REQUESTS), "right to left"
    assert any(any(char > "\uffff" for char in texts(request)) for request in REQUESTS), "emoji"
    [twin] = [request for request in REQUESTS if TWIN in request.metadata]
    [other] = [request for request in REQUESTS if request.request_id == twin.metadata[TWIN]]
    assert texts(twin) != texts(other), "a question with a place in it, and its twin with another"
    assert len({request.tenant_id for request in REQUESTS}) >= 3
    assert len({request.user_id for request in REQUESTS}) >= 10


def test_what_is_asked_by_http_is_whole_live_with_a_name_and_from_the_cache() -> None:
    questions = read_questions(FOLDER / "by-http.jsonl")
    assert len(questions) == 3
    assert all(0 < (one.max_tokens or 0) <= 48 for one in questions)
    assert len({one.question for one in questions}) == 2, "one is asked again"
    [live] = [one for one in questions if one.stream]
    assert live.model != "auto", "only the tier with the last word streams live"
    assert any(value in live.question for value in PERSONAL)


@pytest.mark.parametrize("value", PERSONAL)
def test_listed_personal_data_is_in_a_message_and_nowhere_else(value: str) -> None:
    assert any(value in texts(request) for request in REQUESTS)
    for request in REQUESTS:
        others = [request.request_id, request.tenant_id, request.user_id, *request.metadata.values()]
        assert not any(value.casefold() in other.casefold() for other in others)


def test_the_numbers_are_test_numbers_with_right_check_digits() -> None:
    numbers = ["".join(value.split()) for value in PERSONAL]
    cards = [number for number in numbers if number.isdigit() and len(number) >= 15]
    ibans = [number for number in numbers if len(number) > 15 and number[:2].isalpha() and number[2:].isdigit()]
    assert cards
    assert ibans
    for card in cards:
        doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(card))]
        assert sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0
    for iban in ibans:
        assert int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1
