"""Does the order of the words change what is asked? Routes, comparisons, and who does what to whom."""

import re

from forebay_agents.cache.language.quantities import SPELT
from forebay_agents.cache.language.words import Words, listed

_ROUTE = re.compile(
    r"\b(?:from|off|out of) (?:a |an |the |my |your )?(?P<a>[\w<>+#'-]+(?: [\w<>+#'-]+)?) (?:in|on)?to "
    r"(?:a |an |the |my |your )?(?P<b>[\w<>+#'-]+)",
    re.IGNORECASE,
)
_INTO = re.compile(
    r"\b(?:convert|change|turn|translate|migrate|transfer|switch|exchange|copy|move|flight|train|ferry|bus|travel)\w* "
    r"(?:a |an |the |my |between )?(?P<a>[\w<>+#'-]+(?: [\w<>+#'-]+)?) (?:in)?to "
    r"(?:a |an |the |my )?(?P<b>[\w<>+#'-]+)",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:from|out of|off|starting in|leaving) (?:a |an |the |my |your )?(?P<a>[\w<>+#'-]+)", re.IGNORECASE
)
_TO = re.compile(r"\b(?:(?:in|on)?to|for|towards?) (?:a |an |the |my |your )?(?P<b>[A-Z][\w<>+#'-]*)")
_THAN = re.compile(
    r"(?P<a>[\w<>+#'-]+) (?:is |are |was |were |be )?(?P<how>(?:(?:more|less) )?\w+) than "
    r"(?:a |an |the )?(?P<b>[\w<>+#'-]+)",
    re.IGNORECASE,
)
_OPENING = listed(
    "in on at for from with within without after before during since until if when while because on under over across "
    "to into as by compared like than about through near"
)
"""Words that begin a phrase which may stand before or after the rest of a sentence."""
_JOINING = listed(
    "a an the is are was were be been do does did can could should would will has have i my me you your it"
)


def direction_of(text: str) -> tuple[str, str] | None:
    """Start and end of a route or a conversion, also where they stand apart or the end comes first."""
    match = _ROUTE.search(text)
    if match is None:
        start, end = _FROM.search(text), _TO.search(text)
        if start is not None and end is not None and start["a"].lower() not in SPELT and not start["a"].isdigit():
            return _key(start["a"]), _key(end["b"])
        match = _INTO.search(text)
    return None if match is None else (_key(match["a"]), _key(match["b"]))


def compared_of(text: str) -> tuple[str, str, str] | None:
    """What is compared, how, and with what."""
    match = _THAN.search(text)
    return None if match is None else (_key(match["a"]), match["how"].lower(), _key(match["b"]))


def fronted(a: Words, b: Words) -> bool:
    """Whether one is the other with a phrase moved to the front: in Rome, where … / where … in Rome."""
    ours, theirs = _moving(a), _moving(b)
    if len(ours) != len(theirs) or ours == theirs:
        return False
    return any(
        ours[at:] + ours[:at] == theirs and (ours[at][1] or ours[0][1]) for at in range(1, len(ours))
    )  # only a phrase moves, and a phrase opens with one of a few words


def _moving(words: Words) -> list[tuple[str, bool]]:
    """Stems in order, without what moves along with the verb, and whether each opens a phrase."""
    return [(word.stem, word.lower in _OPENING) for word in words.all if word.lower not in _JOINING]


def _key(phrase: str) -> str:
    return " ".join(word.stem for word in Words(phrase).all if word.content or len(phrase.split()) == 1)
