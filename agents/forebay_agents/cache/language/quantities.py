"""Which numbers and units does a text name, whatever their spelling?

One spelling each: 10,000, 15k, three, fifty-five, a hundred million, half a dozen. Spans of time are told in the unit
that they fill: two weeks are 14 days, 48 hours 2 days, 24 months 2 years. 30 days and a month stay apart, because an
answer may hang on it.
"""

import re

from forebay_agents.cache.language.words import Word, Words

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TIMES = {"dozen": 12, "hundred": 100, "thousand": 1_000, "grand": 1_000, "million": 10**6, "billion": 10**9}
_SMALL = (
    {word: number for number, word in enumerate(_ONES)}
    | {word: 10 * number for number, word in enumerate(_TENS, 2)}
    | {"third": 3, "fourth": 4, "fifth": 5}
)
SPELT = frozenset(_SMALL.keys() | _TIMES.keys() - {"grand"}) - {"one"}
"""``one`` is a pronoun more often than a number; ``first`` is a quantifier, and ``second`` a time as often."""
_ROMAN = {"II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8", "IX": "9"}
_THOUSANDS = re.compile(r"k\b", re.IGNORECASE)
_PLAIN = re.compile(r"\d{1,15}(?:\.\d{1,15})?")

_UNITS = {
    unit: canonical
    for canonical, units in {
        "cm": "cm centimeter centimeters centimetre centimetres", "km": "km kilometer kilometers kilometre kilometres",
        "m": "meter meters metre metres", "mm": "mm millimeter millimeters", "mile": "mile miles mi",
        "inch": "inch inches", "foot": "foot feet ft", "yard": "yard yards",
        "kg": "kg kilo kilos kilogram kilograms", "g": "gram grams", "mg": "mg milligram milligrams",
        "mcg": "mcg microgram micrograms", "lb": "lb lbs pound pounds", "oz": "oz ounce ounces",
        "l": "liter liters litre litres", "ml": "ml milliliter milliliters", "cup": "cup cups",
        "gallon": "gallon gallons", "c": "celsius centigrade", "f": "fahrenheit", "k": "kelvin",
        "usd": "dollar dollars usd $ bucks", "eur": "euro euros eur €", "gbp": "gbp £ sterling",
        "jpy": "yen jpy ¥", "inr": "rupee rupees inr ₹", "chf": "francs franc chf", "krone": "krone kroner",
        "second": "seconds sec secs", "minute": "minute minutes min mins", "hour": "hour hours hr hrs h",
        "day": "day days daily", "week": "week weeks weekly", "month": "month months monthly",
        "year": "year years yr yrs yearly", "mb": "mb megabyte megabytes", "gb": "gb gigabyte gigabytes",
        "tb": "tb terabyte terabytes",
    }.items()
    for unit in units.split()
}  # fmt: skip
_SIGNS = re.compile(r"[$€£¥₹]")
_LARGER = {"hour": (24, "day"), "month": (12, "year")}


def quantities(words: Words) -> tuple[frozenset[str], frozenset[str]]:
    """Numbers and units of a text, each in one spelling."""
    numbers: set[str] = set()
    units = {_UNITS[sign] for sign in _SIGNS.findall(words.text)}
    taken = 0  # words before this one belong to a number already
    for at, word in enumerate(words.all):
        unit = _UNITS.get(word.lower)
        if at < taken:
            continue
        number, taken = _number(words, at)
        if number is None:
            taken = at + 1
            if unit is not None:
                units.add(unit)
            continue
        measure = _UNITS.get(words.all[taken].lower) if taken < len(words.all) else None
        if measure in ("week", *_LARGER) and _PLAIN.fullmatch(number) and "." not in number:
            number, measure = _span(int(number), measure)
            units.add(measure)
            taken += 1
        numbers.add(number)
    return frozenset(numbers), frozenset(units)


def _span(number: int, unit: str) -> tuple[str, str]:
    if unit == "week":
        return str(7 * number), "day"
    factor, larger = _LARGER[unit]
    return (str(number // factor), larger) if number and number % factor == 0 else (str(number), unit)


def _number(words: Words, at: int) -> tuple[str | None, int]:
    """The number that begins with word ``at``, or ``None``, and the place of the word after it."""
    word = words.all[at]
    if word.text in _ROMAN:
        return _ROMAN[word.text], at + 1
    if word.text[0].isdigit():
        plain = _digits(word, words.text)
        if _times(words, at + 1) is None or not _PLAIN.fullmatch(plain):
            return plain, at + 1
        return _multiplied(float(plain), words, at + 1)
    if word.lower in ("a", "half") and at + 1 < len(words.all):
        return _article(words, at)
    if word.lower in SPELT or (word.lower == "one" and _times(words, at + 1)):
        if word.lower in _TIMES:
            return _multiplied(1.0, words, at)
        value, following = _SMALL[word.lower], at + 1
        ones = _SMALL.get(words.all[following].lower, 0) if following < len(words.all) else 0
        if value >= 20 and 0 < ones < 10:
            value, following = value + ones, following + 1
        return _multiplied(float(value), words, following)
    return None, at + 1


def _article(words: Words, at: int) -> tuple[str | None, int]:
    """A hundred, half a dozen."""
    half = words.all[at].lower == "half"
    following = at + 2 if half and words.all[at + 1].lower == "a" else at + 1
    return _multiplied(0.5 if half else 1.0, words, following) if _times(words, following) else (None, at + 1)


def _times(words: Words, at: int) -> int | None:
    return _TIMES.get(words.all[at].lower) if at < len(words.all) else None


def _multiplied(value: float, words: Words, at: int) -> tuple[str, int]:
    while (factor := _times(words, at)) is not None:
        value, at = value * factor, at + 1
    return (str(int(value)) if value == int(value) else f"{value:.10g}"), at


def _digits(word: Word, text: str) -> str:
    plain = re.sub(r",(?=\d{3}\b)", "", word.text)
    if _THOUSANDS.match(text, word.end):
        plain = str(int(float(plain) * 1000)) if _PLAIN.fullmatch(plain) else plain + "000"
    # 3.10 is a version, not 3.1; 5.00 is a price.
    return plain.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.0+", plain) else plain
