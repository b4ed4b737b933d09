"""What is a model told of the tags in a request?"""

from forebay.contract.records import Message, MessageRole, RedactedRequest
from forebay_agents.completion.trace import Trace
from forebay_agents.models.placeholders import noted
from tests.unit.completion.fakes import Provider, Written, asked, cascade_of, good, tier


def _noted(*messages: Message, **entities: int) -> tuple[Message, ...]:
    return noted(RedactedRequest(messages=messages, entities=entities), messages)


def test_the_tags_of_the_request_are_named_and_no_others() -> None:
    asks = Message(content="Remind <PERSON_2> of <LOCATION_1>, <PERSON_2>!")
    note, same = _noted(asks, PERSON=1, LOCATION=1)
    assert same is asks
    assert note.role is MessageRole.SYSTEM
    assert note.content.startswith("<PERSON_2>, <LOCATION_1> are words")
    assert note.content.count("<") == 2


def test_one_tag_is_spoken_of_as_one() -> None:
    note, _ = _noted(Message(content="Hi <PERSON_1>"), PERSON=1)
    assert note.content.startswith("<PERSON_1> is a word")


def test_a_system_prompt_stays_a_text_of_its_own() -> None:
    system = Message(role=MessageRole.SYSTEM, content="You help <PERSON_1>.")
    told, question = _noted(system, Message(content="Who am I?"), PERSON=1)
    assert told.role is MessageRole.SYSTEM
    assert told.content.startswith("<PERSON_1> is a word")
    assert told.content.endswith("\n\nYou help <PERSON_1>.")
    assert question.content == "Who am I?"


def test_without_tags_of_ours_nothing_is_said() -> None:
    typed = Message(content="What does <PERSON_1> mean in a template?")
    assert _noted(typed) == (typed,)
    assert _noted() == ()


def test_many_tags_are_not_all_named() -> None:
    note, _ = _noted(Message(content=" ".join(f"<PERSON_{n}>" for n in range(1, 40))), PERSON=39)
    assert note.content.count("<PERSON_") == 8
    assert "and the others like them" in note.content


async def test_the_model_gets_the_note_and_its_price_counts() -> None:
    provider = Provider({"small": good()})
    cascade = cascade_of(provider, (tier("small"),))
    plain, tagged = asked("Hi <PERSON_1>"), asked("Hi <PERSON_1>", entities={"PERSON": 1})
    await cascade.run(tagged, Trace(), Written(), cheapest=False)
    [(_, call)] = provider.calls
    assert [message.role for message in call.messages] == [MessageRole.SYSTEM, MessageRole.USER]
    assert cascade.least_nanousd(tagged, whole=True) > cascade.least_nanousd(plain, whole=True)
