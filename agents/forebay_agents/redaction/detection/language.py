"""In which language is a text? By its script, else by its most frequent small words; ``None`` when it cannot be told.

Enough to decide whether the names model, which was trained on English sentences, may be trusted: it needs no model, and
takes a tenth of a millisecond. Short texts without small words count as the default language.
"""

import re
from functools import lru_cache

_SMALL = {
    "en": "the and to of is you that it for my with have this are not be can what i was please your from but me do how",
    "de": "der die das und ist ich nicht sie es ein eine zu mit auf für den von wie bitte mein haben dem auch im wir",
    "fr": "le la les et est je vous de un une pas pour que dans mon avec sur ce des au en nous mais bonjour il",
    "es": "el la los de y que es en un una por con para mi no se lo me su hola las del está como pero",
    "it": "il di che è e la un una per non mi con sono del della gli ho questo come ma le nel anche mio",
    "pt": "o de que e do da em um uma para com não os no se na por mais as meu minha você eu está isso",
    "nl": "de het een en van ik te dat die in niet is op voor met mijn zijn je aan hebben maar er bij dit deze moet "
    "kan niet of hoe waarom wat geen bevat worden",
    "pl": "i w na się nie z do jest że to jak proszę mam mój moja ale po od za dla czy tak co",
    "sv": "och att det i en jag är som på för av med inte den till har om min vi ett så men de du kan ange detta "
    "denna hur varför eller vad ska måste",
    "da": "og at det i en jeg er som på for af med ikke den til har om min vi et så men de",
    "tr": "ve bir bu için ben ile de da ne çok var mı değil benim ama gibi daha olarak sonra kadar",
    "ro": "și în de la cu nu un o pe este să care mai din pentru am mea meu dar ca au fost",
    "cs": "a v na se je že s to do jsem ale z jak mi prosím si by o pro tak po mám",
    "id": "yang dan di saya untuk dengan ini itu tidak dari ke ada akan bisa apa kami atau sudah anda harus pada "
    "oleh dapat "
    "telah silakan mohon tolong bagaimana mengapa jelaskan dalam adalah lebih nilai berapa kapan agar sebuah",
    "hu": "az és hogy nem van egy ez meg csak mint ha már volt kell vagy miért hogyan melyik kérem kérjük lehet azt "
    "el fel "
    "minden amely még érvényes adja adjon legyen nincs ezt mely milyen mikor",
    "fi": "ja on ei se että ovat mutta kun niin myös miten voin mikä miksi tai sitten kuin jos minun ole tämä tämän "
    "voi anna "
    "valitse pitää täytyy kaikki mitä missä olla oli nyt kiitos selitä arvo kanssa joka joita jotta eikä sekä vain",
    "no": "og at det i en jeg er som på for av med ikke til har om vi et så men de hvordan hvorfor",
    "vi": "và của tôi là có không cho được một này với các trong đã những bạn",
}
_WORDS = {language: frozenset(words.split()) for language, words in _SMALL.items()}
_LANGUAGES = {
    word: tuple(language for language, small in _WORDS.items() if word in small)
    for word in frozenset().union(*_WORDS.values())
}
"""Small word to the languages that have it."""
_SCRIPTS = (
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
)
_ALSO = (
    "a an as at by do i in is me no of on or so he she we us his her has had was who if all up out one by than into "
    "over about after before just get like when where there their they would could will am pm co de la le el en per "
    "via van von"
)
"""Small words of other languages that English texts have too: two of them tell nothing."""
_ALSO_ENGLISH = frozenset(_ALSO.split())
_TOLD = {language: words - _ALSO_ENGLISH for language, words in _WORDS.items()}
"""Small words of which two are enough, in a text without an English one."""
_LETTERS = (
    ("vi", re.compile(r"[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹơưđ]")),
    ("tr", re.compile(r"[ığş]")),
    ("hu", re.compile(r"[őű]")),
    ("pl", re.compile(r"[łąęśżźćń]")),
    ("cs", re.compile(r"[řěůčšž]")),
    ("ro", re.compile(r"[șță]")),
)
"""Letters that few other languages have, for texts without enough small words."""
_LEAST_LETTERS = 2
_TOKEN = re.compile(r"[^\W\d_]+")
_SAMPLE = 4_000
"""Characters that are looked at."""
_LEAST = 3
"""Small words of a language before it is believed."""


@lru_cache(maxsize=256)
def language_of(text: str) -> str | None:
    """ISO 639-1 code of the language of ``text``."""
    sample = text[:_SAMPLE]
    if not sample.isascii():
        letters = sum(map(str.isalpha, sample)) or 1
        for language, script in reversed(_SCRIPTS):
            if len(script.findall(sample)) > letters * (0.15 if language == "ja" else 0.4):
                return language
    counts = dict.fromkeys(_WORDS, 0)
    for word in _TOKEN.findall(sample):
        for language in _LANGUAGES.get(word.lower(), ()):
            counts[language] += 1
    best, count = max(counts.items(), key=lambda pair: pair[1])
    english = counts["en"]
    if count >= _LEAST and (best == "en" or count > english + 1):
        return best
    if not english and sum(map(_TOLD[best].__contains__, map(str.lower, _TOKEN.findall(sample)))) >= _LEAST - 1:
        return best
    if not sample.isascii() and english < _LEAST_LETTERS:
        low = sample.lower()
        for spelled, own in _LETTERS:
            if len(own.findall(low)) >= _LEAST_LETTERS:
                return spelled
    return "en" if english else None
