"""Which national numbers are found without a word that announces them? Those that prove themselves.

A check digit and a date, or a form that nothing else has. All forms are one pattern: it is run once over the numbers of
a text (30 patterns took nine times as long), and the form that matched says which state's rules must hold. Numbers of
which one in less than 200 random ones passes count only where no word near says that they are something else.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from presidio_analyzer import RecognizerResult

from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.identifiers import citizens as of
from forebay_agents.redaction.detection.recognizers.identifiers import overseas
from forebay_agents.redaction.detection.recognizers.rules import RuleRecognizer
from forebay_agents.redaction.detection.windows import matches

_KIND = "NATIONAL_ID"
_DIGITS = 7
"""Digits of the shortest."""
_SCORE = 0.95
_BEFORE = 40
_SOMETHING_ELSE = re.compile(
    r"order|invoice|ticket|tracking|\bsku\b|\bpart\b|\bisbn|\bean\b|gtin|barcode|\bupc\b|serial|batch|\blot\b|\bref|build|"
    r"\bts\b|time\s?stamp|commit|version|\bport\b|model|article|artikel|product|bestell|rechnung|commande|pedido|"
    r"phone|\btel\b|mobile|\bcall\b|\bfax\b|\bcards?\b|account|konto"
)

Proof = Callable[[str], bool]


def _any(_: str) -> bool:
    return True


def _alone(form: str) -> str:
    """``form`` with blanks in it, where no digit stands before or behind."""
    return rf"(?<!\d ){form}(?! ?\d)"


_CERTAIN: Sequence[tuple[str, tuple[Proof, ...]]] = (
    (r"\d{17}[\dXx]", (overseas.china,)),
    (r"\d{8}-\d{4}", (of.sweden_long,)),
    (r"\d{6}[\-+]\d{4}", (of.sweden, of.denmark, of.iceland, of.finland)),
    (r"\d{6}[\-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", (of.finland,)),
    (_alone(r"\d{6} \d{5}"), (of.norway,)),
    (r"\d{6}-\d{5}", (of.latvia,)),
    (r"\d{6}-[1-8]\d{6}", (overseas.korea,)),
    (r"\d{6}-\d\d-\d{4}", (overseas.malaysia,)),
    (r"\d{13}", (of.romania, of.yugoslavia, of.luxembourg, overseas.south_africa)),
    (r"784-\d{4}-\d{7}-\d|784\d{12}", (overseas.emirates,)),
    (r"[STFGM]\d{7}[A-Z]", (overseas.singapore,)),
    (r"[A-Z]{1,2}\d{6}\([\dA]\)", (overseas.hong_kong,)),
    (r"GHA-\d{9}-\d", (_any,)),
    (r"\d{3}\.\d{3}\.\d{3}-\d\d", (overseas.brazil,)),
    (r"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d", (overseas.brazil_firm,)),
    (r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", (overseas.chile,)),
    (r"(?:2[0347]|3[034])-\d{8}-\d", (overseas.argentina,)),
    (r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[A-Z\d]\d", (overseas.mexico,)),
    (_alone(r"[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d"), (of.france,)),
    (r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", (of.belgium,)),
    (r"\d-\d{4}-\d{5}-\d\d-\d", (overseas.thailand,)),
    (r"\d{3}-\d{3}-\d{3} \d\d", (overseas.russia,)),
    (r"\d{5}-\d{7}-\d", (_any,)),  # Pakistan's CNIC
)
_LIKELY: Sequence[tuple[str, tuple[Proof, ...]]] = (
    (r"\d{6}/\d{4}", (of.czechia,)),
    (r"\d{12}", (of.sweden_long, overseas.kazakhstan)),
    (r"\d{11}", (of.norway, of.baltic, of.belgium, of.greece, of.poland)),
    (_alone(r"\d{4} \d{6}"), (of.austria,)),
    (_alone(r"[2-9]\d{3} \d{4} \d{4}"), (of.verhoeff,)),
    (r"[A-ZÑ&]{4}\d{6}(?=[A-Z\d]{0,2}\d)[A-Z\d]{3}", (overseas.mexico,)),
    (r"\d\d-\d{7}-\d", (_any,)),  # the Philippines' SSS
    (r"[A-Z][1289]\d{8}", (overseas.taiwan,)),
    (r"\d{9}[Vv]", (lambda text: int(text[2:5]) % 500 in range(1, 367),)),  # Sri Lanka: day of the year, women + 500
)
_FORMS = (*_CERTAIN, *_LIKELY)
_PATTERN = re.compile(
    r"(?<![\w.\-/+$€£])(?=[A-ZÑ&]{0,4}-?\d)(?:"
    + "|".join(f"(?P<f{place}>{form})" for place, (form, _) in enumerate(_FORMS))
    + r")(?![\w\-]|[./]\d)"
)
_PROOFS = {f"f{place}": (proofs, place >= len(_CERTAIN)) for place, (_, proofs) in enumerate(_FORMS)}


class Proven(RuleRecognizer):
    """Recogniser of national numbers that prove themselves."""

    def __init__(self) -> None:
        super().__init__("proven", [])
        self.supported_entities = [_KIND]

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        if facts.digits < _DIGITS:
            return []
        found = []
        for low, high in facts.numbers(_DIGITS):
            for match in matches(_PATTERN, text, low, high, size=facts.piece):
                proofs, doubtful = _PROOFS[match.lastgroup or ""]
                start, end = match.span()
                if not _holds(proofs, match[0]):
                    continue
                if not doubtful or not _SOMETHING_ELSE.search(facts.low, max(0, start - _BEFORE), start):
                    found.append(self.result(_KIND, start, end, _SCORE))
        return found


def _holds(proofs: Sequence[Proof], value: str) -> bool:
    for proof in proofs:  # noqa: SIM110 - as in rules.py
        if proof(value):
            return True
    return False


def proven() -> Proven:
    """National numbers that prove themselves."""
    return Proven()
