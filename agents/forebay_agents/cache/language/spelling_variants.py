"""Do two spellings name the same? Abbreviations, people of a country, slips of the finger."""

from functools import lru_cache

_SAME = {
    "usa": "us", "america": "us", "american": "us", "americans": "us", "britain": "uk", "british": "uk",
    "english": "england", "french": "france", "german": "germany", "spanish": "spain", "norwegian": "norway",
    "dutch": "netherlands", "holland": "netherlands", "swiss": "switzerland", "danish": "denmark", "irish": "ireland",
    "welsh": "wales", "turkish": "turkey", "greek": "greece", "thai": "thailand", "portuguese": "portugal",
    "belgian": "belgium", "argentine": "argentina", "peruvian": "peru", "canadian": "canada", "icelandic": "iceland",
    "macos": "mac", "osx": "mac", "golang": "go", "postgres": "postgresql", "js": "javascript", "k8s": "kubernetes",
    "wi-fi": "wifi", "hep": "hepatitis", "xmas": "christmas", "nyc": "york", "la": "angeles",
}  # fmt: skip
_PEOPLE = ("ians", "ian", "ans", "an", "ese", "ish", "is", "i", "ns", "n")
_PLACE = ("ia", "y", "a", "e", "o")
_APART = ({"niger", "nigeria"}, {"roman", "romania"}, {"dominica", "dominican"})
_LEAST_STEM = 3
_LEAST_TYPED = 5
"""Letters from which on one slip leaves a name recognisable: Iran and Iraq differ by one letter, too."""


@lru_cache(maxsize=16_384)
def same_name(one: str, other: str) -> bool:
    """Whether two lower-cased words name the same."""
    one, other = _SAME.get(one, one), _SAME.get(other, other)
    return (
        one == other
        or _counted(one) == _counted(other)
        or ({one, other} not in _APART and bool(_stems(one) & _stems(other)))
    )


def _counted(name: str) -> str:
    """Without an ending that keeps the name: iPhones, iPhone7, Canada's."""
    return name.rstrip("0123456789").removesuffix("'s").removesuffix("s")


@lru_cache(maxsize=16_384)
def _stems(name: str) -> frozenset[str]:
    """What a country and its people share: Ital, Rom, Japan; a name itself never equals another's ending cut off."""
    cut = {name[: -len(ending)] for ending in (*_PEOPLE, *_PLACE) if name.endswith(ending)}
    return frozenset({name} | {stem for stem in cut if len(stem) >= _LEAST_STEM})


@lru_cache(maxsize=16_384)
def slipped(one: str, other: str) -> bool:
    """Whether one slip of the finger makes one word of the other: a letter too many, too few, wrong, or two swapped."""
    if one == other or min(len(one), len(other)) < _LEAST_TYPED or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    at = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at + 1 : at + 2] + short[at : at + 1] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long[at:]
