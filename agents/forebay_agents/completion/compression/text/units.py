"""What is a text made of? Words with the white space behind them, and sentences; by rules, in code points.

A word is the smallest thing that is kept or dropped, so no number, name or abbreviation is ever cut in half. The words
of a text, joined, are the text: what is kept can be given as spans of the input.
"""

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from forebay_agents.completion.compression.text.function_words import FUNCTION_WORDS

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
"""Of a regular expression's class: letters of scripts that put no blanks between words. Each counts as a word."""

_WORD = re.compile(rf"[{CJK}][、。，．！？；：」』）】》〉]*\s*|[^\s—{CJK}]+[—]?\s*|—\s*|^\s+")
_EDGE = "\"'“”‘’«»()[]{}<>.,;:!?…*_`—–-、。，．！？；：「」『』（）【】《》〈〉"
_END = re.compile(r"[.!?…。！？][\"'”’»)\]」』）】》〉]*$")
_CJK = re.compile(f"[{CJK}]")
_TRANSCRIPT = 3
_DIGIT = re.compile(r"\d")
_INITIAL = re.compile(r"(?:^|[.\s(])[A-Z]\.$")
_CLOCK = r"(?:[\[(]?\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?[\])]?)"
_SPEAKER = re.compile(  # a time or a dash, a name, what the name is of, a time; then a colon
    rf"(?:^|(?<=\n))[ \t]*(?:[-*•][ \t]+)?(?:{_CLOCK}[ \t-]*)?(?:\*\*|\[)?[A-ZÀ-ÖØ-Þ][\w.'’ -]{{0,40}}?"
    rf"(?: ?\((?:[^()\n]|\([^()\n]{{1,60}}\)){{1,120}}\))?(?: ?-? ?{_CLOCK})?(?:\*\*|\])?:(?:\*\*)?[ \t]+"
)
_SUFFIX = re.compile(
    r"(?:ization|isation|ational|fulness|iveness|ations|ation|ments|ment|ically|ingly|edly|ings|ing|ions|ion|ies|ied"
    r"|ers|er|ors|or|ness|ally|ly|ed|es|al|ic|ity|ous|ive|able|s|e|y)$"
)
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        """mr. mrs. ms. dr. prof. rev. st. gen. col. capt. lt. sgt. gov. sen. rep. jr. sr. vs. etc. e.g. i.e. cf. ca. c.
        al. no. vol. p. pp. ed. eds. fig. inc. ltd. co. corp. bros. dept. est. approx. jan. feb. mar. apr. jun. jul.
        aug. sept. sep. oct. nov. dec. u.s. u.k. ph.d. d.c. b.c. a.d. a.m. p.m. mt. ft. art. sec. ch. op. lat. gr.""",
    )
)
_IRREGULAR: dict[str, str] = dict(
    pair.split(":")
    for pair in re.findall(
        r"\S+",
        """was:be were:be been:be is:be are:be began:begin begun:begin became:become wrote:write written:write took:take
        taken:take gave:give given:give made:make found:find held:hold led:lead left:leave lost:lose won:win knew:know
        known:know grew:grow grown:grow sold:sell bought:buy brought:bring built:build fought:fight taught:teach
        thought:think said:say told:tell went:go gone:go came:come saw:see seen:see stood:stand spoke:speak spoken:speak
        chose:choose chosen:choose drew:draw drawn:draw fell:fall fallen:fall felt:feel kept:keep meant:mean met:meet
        paid:pay ran:run rose:rise risen:rise sent:send shot:shoot sang:sing sung:sing spent:spend struck:strike
        swam:swim threw:throw wore:wear worn:wear died:die death:die dead:die born:birth people:person children:child
        men:man women:woman lives:live life:live founded:found beaten:beat ate:eat eaten:eat drove:drive driven:drive
        broke:break broken:break caught:catch dealt:deal flew:fly flown:fly got:get had:have hid:hide hit:hit laid:lay
        bore:bear borne:bear sought:seek shown:show shook:shake slept:sleep lay:lie wars:war""",
    )
)


class Kind(IntEnum):
    """Coarse class of a word, by its look."""

    FUNCTION = 0
    CONTENT = 1
    NAME = 2
    NUMBER = 3


class Word(NamedTuple):
    """``text[start:end]``, white space behind it included; ``bare``: without marks; ``stem``: what is compared."""

    start: int
    end: int
    text: str
    bare: str
    stem: str
    kind: Kind


