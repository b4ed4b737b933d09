"""Does the right answer depend on the day of asking? Such answers are kept for a short time only."""

import re

_TIMELY = re.compile(
    r"\b(?:today's|tonight's|tomorrow's|right now|currently|at the moment|as of (?:today|now)|live score|breaking news"
    r"|latest|newest|(?:the|what's|current) weather|weather (?:in|today|tomorrow|forecast|like)|forecast"
    r"|stock price|share price|exchange rate|what time is it"
    r"|current (?:time|price|version|president|prime minister|score|rate)"
    r"|this (?:week|weekend)|next (?:week|weekend|match|game))\b",
    re.IGNORECASE,
)
_DAY = re.compile(r"\b(?:today|tonight|tomorrow|yesterday)\b", re.IGNORECASE)
_TOLD = re.compile(r"\b(?:i|i'm|i've|my|me|we|our)\b", re.IGNORECASE)
"""Who tells of their own day asks about a situation, not about the date."""


def is_timely(text: str) -> bool:
    """Whether ``text`` asks for news, weather, prices or anything current."""
    return _TIMELY.search(text) is not None or (_DAY.search(text) is not None and _TOLD.search(text) is None)
