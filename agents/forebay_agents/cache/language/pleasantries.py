"""What is asked, without greeting, thanks and apologies? Politeness must not cost a hit."""

import re
from functools import lru_cache

_WHOM = "(?: (?:there|all|everyone|everybody|folks|guys|team|doctor|doc|dr|sir or madam|sir|madam|community|friends))?"
_ASKING = r",?(?= (?:who|what|when|where|why|which|how|if|whether)\b)"
_BEFORE = re.compile(
    r"\s*(?:"
    rf"(?:hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day)|excuse me|pardon me){_WHOM}\s*[,.!:;-]+"
    r"|(?:please|pls|plz),? help(?: me)?\s*[,.!:;]+|(?:a )?quick (?:question|one)\s*[,.!:-]+"
    r"|(?:i )?hope (?:you are|you're|this finds you|all is) (?:doing )?well\s*[,.!]+"
    r"|sorry (?:to|for) (?:ask|asking|bother|bothering)(?: you)?(?: again)?\s*[,.!]+"
    r"|i (?:was|am) wondering\s*[,:]+|one question\s*[,:]+|my question is\s*[,:]*"
    r"|(?:can|could|would|might) (?:you|someone|somebody|anyone|anybody)(?: please| kindly)*"
    rf" (?:tell|explain to|let) (?:me|us)(?: know)?(?: please)?{_ASKING}"
    rf"|(?:please|kindly) (?:tell me|let me know){_ASKING}"
    rf"|(?:i'd|i would) (?:like|love|be (?:glad|happy|grateful)) to know{_ASKING}"
    rf"|does (?:anyone|anybody|someone) know{_ASKING}"
    r")\s*",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?P<before>[,.!?;\n-])\s*+(?:many thanks|thanks|thank you|thx|cheers|(?:best |kind )?regards|much appreciated"
    r"|i(?:'d| would) be (?:very |so |really )?(?:grateful|thankful)|(?:please|pls|plz) help(?: me)?"
    r"|any (?:advice|help|ideas?)(?: (?:is|would be) appreciated)?|help (?:is )?appreciated)"
    r"(?: (?:a lot|a million|so much|very much|in advance|all|guys|for (?:your|any|the) (?:help|time|advice)))*"
    r"[\s.!?]*$",
    re.IGNORECASE,
)
_LEAST_WORDS = 2


@lru_cache(maxsize=4_096)
def bare(text: str) -> str:
    """``text`` without its pleasantries; the whole where hardly anything else is said."""
    at = 0
    while (match := _BEFORE.match(text, at)) is not None and match.end() > at:
        at = match.end()
    rest = text[at:]
    while (match := _AFTER.search(rest)) is not None:
        rest = rest[: match.start()] + match["before"].strip(",;-\n")
    if len(rest.split()) < _LEAST_WORDS:
        return text
    return rest[0].upper() + rest[1:] if at and text[:1].isupper() else rest
