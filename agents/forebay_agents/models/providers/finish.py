"""Why did an answer end? Each provider has words of its own for it; here each has one meaning.

``error`` and ``content_filter`` mean that what came is not the answer, however much of it there is. An unknown word
means nothing by itself: the text is judged as any other, and never kept, since it may be half of one.
"""

from enum import StrEnum
from typing import Any


class Finish(StrEnum):
    """Meanings; the first four are OpenAI's words too."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"
    UNKNOWN = "unknown"


_WORDS = {
    Finish.STOP: "stop end_turn stop_sequence eos eos_token complete",
    Finish.LENGTH: "length max_tokens max_output_tokens model_length model_context_window_exceeded",
    Finish.TOOL_CALLS: "tool_calls tool_call tool_use function_call",
    Finish.CONTENT_FILTER: "content_filter content_filtered safety recitation blocklist prohibited_content spii "
    "language image_safety refusal sensitive guardrail_intervened error_toxic blocked",
    Finish.ERROR: "error error_limit network_error malformed_function_call malformed_response unexpected_tool_call "
    "insufficient_system_resource abort aborted cancelled failed timeout",
}
"""Words of OpenAI and OpenRouter, Anthropic, Gemini, Bedrock, Cohere, Mistral, DeepSeek, Zhipu, vLLM."""
_MEANINGS = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}


def finish_of(told: Any) -> Finish | None:
    """The meaning of a ``finish_reason`` as it came; ``None`` when there is none."""
    if told is None or told == "":
        return None
    if not isinstance(told, str):
        return Finish.UNKNOWN
    word = told.strip().casefold().replace("-", "_").removeprefix("finish_reason_")
    return _MEANINGS.get(word, Finish.UNKNOWN)
