"""Can the encoders read a text at all? They know English, and much of what is written in Latin letters.

Of other scripts their vocabularies know single characters at best: to MiniLM, two Chinese questions about a password
and about an account are the same (cosine 1.0), and no guard knows a word of them. They are matched exactly only.
"""

_LEAST_LATIN = 0.7
"""Share of a text's letters; a name or a formula in other letters does no harm."""


def readable(text: str) -> bool:
    """Whether most letters of ``text`` are Latin; a text without any letter is not to be read either."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter < "\u0250" or "\u1e00" <= letter <= "\u1eff" for letter in letters)
    return bool(letters) and latin >= _LEAST_LATIN * len(letters)
