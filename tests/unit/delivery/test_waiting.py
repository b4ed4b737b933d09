"""Whose response is it? Each asker of an id gets the one that is about its own request."""

from dataclasses import replace

import pytest

from streams.fingerprints import REFUSED, fingerprint
from streams.records import Message, Request, Response
from streams.waiting import Waiting

FIRST = Request(request_id="r", messages=(Message(content="one"),), created_at=1)
SECOND = replace(FIRST, messages=(Message(content="two"),))
ANSWER = Response(request_id="r", content="of the first")
REFUSAL = Response(request_id="r", metadata={REFUSED: fingerprint(SECOND)})


@pytest.mark.parametrize("order", [(ANSWER, REFUSAL), (REFUSAL, ANSWER)], ids=["answer first", "refusal first"])
def test_the_answer_is_for_the_first_body_and_the_refusal_for_the_second(order: tuple[Response, Response]) -> None:
    waiting = Waiting()
    first, second = waiting.add("r", FIRST), waiting.add("r", SECOND)
    taken = {id(response): waiting.take("r", response) for response in order}
    assert taken == {id(ANSWER): [first], id(REFUSAL): [second]}
    assert not len(waiting)


def test_a_refusal_of_another_clients_request_is_for_nobody_here() -> None:
    waiting = Waiting()
    future = waiting.add("r", FIRST)
    assert waiting.take("r", REFUSAL) == []
    assert waiting.take("r", ANSWER) == [future]


def test_all_askers_of_one_body_get_its_response() -> None:
    waiting = Waiting()
    futures = [waiting.add("r", FIRST), waiting.add("r", replace(FIRST, created_at=9)), waiting.add("r", None)]
    assert len(waiting) == 1
    waiting.remove("r", futures[1])
    assert waiting.take("r", ANSWER) == [futures[0], futures[2]]
    assert waiting.take("r", ANSWER) == []


def test_what_cannot_be_read_is_for_all() -> None:
    waiting = Waiting()
    futures = [waiting.add("r", FIRST), waiting.add("r", SECOND)]
    assert waiting.take("r", None) == futures
    assert not waiting.has("r")
    again = waiting.add("r", SECOND)
    assert waiting.take_all() == [again]
