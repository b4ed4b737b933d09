"""What announces a name or a place? Titles, "my name is", field labels, and questions that the next turn answers.

A cue lowers the threshold of the words that follow it; after the surest ones all but everyday words count.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.windows import matches

PERSON, PLACE = 1, 2
"""Columns of the head's output."""

SURE = 0.2
"""Factor up to which a cue leaves no doubt that a name or a place follows."""
_LABELS = re.compile(
    # Bounded: of a row of tabs each begins one.
    r"(?:^|[\n|;,{(\[<&?\t]|\. |\\n)[ \t]{0,160}+[\"'*_>#\-]{0,4}+(?=[^\W\d_])(?:"
    r"(?P<person>(?:(?:full|first|last|given|family|middle|maiden|sur|customer|client|patient|user|employee|contact|account|"
    r"card ?holder|guest|student|applicant|insured|beneficiary|tenant|landlord|author|legal|display|spouse|mother|"
    r"father|parent|"
    r"guardian|emergency contact|nick|passenger|driver|buyer|seller|billing|shipping|holder)'?s?[ _\-]?)?(?:name|"
    r"names|nombre|nom)|"
    r"customer|client|patient|employee|cardholder|account holder|contact(?: person)?|guest|applicant|insured|"
    r"beneficiary|tenant|"
    r"landlord|author|signed|attn|attention|from|to|cc|bcc|next of kin|emergency contact|caller|reported by|assigned "
    r"to|assignee|"
    r"attending|physician|referring physician|student|passenger|sender|recipient|payee|agent|owner|manager|supervisor)|"
    r"(?P<place>(?:(?:home|billing|shipping|mailing|street|work|postal|delivery|current|permanent|"
    r"office)[ _\-]?)?address(?: ?line ?\d)?|"
    r"city|town|village|state|province|county|country|region|location|street|place of birth|birth ?place|hometown|"
    r"residence|"
    r"nationality|destination|origin|ship to|bill to|lives in|based in)"
    r")[\"'*_ \t]{0,3}(?:[:=]|\t|\|)[ \t]{0,3}[\"'*_]{0,3}(?=(?P<value>[^\n|;{}<>\t\"=:]{1,80}))",
    re.IGNORECASE,
)
_INTRO = re.compile(
    r"\b(?:(?P<meeting>1[:\-]1 (?:with|w/))|(?P<sure>(?:my|his|her|their|your|the|whose|full|first|last|maiden|middle|"
    r"sur|user)[ ]?name(?:'s| is| was|"
    r"s are|:)?"
    r"(?: actually| really)?|(?:i am|i'm|im|it is|it's|its|this is|you can) (?:called|named)|(?:please )?(?:just "
    r")?call me|"
    r"(?:named|under the name(?: of)?|in the name(?: of)?|on behalf of|signed by|speaking (?:to|with))|"
    r"name(?:'s| is)|(?:booking|reservation|account|table|appointment|order) (?:is )?(?:under|for))|"
    r"(?P<maybe>(?:hi|hello|hey|dear|thanks|thank you|cheers|regards|sincerely|best|bye|goodbye|good morning|good "
    r"evening|ok|okay)"
    r"(?: there)?|(?:i am|i'm|im|it is|it's|its|this is|here is|ask|tell|call|contact|meet|met|with|w/|by|from|for|"
    r"and|my "
    r"(?:wife|husband|son|daughter|mother|father|mom|dad|brother|sister|friend|boss|colleague|partner|girlfriend|boyfriend|fiancee?|"
    r"neighbou?r|cousin|uncle|aunt|manager|doctor|dentist|lawyer|"
    r"teacher))))[,:]?[ ]{1,2}(?=(?P<value>[^\n,.;:!?()\"<>]{1,60}))",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    r"(?:[.!?…][ \n]{1,3}|\n[ \t]{0,4})[\-–—~]{0,2} ?"
    r"(?P<value>[A-ZÀ-Þ][^\W\d_]{1,20}(?:[ \-'’][A-ZÀ-Þ][^\W\d_]{1,20}){0,2})(?: \([a-z ]{2,16}\))?\s{0,4}\Z"
)
"""Nothing but capitalised words behind the last sentence: who wrote it. The head still has to think it possible."""
_SIGNATURE = 100
_TURNS = re.compile(
    r"^[ \t>*]{0,4}(?P<value>[A-ZÀ-Þ][^\W\d_]{1,20}(?: [A-ZÀ-Þ][^\W\d_]{1,20}){0,2}):[ \t]", re.MULTILINE
)
_TITLE = re.compile(
    r"\b(?:mr|mrs|ms|mx|miss|dr|prof|professor|sir|madam|herr|frau|señora?|sra?|mme|monsieur|madame|mademoiselle|rev|father|sister|"
    r"judge|officer|captain|sergeant|detective|nurse|doctor|senator|congressman|attorney)\b\.?[ ]{1,2}"
    r"(?=(?P<value>[^\W\d_][^\n,.;:!?()\"<>]{1,40}))",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\w+")
_NAMED = listed("my his her their your the whose full first last maiden middle sur user")
_INTRO_WORDS = listed(
    "i im it its this you please just call named under in on signed speaking name booking reservation account table "
    "appointment order hi hello hey dear thanks thank cheers regards sincerely best bye goodbye good ok okay here ask "
    "tell contact meet met with w by from for and my 1"
) | {word + name for word in _NAMED for name in ("", "name", "names")}
"""The first words of everything that ``_INTRO`` finds."""
_TITLE_WORDS = listed(
    "mr mrs ms mx miss dr prof professor sir madam herr frau sr sra mme monsieur madame mademoiselle rev father sister "
    "judge officer captain sergeant detective nurse doctor senator congressman attorney"
)
"""The same of ``_TITLE``, in ASCII text."""
_ASKED_NAME = re.compile(
    r"(?:\bname\b|who am i (?:speaking|talking|chatting)|who is this|who's this|who are you|whom am i|"
    r"whose)[^\n]{0,60}$",
    re.IGNORECASE,
)
_ASKED_PLACE = re.compile(
    r"(?:where (?:do|are|did|is|were|would|should)|which (?:city|country|town|state)|what(?:'s| is) (?:the|your) "
    r"(?:\w+ )?"
    r"(?:address|city|country|town|location|destination|hometown)|\b(?:address|city|destination)\b[^\n]{0,24}\?)[^\n]{0,60}$",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"^[ \t]*(?:[\w .\[\]:]{1,24}[:>]|[-*])[ \t]+")
_WORDS_OF_AN_ANSWER = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Cue:
    """``start`` to ``end`` may hold what was announced; ``factor`` multiplies the threshold there; ``sure``: 0."""

    start: int
    end: int
    column: int
    factor: float


def cues(text: str) -> Iterator[Cue]:
    """All cues in ``text``."""
    if any(mark in text for mark in ":=\t|"):
        for match in matches(_LABELS, text):
            column = PERSON if match["person"] else PLACE
            yield Cue(start=match.start("value"), end=match.end("value"), column=column, factor=0.2)
    leading = _leading(text)
    for match in _led_by(_INTRO_WORDS, _INTRO, text, leading):
        factor = 0.05 if match["meeting"] else 0.12 if match["sure"] else 0.6
        yield Cue(start=match.start("value"), end=_limited(match, 3), column=PERSON, factor=factor)
    for match in _led_by(_TITLE_WORDS, _TITLE, text, leading):
        yield Cue(start=match.start("value"), end=_limited(match, 2), column=PERSON, factor=0.15)
    turns = list(matches(_TURNS, text)) if text.count(":") > 1 else []
    if len(turns) > 1:  # a transcript: who speaks stands before the colon
        for match in turns:
            yield Cue(start=match.start("value"), end=match.end("value"), column=PERSON, factor=0.5)
    yield from _answers(text)
    if signed := _SIGNED.search(text, max(0, len(text) - _SIGNATURE)):
        factor = 0.03 if " " in signed["value"] else 0.25
        yield Cue(start=signed.start("value"), end=signed.end("value"), column=PERSON, factor=factor)


def _leading(text: str) -> list[tuple[int, str]] | None:
    """Places of all words with which a cue may begin, and the words; ``None`` if that cannot be told.

    Only in ASCII text, since beyond it letters are the same whose lower case differs.
    """
    if not text.isascii():
        return None
    return [(token.start(), token[0]) for token in _TOKEN.finditer(text.lower()) if token[0] in _LEADING]


_LEADING = _INTRO_WORDS | _TITLE_WORDS


def _led_by(
    words: frozenset[str], pattern: re.Pattern[str], text: str, leading: list[tuple[int, str]] | None
) -> Iterator[re.Match[str]]:
    """What ``pattern.finditer(text)`` finds, a quarter of its time: tried where one of ``words`` is, its first ones."""
    if leading is None:
        yield from matches(pattern, text)
        return
    done = 0
    for start, word in leading:
        if word in words and start >= done and (match := pattern.match(text, start)):
            done = match.end()
            yield match


def _limited(match: re.Match[str], words: int) -> int:
    """End of the first ``words`` words of the value."""
    pieces = re.match(rf"(?:\S+ {{0,2}}){{1,{words}}}", match["value"])
    return match.start("value") + (pieces.end() if pieces else 0)


def _answers(text: str) -> Iterator[Cue]:
    """Short lines that answer a question for a name or a place."""
    if "\n" not in text:
        return
    position = 0
    previous = ""
    for line in text.split("\n"):
        if previous and line.strip():
            spoken = _SPEAKER.match(line)
            start = position + (spoken.end() if spoken else 0)
            answer = text[start : position + len(line)]
            if len(answer.split()) <= _WORDS_OF_AN_ANSWER:
                if _ASKED_NAME.search(previous):
                    yield Cue(start=start, end=position + len(line), column=PERSON, factor=0.05)
                elif _ASKED_PLACE.search(previous):
                    yield Cue(start=start, end=position + len(line), column=PLACE, factor=0.1)
        previous = line if line.strip() else previous
        position += len(line) + 1
