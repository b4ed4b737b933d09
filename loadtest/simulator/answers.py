"""Is the answer right, and what does it say? Deterministic for each (seed, model, prompt), and checkable.

The difficulty is read from the prompt: ``[difficulty=0.7]``, else from an arithmetic question, else the script's
default. The truth is a pure function of the prompt too (:func:`truth`), so whoever asked can score the answer without
asking the simulator: the result of the arithmetic, or a code word made from ``[key=…]`` or from the whole prompt.
``[call=NAME]`` asks for a call of that tool where the model may choose.
"""

import hashlib
import math
import re
from dataclasses import dataclass
from statistics import NormalDist

from loadtest.simulator.script import Model

_DIFFICULTY = re.compile(r"\[difficulty=([0-9.]+)\]")
_KEY = re.compile(r"\[key=([^\]]+)\]")
_CALL = re.compile(r"\[call=([\w.-]+)\]")
_ARITHMETIC = re.compile(r"(?<![\w.])(\d{1,9})\s*([-+*x×/÷−])\s*(\d{1,9})(?!\w|\.\d)")
_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jasper", "kelp", "lagoon")
_FILLER = [
    "we",
    "can",
    "work",
    "this",
    "out",
    "one",
    "step",
    "at",
    "a",
    "time",
    "and",
    "check",
    "that",
    "it",
    "follows",
]
_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a model says: ``doubt`` is minus the mean log-probability of the tokens that carry the answer."""

    text: str
    right: bool
    doubt: float


def unit(*parts: object) -> float:
    """A number in (0, 1) that depends on ``parts`` and on nothing else."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / 2.0**64


def difficulty(prompt: str, default: float) -> float:
    """How hard ``prompt`` is, about 0 to 1."""
    if found := _DIFFICULTY.search(prompt):
        try:
            return float(found[1])
        except ValueError:
            return default
    if sum_ := _ARITHMETIC.search(prompt):
        digits = len(sum_[1]) + len(sum_[3])
        return min(1.0, 0.1 * (digits - 1) + (0.0 if sum_[2] in "+-−" else 0.25))
    return default


def wanted_tool(prompt: str) -> str | None:
    """The tool that ``prompt`` would have called."""
    return found[1] if (found := _CALL.search(prompt)) else None


def truth(prompt: str) -> str:
    """The right answer to ``prompt``."""
    if (sum_ := _ARITHMETIC.search(prompt)) and not _KEY.search(prompt):
        return _result(int(sum_[1]), sum_[2], int(sum_[3]))
    key = _KEY.search(prompt)
    return _code_word("truth", key[1] if key else " ".join(prompt.split()))


def is_right(prompt: str, answer: str) -> bool:
    """Whether ``answer`` contains the right answer to ``prompt`` as a whole word."""
    return re.search(rf"(?<![\w-]){re.escape(truth(prompt))}(?![\w-])", answer) is not None


def answer_of(model_name: str, model: Model, prompt: str, seed: int, default_difficulty: float) -> Answer:
    """What ``model_name`` answers to ``prompt``: the same each time it is asked."""
    quality = model.quality
    chance = quality.floor + (quality.ceiling - quality.floor) / (
        1 + math.exp(-quality.slope * (quality.skill - difficulty(prompt, default_difficulty)))
    )
    own = _NORMAL.inv_cdf(unit(seed, "luck", model_name, prompt))
    shared = _NORMAL.inv_cdf(unit(seed, "luck", prompt))
    rho = quality.correlation
    right = _NORMAL.cdf(math.sqrt(rho) * shared + math.sqrt(1 - rho) * own) < chance
    doubt = math.exp(
        (quality.log_doubt_right if right else quality.log_doubt_wrong)
        + quality.doubt_sigma * _NORMAL.inv_cdf(unit(seed, "doubt", model_name, prompt))
    )
    said = truth(prompt) if right else _wrong(prompt, model_name, seed)
    hedged = not right and unit(seed, "hedge", model_name, prompt) < quality.hedged_wrong
    spread = math.exp(model.answer_sigma * _NORMAL.inv_cdf(unit(seed, "length", model_name, prompt)))
    lead = f"I am not sure, but it may be {said}." if hedged else f"The answer is {said}."
    words = " ".join(_FILLER[i % len(_FILLER)] for i in range(max(0, round(model.answer_tokens * spread) - 5)))
    text = f"{lead} {words.capitalize()}." if words else lead
    return Answer(text=text, right=right, doubt=doubt)


def _wrong(prompt: str, model_name: str, seed: int) -> str:
    correct = truth(prompt)
    if re.fullmatch(r"-?\d+", correct):
        return str(int(correct) + 1 + int(unit(seed, "slip", model_name, prompt) * 9))
    return _code_word("wrong", seed, model_name, prompt)


def _result(a: int, operator: str, b: int) -> str:
    if operator == "+":
        return str(a + b)
    if operator in "-−":
        return str(a - b)
    if operator in "*x×":
        return str(a * b)
    return str(a // b) if b else "undefined"


def _code_word(*parts: object) -> str:
    return f"{_WORDS[int(unit('word', *parts) * len(_WORDS))]}-{int(unit('number', *parts) * 9000) + 1000}"