class Sentence(NamedTuple):
    """``words[first:last]`` of a text."""

    first: int
    last: int


_NUMBER_WORDS = frozenset(
    re.findall(
        r"\S+",
        """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands
        million millions billion billions trillion dozen dozens half third quarter quarters thirds twice once first
        second fourth fifth sixth seventh eighth ninth tenth double triple january february march april may june july
        august september october november december monday tuesday wednesday thursday friday saturday sunday""",
    )
)


class _Form(NamedTuple):
    """What can be said of a word without its place in the text; ``closes``: a sentence or a line."""

    bare: str
    stem: str
    inside: Kind
    opening: Kind
    ends: bool
    closes: bool


def words_of(text: str) -> list[Word]:
    """All words of ``text``, in order, without a gap."""
    found = []
    opening = True
    end = 0
    for raw in _WORD.findall(text):
        bare, stem_, inside, first, _, closes = _form(raw)
        start, end = end, end + len(raw)
        found.append(Word(start, end, raw, bare, stem_, first if opening else inside))
        opening = closes
    return found


@lru_cache(maxsize=200_000)
def _form(raw: str) -> _Form:
    core = raw.rstrip()
    bare = core.strip(_EDGE)
    ends = _ends(core)
    return _Form(bare, stem(bare), _kind(bare, False), _kind(bare, True), ends, ends or "\n" in raw)


def sentences_of(words: Sequence[Word]) -> list[Sentence]:
    """Runs of words that end with a full stop (not an abbreviation's) or with a line."""
    found = []
    first = 0
    last = len(words) - 1
    # Speech that a machine wrote down, and old terminals, know no capitals to tell a sentence by.
    cased = any(word.bare[:1].isupper() for word in words)
    for index, word in enumerate(words):
        if index == last or (
            (form := _form(word.text)).closes
            and (not form.ends or "\n" in word.text or not cased or _opens(words[index + 1]))
        ):
            found.append(Sentence(first, index + 1))
            first = index + 1
    return found


def lines_of(words: Sequence[Word]) -> list[int]:
    """The number of the line that each word stands in."""
    line, lines = 0, []
    for word in words:
        lines.append(line)
        line += "\n" in word.text
    return lines


def speakers_of(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Runs ``words[first:last]`` that say who speaks, if ``text`` is a transcript: three lines ``Name: …`` or more."""
    found = [match.span() for match in _SPEAKER.finditer(text)]
    if len(found) < _TRANSCRIPT:
        return []
    runs = []
    index = 0
    for start, end in found:
        while index < len(words) and words[index].start < start:
            index += 1
        first = index
        while index < len(words) and words[index].end <= end:
            index += 1
        if index > first:
            runs.append((first, index))
    return runs


@lru_cache(maxsize=65_536)
def stem(bare: str) -> str:
    """What inflections of a word have in common, roughly; good enough to compare a question with a text."""
    lower = bare.lower().replace("’", "'")
    lower = lower.removesuffix("'s")
    lower = _IRREGULAR.get(lower, lower)
    if len(lower) <= 4 or not lower.isalpha():
        return lower[:-1] if len(lower) == 4 and lower.endswith("s") and not lower.endswith("ss") else lower
    shorter = _SUFFIX.sub("", lower)
    return shorter if len(shorter) >= 4 else (lower.rstrip("s") if len(lower.rstrip("s")) > 3 else lower)


def _kind(bare: str, start_of_sentence: bool) -> Kind:
    lower = bare.lower()
    if _DIGIT.search(bare) or (lower in _NUMBER_WORDS and (lower != "may" or bare[0] == "M")):
        return Kind.NUMBER
    if not bare or lower in FUNCTION_WORDS:
        return Kind.FUNCTION
    if bare[0].isupper() and (not start_of_sentence or not bare[1:].islower()):
        return Kind.NAME
    return Kind.CONTENT


def _ends(core: str) -> bool:
    if not _END.search(core):
        return False
    lower = core.lower().lstrip("(\"'“‘")
    return not (lower in _ABBREVIATIONS or _INITIAL.search(core))


def _opens(word: Word) -> bool:
    head = word.text.lstrip("\"'“‘«([—–-")
    return not head or not head[0].islower()


def is_cjk(word: str) -> bool:
    """Whether ``word`` is a letter of a script without blanks between words."""
    return _CJK.match(word) is not None
