"""Whose response is it? Each asker of an id gets the one that is about its own request."""

from dataclasses import replace

import pytest

from forebay.client.pending import Waiting
from forebay.contract.records import Message, Request
from forebay.privacy.fingerprints import fingerprint

FIRST = Request(request_id="r", messages=(Message(content="one"),), created_at=1)
SECOND = replace(FIRST, messages=(Message(content="two"),))


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)], ids=["answer first", "refusal first"])
def test_each_body_gets_the_response_that_is_about_it(order: tuple[Request, Request]) -> None:
    waiting = Waiting()
    first, second = waiting.add("r", FIRST), waiting.add("r", SECOND)
    taken = {about.messages: waiting.take("r", fingerprint(about)) for about in order}
    assert taken == {FIRST.messages: [first], SECOND.messages: [second]}
    assert not len(waiting)


def test_a_response_to_another_clients_body_is_for_nobody_here() -> None:
    waiting = Waiting()
    future = waiting.add("r", SECOND)
    assert waiting.take("r", fingerprint(FIRST)) == [], "the first asker sits in another process"
    assert waiting.take("r", fingerprint(SECOND)) == [future]


def test_all_askers_of_one_body_get_its_response() -> None:
    waiting = Waiting()
    futures = [waiting.add("r", FIRST), waiting.add("r", replace(FIRST, created_at=9)), waiting.add("r", None)]
    assert len(waiting) == 1
    waiting.remove("r", futures[1])
    assert waiting.take("r", fingerprint(FIRST)) == [futures[0], futures[2]]
    assert waiting.take("r", fingerprint(FIRST)) == []


def test_what_is_about_no_known_body_is_for_all() -> None:
    waiting = Waiting()
    futures = [waiting.add("r", FIRST), waiting.add("r", SECOND)]
    assert waiting.take("r", "") == futures
    assert not waiting.has("r")
    again = waiting.add("r", SECOND)
    assert waiting.take_all() == [again]
