"""What does an answer give away about itself? Detectors on text, finish reason and token probabilities; no model.

Each detector is a number or a flag; :mod:`forebay_agents.completion.routing.confidence` turns them into a probability.
They are written for recall on what cheap models really do (refuse, hedge, loop, stop short, break the format), and they
read the answer only: whether it is *true*, nobody can see here.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from forebay_agents.completion.compression.text.function_words import FUNCTION_WORDS

_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|afraid|unable|not able)|i (?:can(?:no|')t|can not|won't|will not|must decline)\b"
    r"|as an ai\b|i do(?:n't| not) have (?:access|the ability|(?:enough |sufficient )?information)"
    r"|cannot (?:assist|help|comply|provide|answer)|unable to (?:assist|help|provide|answer|determine)"
    r"|es tut mir leid|ich kann (?:dir|ihnen|das|dabei)?\s*(?:leider )?nicht|je suis désolée?|je ne peux pas"
    r"|lo siento|no puedo (?:ayudar|responder)|mi dispiace|non posso)",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:i(?:'m| am) not (?:sure|certain|confident)|not entirely (?:sure|certain)|i (?:think|believe|guess|suppose)\b"
    r"|it(?:'s| is) (?:possible|unclear|hard to say|difficult to say)|i do(?:n't| not) know|might be|may be|perhaps"
    r"|maybe|probably|could be|it depends|ich bin (?:mir )?nicht sicher|vermutlich|je ne suis pas sûre?|peut-être"
    r"|no estoy segur|quizás|tal vez|forse)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNFINISHED = re.compile(r"[\w,;:(\[{\-–—]$")


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenScores:
    """Natural-log probabilities of the tokens that were sampled, and how far each led the runner-up (0 if unknown)."""

    logprobs: tuple[float, ...]
    margins: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """Mean log-probability."""
        return sum(self.logprobs) / len(self.logprobs) if self.logprobs else 0.0

    @property
    def weakest(self) -> float:
        """Mean of the least certain fifth: filler words are always certain, the words that answer may not be."""
        worst = sorted(self.logprobs)[: max(1, len(self.logprobs) // 5)]
        return sum(worst) / len(worst) if worst else 0.0

    @property
    def thinnest_margin(self) -> float | None:
        """Mean margin of the least certain fifth (UCCI, arXiv 2605.18796); ``None`` without runners-up."""
        worst = sorted(self.margins)[: max(1, len(self.margins) // 5)]
        return sum(worst) / len(worst) if worst else None


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerSignals:
    """What the detectors saw. ``relevance`` and ``repetition`` are shares in 0 to 1; ``format_error`` is a code."""

    empty: bool = False
    refusal: bool = False
    hedges: int = 0
    truncated: bool = False
    unfinished: bool = False
    repetition: float = 0.0
    relevance: float = 1.0
    format_error: str | None = None
    words: int = 0


def token_scores(logprobs: Any) -> TokenScores | None:
    """Read ``choices[0].logprobs`` of an OpenAI-like answer (mapping or object); ``None`` if there is nothing in it."""
    content = _get(logprobs, "content")
    if not isinstance(content, Sequence) or not content:
        return None
    chosen, margins = [], []
    for token in content:
        own = _get(token, "logprob")
        if not isinstance(own, int | float) or not math.isfinite(own):
            continue
        chosen.append(min(0.0, float(own)))
        others = [_get(other, "logprob") for other in _get(token, "top_logprobs") or ()]
        rivals = sorted((float(value) for value in others if isinstance(value, int | float)), reverse=True)
        if len(rivals) > 1:
            margins.append(float(own) - (rivals[1] if own >= rivals[0] else rivals[0]))
    return TokenScores(logprobs=tuple(chosen), margins=tuple(margins)) if chosen else None


def read(
    question: str,
    answer: str,
    *,
    finish_reason: str | None = None,
    response_format: str | None = None,
    has_tool_calls: bool = False,
) -> AnswerSignals:
    """Run every detector.

    Args:
        question: the last user turn.
        response_format: JSON text as in the request; decides whether the answer must be JSON.
    """
    text = answer.strip()
    structured = format_error(text, response_format) if not has_tool_calls else None
    if not text:
        return AnswerSignals(empty=not has_tool_calls, format_error=structured)
    words = _WORD.findall(text.lower())
    prose = not wants_json(response_format)
    return AnswerSignals(
        refusal=prose and _REFUSAL.search(text[:400]) is not None and len(words) < 150,
        hedges=len(_HEDGE.findall(text)) if prose else 0,
        truncated=finish_reason in ("length", "max_tokens"),
        unfinished=prose and len(words) > 12 and _UNFINISHED.search(text) is not None,
        repetition=repetition(words),
        relevance=relevance(question, words),
        format_error=structured,
        words=len(words),
    )


def repetition(words: Sequence[str]) -> float:
    """Share of 4-grams that were there before: above 0.5 the model loops."""
    if len(words) < 12:
        return 0.0
    grams = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    return 1 - len(grams) / sum(grams.values())


def relevance(question: str, answer_words: Sequence[str]) -> float:
    """Share of the question's content words that a *long* answer takes up; short answers need not repeat any: 1."""
    if len(answer_words) < 25:
        return 1.0
    asked = {word[:6] for word in _WORD.findall(question.lower()) if word not in FUNCTION_WORDS and len(word) > 2}
    if not asked:
        return 1.0
    return len(asked & {word[:6] for word in answer_words}) / len(asked)


def wants_json(response_format: str | None) -> bool:
    """Whether the request asks for JSON."""
    return _format(response_format).get("type") in ("json_object", "json_schema")


def format_error(text: str, response_format: str | None) -> str | None:
    """``invalid_json``, ``schema_violation`` or ``None``."""
    wanted = _format(response_format)
    if wanted.get("type") not in ("json_object", "json_schema"):
        return None
    try:
        value = json.loads(_unfenced(text))
    except (ValueError, RecursionError):
        return "invalid_json"
    if wanted.get("type") == "json_object":
        return None if isinstance(value, dict) else "schema_violation"
    schema = (wanted.get("json_schema") or {}).get("schema")
    return None if schema is None or _fits(value, json.dumps(schema, sort_keys=True)) else "schema_violation"


def _fits(value: Any, schema: str) -> bool:
    from jsonschema.exceptions import SchemaError, UnknownType, ValidationError
    from referencing.exceptions import Unresolvable

    try:
        _validator(schema).validate(value)
    except ValidationError:
        return False
    except (SchemaError, UnknownType, Unresolvable, RecursionError, re.error, TypeError, AttributeError):
        return True  # the requester's schema is unusable: not the answer's fault
    return True


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    from jsonschema.validators import validator_for
    from referencing import Registry

    parsed = json.loads(schema)
    # An empty registry: a schema that names a remote one must not make us fetch it.
    return validator_for(parsed)(parsed, registry=Registry())


def _unfenced(text: str) -> str:
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", text, re.DOTALL)
    return fenced[1] if fenced else text


@lru_cache(maxsize=256)
def _format(response_format: str | None) -> Mapping[str, Any]:
    if not response_format:
        return {}
    try:
        parsed = json.loads(response_format)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _get(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
