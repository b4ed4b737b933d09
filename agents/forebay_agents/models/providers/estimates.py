"""How many tokens is that, where nobody counted, or what was counted cannot be? From the length, and from above."""

import json

from forebay.contract.records import Message
from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.provider import Call, Usage
from forebay_agents.models.providers.usage import Bounds

_TOKENS_PER_CHAR = 1 / 3.0
"""For estimates: English has about 4 characters a token, tags, numbers and other languages fewer."""
_TOKENS_PER_MESSAGE = 8
_MOST_ADDED = 32_768
"""Tokens beyond what was sent that a provider may count: templates, preambles for tools, what it looked up."""


def count_tokens(messages: tuple[Message, ...]) -> int:
    """About how many tokens the messages have: exact counts cost 1 ms and more."""
    chars = sum(len(message.content) + len(message.tool_calls or "") for message in messages)
    return round(chars * _TOKENS_PER_CHAR) + _TOKENS_PER_MESSAGE * len(messages)


def usage_of(call: Call, found: Assembly) -> Usage:
    """What the provider counted; an estimate from above, as for worst cases, where that cannot be."""
    # No token is less than a byte, and no character more than 4 of them; providers add words of their own.
    most = 4 * sum(len(message.content) + len(message.tool_calls or "") for message in call.messages)
    most += 4 * sum(len(json.dumps(one)) for one in (call.tools, call.response_format)) + _MOST_ADDED
    estimate = Usage(
        prompt_tokens=count_tokens(call.messages),
        completion_tokens=min(call.max_tokens, round(found.length * _TOKENS_PER_CHAR) + 1),
    )
    return found.counts.usage(estimate, Bounds(input=most, output=call.max_tokens), said=found.length > 0)
