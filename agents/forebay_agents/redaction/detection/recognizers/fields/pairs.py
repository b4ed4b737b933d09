"""What is a value whose name stands beside it? {"type": "ssn", "value": "…"}, name="dob" value="…", '…' AS dob.

Where data names its fields by data, no pattern meets label and value together: the label is the value of "type" or the
attribute "name", and in SQL the alias stands behind. The name is read as the head of a column would be
(:mod:`forebay_agents.redaction.detection.recognizers.fields.headers`), and the value must look like one. Read are only
texts that have the word "value", or another such key, or "select"; any other text costs a few searches.
"""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.fields.headers import PERSONAL, kind_of, plausible
from forebay_agents.redaction.detection.recognizers.rules import RuleRecognizer
from forebay_agents.redaction.detection.windows import matches

_SCORE, _NAME_SCORE = 0.85, 0.65
"""As in :mod:`forebay_agents.redaction.detection.recognizers.fields.columns`."""


def _ending(words: str) -> str:
    """Pattern of a name that ends with one of ``words``: it is read once, and its end looked at.

    Tried at each of its places, the words took five times as long: 0.36 s for 100,000 characters of ``'property':``.
    """
    return rf"\w{{2,22}}+(?:{'|'.join(f'(?<={word})' for word in words.split())})"


_NAMING = _ending("type system kind name label field key code attribute question title property scheme id for element")
_HOLDING = _ending("value val number no nr num answer content text data response extension id")
_LABEL = r"(?P<label>[^\W_][\w .:/#\-]{1,59})"
_JSON = re.compile(
    rf"[\"']{_NAMING}[\"']\s{{0,3}}:\s{{0,3}}[\"']{_LABEL}[\"'][^{{}}\[\]]{{0,120}}?"
    rf"[\"']{_HOLDING}[\"']\s{{0,3}}:\s{{0,3}}[\"']?(?P<value>(?<=[\"'])[^\"'\n]{{2,120}}(?=[\"'])|\d[\d.\-]{{3,30}})",
    re.IGNORECASE,
)
_REVERSED = re.compile(
    rf"[\"']{_HOLDING}[\"']\s{{0,3}}:\s{{0,3}}[\"'](?P<value>[^\"'\n]{{2,120}})[\"']\s{{0,3}},\s{{0,8}}"
    rf"[\"']{_NAMING}[\"']\s{{0,3}}:\s{{0,3}}[\"']{_LABEL}[\"']",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    rf"\b{_NAMING}\s{{0,2}}=\s{{0,2}}[\"']{_LABEL}[\"'](?:[^<>]{{0,120}}?\b{_HOLDING}\s{{0,2}}=\s{{0,2}}[\"'](?P<value>[^\"'<>\n]{{2,120}})[\"']|"
    rf"[^<>]{{0,80}}>\s{{0,8}}(?:<\w{{1,16}}>)?(?P<inner>[^<>\n]{{2,120}})</)",
    re.IGNORECASE,
)
_LISTED = re.compile(  # YAML: "- name: dob" and, on the next line, "value: …"
    rf"^[ \t\-]{{0,16}}{_NAMING}:[ \t]{{1,4}}[\"']?{_LABEL}[\"']?[ \t]{{0,4}}\n"
    rf"[ \t]{{0,16}}{_HOLDING}:[ \t]{{1,4}}[\"']?"
    r"(?P<value>[^\"'\n]{2,120})",
    re.IGNORECASE | re.MULTILINE,
)
_ALIAS = re.compile(
    r"'(?P<value>[^'\n]{3,80})'(?:\s{0,3},\s{0,3}'[^'\n]{1,30}'\s{0,2}\)|\s{0,2}\)|::\w{1,12}){0,2}\s{1,3}"
    r"(?:as\s{1,3})?[\"`\[]?(?P<label>[^\W\d]\w{1,30})",
    re.IGNORECASE,
)
_KEYWORDS = listed(
    "and or as from where then else end when in is not like order group limit union on into set asc desc"
)
_ROLES = listed(
    "customer patient employee tenant passenger guest student resident recipient attendee client cliente paciente "
    "empleado locataire salarie paziente kunde mieter mitarbeiter policyholder cardholder beneficiary via cap ime adi "
    "rue "
    "calle street residence account konto compte cuenta card plate pan tin age name zip tel fax mail ip cell handy"
)
"""Heads of columns that alone say too little of a value: {"type": "client", "value": "web"}."""
_KEYS = ("value", 'number"', "number'", "content", "answer", "response", '"id"', 'val"', "val=", 'text"')


class Pairs(RuleRecognizer):
    """Recogniser of values whose name is data itself."""

    def __init__(self) -> None:
        super().__init__("pairs", [])
        self.supported_entities = sorted(
            PERSONAL | {"US_SSN", "NATIONAL_ID", "US_BANK_NUMBER", "IBAN_CODE", "CREDIT_CARD", "US_DRIVER_LICENSE",
                        "LICENSE_PLATE", "VIN", "US_PASSPORT", "MEDICAL_RECORD", "ACCOUNT_ID", "IP_ADDRESS"}
        )  # fmt: skip

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        found = []
        for match in _pairs(facts):
            name = "inner" if "inner" in match.re.groupindex and match["inner"] else "value"
            start, end = match.span(name)
            kind = _kind(match["label"])
            if kind and plausible(kind, text[start:end].strip()):
                found.append(self.result(kind, start, end, _NAME_SCORE if kind == "PERSON" else _SCORE))
        return found


def _pairs(facts: Facts) -> Iterator[re.Match[str]]:
    text, low = facts.text, facts.low
    keyed = ('"' in text or "'" in text) and _any_in(_KEYS, low)
    if keyed and ":" in text:
        yield from matches(_JSON, text, size=facts.piece)
        yield from matches(_REVERSED, text, size=facts.piece)
    if "<" in text and ('="' in text or "='" in text):
        yield from matches(_MARKUP, text, size=facts.piece)
    if "\n" in text and ("value:" in low or "number:" in low or "val:" in low or "content:" in low):
        yield from matches(_LISTED, text, size=facts.piece)
    if "'" in text and "select" in low:
        for match in matches(_ALIAS, text, size=facts.piece):
            if match["label"].lower() not in _KEYWORDS:
                yield match


def _any_in(words: tuple[str, ...], low: str) -> bool:
    for word in words:  # noqa: SIM110 - as in rules.py
        if word in low:
            return True
    return False


def _kind(label: str) -> str | None:
    """Of "http://hospital.example/ids/mrn" the last part counts."""
    name = label.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return None if name.lower() in _ROLES else kind_of(name)


def pairs() -> Pairs:
    """Values whose name stands beside them."""
    return Pairs()
