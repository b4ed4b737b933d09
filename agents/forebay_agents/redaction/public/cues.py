"""By which words of a language does a sentence ask, and by which is it somebody's? Lists in ``languages/``.

Each language is read by its own lists alone: Portuguese "eu" (I) stands in "EU passport", Turkish "kim" (who) in "Kim".
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from forebay_agents.redaction.public.folding import fold, key

_FOLDER = Path(__file__).with_name("languages")


class Phrases:
    """Words and phrases that are looked for among folded words.

    Args:
        phrases: each with blanks between its words.
    """

    def __init__(self, phrases: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        self.singles = frozenset(phrase for phrase in map(key, phrases) if phrase and " " not in phrase)
        for phrase in sorted(set(map(key, phrases)), key=len, reverse=True):
            words = tuple(phrase.split())
            if words:
                self._by_first.setdefault(words[0], []).append(words)
        self.begins = frozenset(self._by_first)
        """Words with which a phrase begins."""

    def at(self, words: Sequence[str], index: int) -> int:
        """How many words at ``index`` are the longest phrase; 0: none begins there."""
        for phrase in self._by_first.get(words[index], ()):
            if tuple(words[index : index + len(phrase)]) == phrase:
                return len(phrase)
        return 0

    def found(self, words: Sequence[str], start: int = 0, end: int | None = None) -> bool:
        """Whether a phrase begins in ``words[start:end]``."""
        begin = max(start, 0)
        if self.begins.isdisjoint(words[begin:end]):
            return False
        return any(self.at(words, index) for index in range(begin, len(words) if end is None else min(end, len(words))))

    def before(self, words: Sequence[str], index: int) -> bool:
        """Whether a phrase ends right before ``index``."""
        return any(
            start + length == index
            for start in range(max(index - _LONGEST, 0), index)
            if (length := self.at(words, start))
        )

    def without(self, words: Sequence[str]) -> list[str]:
        """``words`` with each phrase made blank."""
        left = list(words)
        if self.begins.isdisjoint(words):
            return left
        index = 0
        while index < len(words):
            length = self.at(words, index)
            left[index : index + length] = [""] * length
            index += length or 1
        return left


_LONGEST = 5


@dataclass(frozen=True, kw_only=True)
class Cues:
    """A language.

    Attributes:
        words: the small words by which it is recognised.
        questions: what a question begins with; tasks: what a task does.
        openers: what may stand before either; texts: tasks on a text that follows.
        asking: after which a question is told: "asks", "wants to know".
        first: first person; not_first: phrases in which it says nothing of anybody.
        third: he, she; relations: relatives and roles; titles, contacts, sends: what is done with people and to where.
        home: living, born, address; matters: everyday affairs.
        fame: what only public people do; eponym_after, eponym_before: "law", "disease of".
        asks_who: right before whoever is asked about; past: of a finished time.
        prepositions: before places; streets; labels of forms; brandish: firms, products, programs; there: back to a
            place that was named; dative: before whom something is for.
        fact_questions, fact_tasks: with which a fact is asked of what follows; fact_of: right before what a fact is
            asked of, in any question or task; genitive: what ends a longer way from the question to it.
        passing: with which a question is about what somebody may or has to do, whoever it is.
        copulas, articles: around somebody of whom a question is what he is: "is … a".
        nearby: what is asked of a place that was named elsewhere; existential: where such a word is none.
        studied: right before a full name, what only public people are the subject of: "biography of".
        place_facts: right before a place, what is asked of it whoever asks: "capital of".
        anywhere: whether questions and tasks count wherever they stand.
        suffixed: whether endings do what prepositions do elsewhere.
    """

    words: Phrases
    questions: Phrases
    tasks: Phrases
    openers: Phrases
    texts: Phrases
    asking: Phrases
    first: Phrases
    not_first: Phrases
    third: Phrases
    relations: Phrases
    titles: Phrases
    contacts: Phrases
    sends: Phrases
    home: Phrases
    matters: Phrases
    fame: Phrases
    eponym_after: Phrases
    eponym_before: Phrases
    asks_who: Phrases
    past: Phrases
    prepositions: Phrases
    streets: Phrases
    labels: Phrases
    brandish: Phrases
    there: Phrases
    dative: Phrases
    fact_questions: Phrases
    fact_tasks: Phrases
    fact_of: Phrases
    genitive: Phrases
    passing: Phrases
    copulas: Phrases
    articles: Phrases
    nearby: Phrases
    existential: Phrases
    studied: Phrases
    place_facts: Phrases
    anywhere: bool = False
    suffixed: bool = False

    @classmethod
    def of(cls, lists: Mapping[str, str | bool]) -> "Cues":
        """Cues of comma-separated lists. Raises ``KeyError`` where one is missing."""
        flags: dict[str, Any] = {name: bool(lists.get(name, False)) for name in ("anywhere", "suffixed")}
        named = [field.name for field in fields(cls) if field.name not in flags]
        found: dict[str, Any] = {name: Phrases(str(lists[name]).split(",")) for name in named}
        return cls(**found, **flags)


_FOREIGN = {
    "sv": "och att det i en jag som på för av med inte den till har om min ett så är vad vem var när hur varför vilken",
    "da": "og at det i en jeg som på for af med ikke den til har om min et så er hvad hvem hvor hvornår hvordan",
    "nb": "og at det i en jeg som på for av med ikke den til har om min et så er hva hvem hvor når hvordan hvilken bor",
    "fi": "ja on ei se että mitä kuka missä milloin miten mikä kuinka minä olen hän oli ovat asun minun onko kirjoita",
    "hu": "a az és hogy nem egy van mi ki hol mikor hogyan melyik mennyi volt vagyok én lakom írj milyen mekkora",
    "cs": "a v na je se že s do jsem ale z jak mi prosím si by o pro tak po kdo co kde kdy proč která jaké byl jaká",
    "sk": "a v na je sa že s do som ale z ako mi prosím si by o pre tak po kto čo kde kedy prečo ktorá aké bol aká",
    "ro": "și în de la cu nu un o pe este să care mai din pentru am mea meu ca au fost cine ce unde când cum câți",
    "hr": "i u na je se da s do sam ali iz kako mi molim si bi o za tko što gdje kada zašto koja koji bio živim",
    "id": "yang dan di saya untuk dengan ini itu tidak dari ke ada akan bisa apa kami siapa mana kapan bagaimana",
    "vi": "và của tôi là có không cho được một này với các trong đã những bạn ai gì ở đâu khi nào như thế bao nhiêu",
    "ca": "el la els les i de que és en un una per amb no qui què on quan com quina quin són va ser sóc visc meu meva",
    "sq": "dhe në të një për me që nuk është kush çfarë ku kur si cila unë jam",
    "et": "ja on ei see et mis kes kus millal kuidas milline mina olen oli elan kirjuta",
    "lt": "ir yra ne tai kad kas kur kada kaip kuris kokia aš esu buvo gyvenu parašyk",
    "lv": "un ir nav tas ka kas kur kad kā kurš kāda es esmu bija dzīvoju",
    "sw": "na ya wa ni kwa katika ya nini nani wapi lini gani mimi jina langu",
    "tl": "ang ng mga sa ay na at ako ko sino ano saan kailan paano",
    "uk": "і в на не з що як це по але із у до від для про чи яка який хто де коли скільки чому був була мене мій я",
    "bg": "и в на не с че как това по но от за към са е какво кой къде кога защо колко коя бил аз съм моя",
    "sr": "и у на не са да како то по али из за до је шта ко где када зашто колико која био ја сам мој",
}
"""Small words of languages without cues: a text in one of them is left as it was found."""
_LEAST = 2
_FAR = 0.7
"""Of the best language's words: who has so many may be the language too, and vetoes as well."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """In which languages a clause may be: in the first it asks, in each it may be somebody's."""

    language: str
    cues: Cues
    others: tuple[Cues, ...] = ()


class Languages:
    """Tells languages, and has their cues.

    Args:
        cues: by language.
    """

    def __init__(self, cues: Mapping[str, Cues]) -> None:
        self._cues = cues
        self._speaking: dict[str, tuple[str, ...]] = {}
        speaking: dict[str, list[str]] = {}
        for language, one in cues.items():
            for word in one.words.singles | one.questions.singles | one.tasks.singles | one.asking.singles:
                speaking.setdefault(word, []).append(language)
        for language, words in _FOREIGN.items():
            for word in set(map(fold, words.split())):
                speaking.setdefault(word, []).append(language)
        self._speaking = {word: tuple(languages) for word, languages in speaking.items()}

    def of(self, clause: Sequence[str], around: Mapping[str, int]) -> Spoken | None:
        """The language of the folded words of a clause; ``None``: none that has cues, or not to be told.

        Args:
            around: see :meth:`counted`, of the whole text.
        """
        own = self.counted(clause)
        scores = {language: 2 * own.get(language, 0) + count for language, count in around.items()}
        if not scores:
            return None
        ranked = sorted(scores, key=lambda language: (-scores[language], language not in self._cues))
        best = ranked[0]
        cues = self._cues.get(best)
        if cues is None or (around[best] < _LEAST and not (clause and _begins(cues, clause))):
            return None
        near = tuple(
            self._cues[other]
            for other in ranked[1:]
            if other in self._cues and own.get(other, 0) >= max(_FAR * own.get(best, 0), 1)
        )
        return Spoken(language=best, cues=cues, others=near)

    def counted(self, words: Sequence[str]) -> dict[str, int]:
        """How many of the words are small words of each language."""
        counts: dict[str, int] = {}
        for word in words:
            for language in self._speaking.get(word, ()):
                counts[language] = counts.get(language, 0) + 1
        return counts


def _begins(cues: Cues, words: Sequence[str]) -> bool:
    if cues.anywhere:
        return cues.questions.found(words) or cues.tasks.found(words)
    return bool(cues.questions.at(words, 0) or cues.tasks.at(words, 0))


def shipped() -> Languages:
    """The languages in the package."""
    return Languages(
        {file.stem: Cues.of(tomllib.loads(file.read_text("utf-8"))) for file in sorted(_FOLDER.glob("*.toml"))}
    )
