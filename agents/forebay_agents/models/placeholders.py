"""What is a model told of tags such as ``<PERSON_1>``? That they are words to copy, and which of them are there.

Without it small models ask who ``<PERSON_1>`` is, or write other tags: of twelve tasks (remind, translate, shorten …)
gemma-3-270m copied all tags in 7 without the note, in 11 with it, smollm2-135m in 1 and 3. Only the request's own tags
are named: of "words such as <PERSON_1>" a small model goes on to ``<PERSON_2>``, ``<PERSON_3>``.
"""

from dataclasses import replace

from forebay.contract.records import Message, MessageRole, RedactedRequest
from forebay.privacy.pseudonyms import TAG

_MOST = 8
"""Tags that are named; the others are like them."""
_SYSTEM = (MessageRole.SYSTEM, MessageRole.DEVELOPER)


def noted(request: RedactedRequest, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """``messages`` of ``request`` with a note on the tags in them: behind the system prompt, or as one.

    Behind it, so that what a provider has cached of it still serves. A request without tags has none.
    """
    tags = dict.fromkeys(
        match[0]
        for message in messages
        for text in (message.content, message.tool_calls or "")
        for match in TAG.finditer(text)
        if match[1] in request.entities
    )
    if not tags:
        return messages
    note = _note(list(tags))
    first = messages[0]
    if first.role in _SYSTEM:
        return (replace(first, content=f"{first.content}\n\n{note}"), *messages[1:])
    return (Message(role=MessageRole.SYSTEM, content=note), *messages)


def _note(tags: list[str]) -> str:
    named = ", ".join(tags[:_MOST])
    if len(tags) == 1:
        return (
            f"{named} stands for a real name, place or number that is hidden from you. Use it as if it were the real "
            "word: copy it exactly, with the brackets, and do not ask about it, change it or explain it."
        )
    if len(tags) > _MOST:
        named += " and the others like them"
    return (
        f"{named} stand for real names, places and numbers that are hidden from you. Use them as if they were the real "
        "words: copy them exactly, with the brackets, and do not ask about them, change them or explain them."
    )
