"""What is it that came: an answer, or one that is none although it is paid?"""

from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.finish import Finish
from forebay_agents.models.providers.provider import Answer, ProviderError, Usage

_COUNTED_WHOLE = "provider_no_answer"
"""The one failure that has a count of all that will be paid: it came with the end."""


def answer_of(found: Assembly, name: str, usage: Usage) -> Answer:
    """The answer in ``found``, from deployment ``name``.

    Raises:
        ProviderError: its end says that it is none, or a part of it is no text. It is paid, with ``usage``.
    """
    match found.withheld:
        case Finish.ERROR:
            message = f"{name}: the model ended with an error"
            raise ProviderError("provider_unavailable", message, usage=usage, finish=Finish.ERROR.value)
        case Finish.CONTENT_FILTER:
            message = f"{name}: the answer was withheld by a content filter"
            raise ProviderError("content_policy", message, usage=usage, finish=Finish.CONTENT_FILTER.value)
    if found.foreign is not None:
        message = f"{name}: the answer has a part of type {found.foreign}, which is no text"
        raise ProviderError("answer_not_text", message, usage=usage)
    return Answer(
        content=found.text,
        finish_reason=found.finish.value if found.finish else None,
        tool_calls=found.tool_calls,
        logprobs=found.scores,
        usage=usage,
    )


def no_answer(code: str, name: str, usage: Usage) -> ProviderError:
    """What came is no answer; it is known what it costs only if the provider counted it to its end."""
    paid = usage if code == _COUNTED_WHOLE and not usage.estimated else None
    said = _SAID.get(code, "it told of an error instead of an answer")
    return ProviderError(code, f"{name}: {said}", may_be_billed=paid is None, usage=paid)


_SAID = {
    "provider_not_json": "status 200 with what is no answer of its API",
    "provider_no_answer": "an answer without a choice",
    "provider_cut_off": "its answer broke off",
    "provider_no_end": "its stream ended before the answer did",
}
