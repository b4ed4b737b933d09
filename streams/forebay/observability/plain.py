r"""How does a text look to people that may be written by anybody: a user, a model, a provider, another program?

Whatever steers a terminal, turns the direction of reading or cannot be seen is shown as an escape (``\x1b``,
``\u202e``): control characters, format characters (Unicode's Cf, so all of the bidirectional ones: "Trojan Source",
Boucher and Anderson 2021), separators of lines, halves of surrogate pairs; and of marks that pile up on one letter all
but the first few. Everything that a command prints, a log line holds or an alert says goes through here. JSON stays
exact: there the same characters are JSON's own escapes.
"""

import re
import unicodedata

_MARKS = 6
"""Combining marks in a row: pointed Hebrew has 4 on a letter, Tibetan stacks have 5; more hide the lines around."""

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
"""Cc, Cf, Cs, Zl and Zp, written out because a table of all code points takes 0.2 s to make; a test compares."""


def shown(text: str, *, lines: bool = False) -> str:
    """``text`` with nothing in it that does anything.

    Args:
        lines: line feeds stay what they are: for what may have several lines, such as answers.
    """
    found = _UNSAFE.sub(lambda match: match[0] if lines and match[0] == "\n" else _escaped(match[0]), text)
    return found if found.isascii() else _thinned(found)


def json_shown(text: str) -> str:
    """JSON ``text`` that says the same, in which such characters are JSON's escapes."""
    return _UNSAFE.sub(lambda match: match[0] if match[0] == "\n" else _json_escaped(match[0]), text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _json_escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _thinned(text: str) -> str:
    parts, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.category(char)[0] == "M" else 0
        parts.append(char if run <= _MARKS else _escaped(char))
    return "".join(parts)
