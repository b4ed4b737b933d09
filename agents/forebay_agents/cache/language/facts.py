"""What does a question say beyond its words? Numbers, names, negation, direction: what guards compare.

Everything is read off the surface with rules that take tens of microseconds; no rule knows the other question.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from forebay_agents.cache.language.order import compared_of, direction_of
from forebay_agents.cache.language.quantities import SPELT, quantities
from forebay_agents.cache.language.timeliness import is_timely
from forebay_agents.cache.language.words import FUNCTION_WORDS, Words, listed, words_of


class Asked(StrEnum):
    """What kind of answer a question wants."""

    WHO = "who"
    WHEN = "when"
    WHERE = "where"
    WHY = "why"
    HOW = "how"
    QUANTITY = "quantity"
    WHICH = "which"
    YES_NO = "yes_no"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """The facts of one question; see the functions of this module for each."""

    words: Words
    numbers: frozenset[str]
    units: frozenset[str]
    names: frozenset[str]
    names_in_order: tuple[str, ...]
    verbatim: frozenset[str]
    tags: tuple[str, ...]
    negations: int
    asked: Asked
    quantifiers: frozenset[str]
    direction: tuple[str, str] | None
    compared: tuple[str, str, str] | None
    timely: bool


_NEGATIONS = listed(
    "not no never without cannot can't cant don't dont doesn't doesnt didn't didnt isn't isnt aren't wasn't weren't "
    "won't wouldn't shouldn't couldn't hasn't haven't hadn't mustn't nobody none nothing neither nor non"
)
_QUANTIFIERS = {
    "all": "all", "every": "all", "whole": "all", "entire": "all", "only": "only", "always": "always",
    "never": "never", "sometimes": "sometimes", "both": "both", "half": "half", "double": "double", "twice": "double",
    "first": "first", "last": "last", "minimum": "minimum", "maximum": "maximum", "max": "maximum", "least": "minimum",
}  # fmt: skip
"""Those that change the answer; some, any, several, best and most without an adjective are how people talk."""
NOT_TOLD = _NEGATIONS | _QUANTIFIERS.keys() | SPELT
"""Words that the guards for negation, quantifiers and numbers look at."""
_UNDECIDED = listed("decide sure know understand remember")
"""What is not done by somebody who merely asks: I don't know how to …, I can't decide whether …"""
_PRICES = listed("price prices cost costs fee fees rate rates charge charges fare fares")
_PERIODS = listed("day week month year morning evening night hour minute time weekday weekend")
_SAME_SUPERLATIVE = {"quickest": "fastest", "tallest": "highest", "greatest": "best", "largest": "biggest",
                     "simplest": "easiest", "hardest": "most difficult", "toughest": "most difficult",
                     "least hard": "easiest", "least difficult": "easiest", "nearest": "closest",
                     "littlest": "smallest", "tiniest": "smallest", "least expensive": "cheapest",
                     "costliest": "most expensive",
                     "priciest": "most expensive"}  # fmt: skip
_NO_SUPERLATIVES = listed(
    "interest request suggest forest invest honest arrest contest protest harvest digest modest conquest manifest "
    "priest bequest budapest everest pinterest disinterest reinvest infest ingest"
)
_NO_NAMES = listed("i i'm i've i'd i'll")
_NAME_STEM = 4
"""Letters of a name that its other forms share: India and Indian, Europe and European."""
_QUOTED = re.compile(r"```.+?```|`[^`]+`|\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”", re.DOTALL)
_CODE = re.compile(
    r"https?://\S+|\b[\w.]+@[\w.]+\b|(?<!\w)--?[a-z][\w-]*|\b\w+\(\)|\b[a-z]+_[a-z_]+\b|\b[a-z]{2,}[A-Z][a-z]\w*\b"
    r"|\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{5,}\b|\b[A-Z]{2,}-\d+\b|\b[\w-]+\.(?:py|js|ts|go|rs|java|c|h|cpp|sh|json|ya?ml|toml|txt|csv)\b"
    r"|(?<!\w)/[\w./-]{2,}|\b[0-9a-f]{7,40}\b(?<=\d)"
)
_TAG = re.compile(r"<[A-Z][A-Z0-9_]*_\d+>")
_YES_NO = listed(
    "is are was were am do does did can could should would will may might must has have had isn't aren't don't doesn't "
    "can't shouldn't won't"
)
_WH = {"who": Asked.WHO, "whom": Asked.WHO, "whose": Asked.WHO, "when": Asked.WHEN, "where": Asked.WHERE,
       "why": Asked.WHY, "which": Asked.WHICH, "what": Asked.WHICH, "what's": Asked.WHICH, "who's": Asked.WHO,
       "where's": Asked.WHERE, "when's": Asked.WHEN, "how's": Asked.HOW}  # fmt: skip
_HOW_QUANTITY = listed("many much long old far tall big large high deep often soon late fast heavy expensive")
_WHAT_AS = {"time": Asked.WHEN, "year": Asked.WHEN, "date": Asked.WHEN, "day": Asked.WHEN, "place": Asked.WHERE,
            "reason": Asked.WHY, "causes": Asked.WHY, "caused": Asked.WHY, "cause": Asked.WHY, "person": Asked.WHO,
            "percentage": Asked.QUANTITY, "number": Asked.QUANTITY, "price": Asked.QUANTITY,
            "way": Asked.HOW, "steps": Asked.HOW, "procedure": Asked.HOW, "method": Asked.HOW}  # fmt: skip
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|\n)\W*$")


@lru_cache(maxsize=4_096)
def facts_of(text: str) -> Facts:
    """Read the facts off ``text``."""
    words = words_of(text)
    named = _names(words)
    numbers, units = quantities(words)
    return Facts(
        words=words,
        numbers=numbers,
        units=units,
        names=frozenset(named),
        names_in_order=tuple(dict.fromkeys(name[:_NAME_STEM] for name in named)),
        verbatim=frozenset(found.strip() for pattern in (_QUOTED, _CODE) for found in pattern.findall(text)),
        tags=tuple(dict.fromkeys(_TAG.findall(text))),
        negations=_denials(words),
        asked=_asked(words),
        quantifiers=_quantifiers(words),
        direction=direction_of(text),
        compared=compared_of(text),
        timely=is_timely(text),
    )


def _names(words: Words) -> tuple[str, ...]:
    """Capitalised words that do not only begin a sentence, lower-cased; texts without any case have no names."""
    if words.text.isupper():
        return ()
    found = []
    for word in words.all:
        if word.lower in _NO_NAMES or not word.content or not any(letter.isupper() for letter in word.text):
            continue
        inside = any(letter.isupper() for letter in word.text[1:])
        if inside or _SENTENCE_START.search(words.text[: word.start]) is None:
            found.append(word.lower.removesuffix("'s"))
    return tuple(found)


def _denials(words: Words) -> int:
    """Words that deny, but for those that leave the question open: … or not, can't decide whether, I don't know."""
    lower = words.lower
    return sum(
        word in _NEGATIONS and not (word == "not" and before == "or") and following not in _UNDECIDED
        for before, word, following in zip(("", *lower), lower, (*lower[1:], ""), strict=False)
    )


def _quantifiers(words: Words) -> frozenset[str]:
    pairs = list(zip(("", *words.lower), words.lower, (*words.lower[1:], ""), strict=False))
    found = {
        _QUANTIFIERS[word]
        for before, word, following in pairs
        if word in _QUANTIFIERS and not (word == "all" and (before in ("at", "of", "after") or following == "right"))
    }
    for before, word, following in pairs:
        if word == "every" and following in _PERIODS:
            found.discard("all")  # every day is daily
        elif word in ("most", "least") and following and following not in FUNCTION_WORDS:
            found.discard("minimum")
            found.add(_SAME_SUPERLATIVE.get(f"{word} {following}", f"{word} {following}"))
        elif word == "most" and not following and before not in FUNCTION_WORDS:
            found.add(f"most {before}")  # which is spoken most
        elif word == "lowest" and following in _PRICES:
            found.add("cheapest")
        elif word.endswith("est") and len(word) > 5 and word not in _NO_SUPERLATIVES:
            found.add(_SAME_SUPERLATIVE.get(word, word))
    return frozenset(found)


def is_superlative(quantifier: str) -> bool:
    """Whether it ranks: two different ones never share an answer."""
    return " " in quantifier or quantifier.endswith("est")


def _asked(words: Words) -> Asked:
    """The kind of the last question asked: long messages ask at their end."""
    lower = _last_question(words)
    for index, word in enumerate(lower):
        following = lower[index + 1] if index + 1 < len(lower) else ""
        if word == "how":
            if following == "come":
                return Asked.WHY
            return Asked.QUANTITY if following in _HOW_QUANTITY else Asked.HOW
        if word in ("what", "what's", "which"):
            return next((_WHAT_AS[w] for w in lower[index + 1 : index + 4] if w in _WHAT_AS), Asked.WHICH)
        if word == "where" and "from" in lower[index:] and {"come", "comes"} & set(lower[index:]):
            return Asked.WHY
        if word == "when" and following not in _YES_NO and following != "to" and index + 2 < len(lower):
            continue  # when I lie down, why …
        if word in _WH:
            return _WH[word]
        if word in _YES_NO and index == 0:
            return Asked.YES_NO
    return Asked.YES_NO if any(word in _YES_NO for word in lower[:3]) else Asked.OTHER


def _last_question(words: Words) -> list[str]:
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", words.text) if part.strip()]
    if len(sentences) == 1:
        return list(words.lower)
    asking = [part for part in sentences if part.rstrip().endswith("?")] or sentences[-1:]
    return [word.lower for word in Words(asking[-1]).all] if asking else []
