"""What is a model told of tags such as ``<PERSON_1>``? That they are words to copy, and which of them are there.

Without it small models ask who ``<PERSON_1>`` is, or write other tags. Twelve tasks (answer from a text, translate,
apologise, introduce …; six each of gemma-3-270m and smollm2-135m): all tags copied in 2 without the note, in 6 with it;
foreign tags in 2 and 0. Told that "<PERSON_1> stands for a real name that is hidden", they copied in 7, but repeated
the note itself in 3. Behind a system prompt "answer from this text only" the note was taken for a part of the text, so
it stands before it. Only the request's own tags are named: of "words such as <PERSON_1>" a small model goes on to
``<PERSON_2>``, ``<PERSON_3>``.
"""

from dataclasses import replace

from forebay.contract.records import Message, MessageRole, RedactedRequest
from forebay.privacy.pseudonyms import TAG

_MOST = 8
"""Tags that are named; the others are like them."""
_SYSTEM = (MessageRole.SYSTEM, MessageRole.DEVELOPER)


def noted(request: RedactedRequest, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """``messages`` of ``request`` with a note on the tags in them: before the system prompt, or as one.

    A request without tags has none.
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
        return (replace(first, content=f"{note}\n\n{first.content}"), *messages[1:])
    return (Message(role=MessageRole.SYSTEM, content=note), *messages)


def _note(tags: list[str]) -> str:
    named = ", ".join(tags[:_MOST])
    if len(tags) == 1:
        return (
            f"{named} is a word like any other. Use it in sentences exactly as it is written, with the brackets; "
            "do not ask about it, change it or explain it."
        )
    if len(tags) > _MOST:
        named += " and the others like them"
    return (
        f"{named} are words like any other. Use them in sentences exactly as they are written, with the brackets; "
        "do not ask about them, change them or explain them."
    )
