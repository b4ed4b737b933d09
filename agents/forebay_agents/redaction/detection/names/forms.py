"""In which forms is a name mentioned again? Inflected, short, in CJK without its family name, glued into a file's name.

"Марине Соколовой", "Elif'in", "민준 씨", "晓雯", "JonasPetrauskas_cv.pdf". A word is a form of a name if it begins with
its stem and ends as words of its language do; no dictionary is needed, since the name was found.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from forebay_agents.redaction.detection.names.words import listed

_ENDINGS = listed(
    # Slavic in Latin letters, Baltic
    "a u i y e o ą ę ě é í ý ů ou ej em om im ym ami ach ech ům owi ovi ové owej owa ową owie ova ovou ovej ego emu "
    "iego "
    "iemu iej skiej ého ému ým ím imi ymi ią io iu ie ių io iui iu ui as is us es os ą į ai ei oi ės os ę s "
    # Cyrillic
    "а у е ы и о ю я ой ою ей ею ом ем ём ым им ого его ому ему ая яя ую юю ые ие ых их ия ию ии ья ью ами ями ах "
    "ях ове "
    "еві ові ий ій ів ою єю ею ї і є "
    # Greek
    "α ου ο ος ης η ας ες ων ε "
    # Finnish, Estonian, Hungarian
    "n a ä t en in an än on un yn lla llä lle lta ltä ssa ssä sta stä na nä ksi lt l le st sse s ga ni "
    "nak nek nál nél val vel ral rel tól től hoz hez höz ra re ról ről ban ben ból ből ba be ot et at öt ék ért ig ot "
    "éknak éknek ünk unk "
    # Turkish, Azeri, without an apostrophe
    "in ın un ün nin nın nun nün ya ye yi yı yu yü da de ta te dan den tan ten la le yla yle lar ler "
    # Romanian, Croatian
    "ei ului lui ul om em ova ovog ovom ka ke ki ko ku"
)
_LONGEST_ENDING = 5
_LEAST_STEM = 3
_LEAST_GLUED = 4
_PLAIN = frozenset(("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "id", "vi"))
"""Languages that do not inflect names, but for an s."""
_HAN = re.compile(r"[\u3400-\u9fff]+")
_HANGUL = re.compile(r"[\uac00-\ud7a3]+")
_KANA = re.compile(r"[\u30a1-\u30fa\u30fc]{2,}")
_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "東方",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "남궁",
    "황보",
    "제갈",
    "선우",
    "독고",
    "사공",
)


def stems(parts: Collection[str], language: str | None, ascii_text: bool) -> frozenset[str]:
    """Beginnings by which inflected forms of ``parts`` (in lower case) are known."""
    found: set[str] = set()
    for part in parts:
        if not _inflects(part, language, ascii_text) or len(part) <= _LEAST_STEM:
            continue
        found.add(part)
        found.update(part[:-cut] for cut in (1, 2) if len(part) - cut >= _LEAST_STEM + (cut > 1))
        if part.endswith(("ий", "ый", "ого", "ská", "ský", "ski", "cka", "ská")):
            found.add(part[:-2])
        if len(part) > _LEAST_STEM + 1 and (part[-2] in "eеo" or part[-2] == part[-3]):
            found.add(part[:-2] + part[-1])  # Paweł, Pawła; Павел, Павла; Mikko, Mikon
    return frozenset(stem for stem in found if len(stem) >= _LEAST_STEM)


def _inflects(part: str, language: str | None, ascii_text: bool) -> bool:
    if any("\u0370" <= char <= "\u052f" for char in part):
        return True
    if language is None:
        return not ascii_text
    return language not in _PLAIN


def inflected(low: str, known: Collection[str]) -> bool:
    """Whether ``low`` is one of the stems ``known`` with an ending."""
    for cut in range(1, min(_LONGEST_ENDING, len(low) - _LEAST_STEM) + 1):
        if low[:-cut] in known and low[-cut:] in _ENDINGS:
            return True
    return False


def glued(word: str, low: str, parts: Collection[str]) -> tuple[int, int] | None:
    """The place in ``word`` of parts of a name that are glued together, or to something with a capital or a digit."""
    for part in parts:
        size = len(part)
        if size < _LEAST_GLUED or size >= len(low):
            continue
        if low.startswith(part):
            rest = low[size:]
            if rest in parts or (len(rest) == 1 and _initial(rest, parts, part)):
                return 0, len(low)
            if word[size].isupper() or word[size].isdigit():
                return 0, size
        if low.endswith(part):
            rest = low[:-size]
            if rest in parts or (len(rest) == 1 and _initial(rest, parts, part)):
                return 0, len(low)
            if word[-size].isupper() and not word.isupper():
                return len(low) - size, len(low)
    return None


def _initial(letter: str, parts: Collection[str], of: str) -> bool:
    return any(part[0] == letter for part in parts if part != of)


def short_forms(names: Iterable[str]) -> frozenset[str]:
    """What people of ``names`` in Chinese, Japanese or Korean are called: whole, and without the family name."""
    found: set[str] = set()
    for name in names:
        for pattern in (_HAN, _HANGUL, _KANA):
            for match in pattern.finditer(name):
                found.update(_of_run(match[0]))
    return frozenset(found)


def _of_run(run: str) -> Iterator[str]:
    if len(run) >= 2:
        yield run
    if run.startswith(_COMPOUND):
        if len(run) > 3:
            yield run[2:]
    elif len(run) == 3:
        yield run[1:]
    elif len(run) == 4 and not _KANA.fullmatch(run):
        yield run[:2]
        yield run[2:]


def short_places(text: str, forms: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where one of ``forms`` stands; in Korean only at the beginning of a word."""
    for form in sorted(forms, key=len, reverse=True):
        korean = _HANGUL.match(form) is not None
        at = text.find(form)
        while at >= 0:
            if not (korean and at and _HANGUL.match(text[at - 1])):
                yield at, at + len(form)
            at = text.find(form, at + len(form))
