"""What did somebody ask, and what was the answer? "Your customer number?" and, on the next line, only the number.

A value alone says nothing; the question in the line before says what it is. Questions about orders, bookings, tickets
and parcels are left: their numbers name a thing.
"""

import re
from collections.abc import Sequence
from typing import Any

from presidio_analyzer import RecognizerResult

from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.rules import RuleRecognizer
from forebay_agents.redaction.detection.windows import first

_SCORE = 0.75
_ANSWERED = re.compile(r"\?[^\n?]{0,60}\n\s{0,4}(?P<answer>[^\n]{3,120})")
_TOLD = re.compile(r"[.:!]\s?\n\s{0,4}(?P<answer>[^\n:]{1,24}: ?[^\n]{3,120})")
_LETTER = re.compile(r"[^\W\d_]")
"""Without one there is no question; fourteen patterns are spared."""
_REQUEST = re.compile(r"\b(?:your|please|need|provide|enter|confirm)\b")
_LONGEST = 240
"""Characters of a question that are read, from its end."""
_SPEAKER = re.compile(r"[^\W\d][\w .'()\-]{0,30}: {0,2}|[>\-*] ")
_FILLERS = re.compile(
    r"(?:(?:yes|yeah|yep|sure|ok(?:ay)?|of course|certainly|so|um|uh|hi|hello|it'?s|its|it is|that'?s|that is|"
    r"that would be|"
    r"is|the|my|number|one|ref|no|es|ist|c'est|sure thing|here(?: you go)?|here it is|sí|ja|oui|"
    r"claro)\b[ ,.:;!\-—]{0,3}){1,6}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?=(?:[^\d\n]{0,8}\d){4})[A-Z0-9]{1,20}(?:[ .\-/][A-Z0-9]{1,12}){0,6}(?![\w@%])")
_PLATE = re.compile(r"(?=[A-Z0-9 \-]{0,8}\d)[A-Z0-9]{1,4}(?:[ \-]?[A-Z0-9]{1,4}){1,3}(?!\w)", re.IGNORECASE)
_PHONE = re.compile(r"\+?\(?\d[\d ()./\-]{5,20}\d(?!\w)")
_DATE = re.compile(
    r"(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)?[ ./\-][^\W_]{1,10}[ ,./\-]{1,2}(?:19|20)?\d\d(?!\d)|"
    r"[^\W\d_]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d|(?:19|20)\d\d[\-./]\d{1,2}[\-./]\d{1,2}|\d{8}(?!\d)",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"(?=[^\s\d]{0,63}\d)(?P<v>\S{5,64}?)(?=[.,;]?(?:\s{0,4}$|[,;] |\. ))", re.MULTILINE)
"""With a digit in it, and the whole of an answer or of its clause: "128-bit encryption" is none."""
_CODE = re.compile(r"(?=[A-Z0-9 ]{0,8}\d)[A-Z0-9]{2,5}(?:[ \-]?[A-Z0-9]{2,4})?(?!\w)", re.IGNORECASE)
_THING = re.compile(
    r"order|booking|reservation|ticket|parcel|tracking|invoice|\bcase\b|flight number|model|serial|\bsku\b"
)
_ASKED: Sequence[tuple[str, re.Pattern[str], re.Pattern[str]]] = (
    ("DATE_OF_BIRTH", re.compile(r"birth|\bd\.?o\.?b\b|\bborn\b|geburt|naissance|nacimiento|nascita|nascimento|"
    r"geboorte"),
     _DATE),
    ("LICENSE_PLATE", re.compile(r"\bplate\b|\breg(?:istration)?\b(?! fee)|kennzeichen|plaque|matrícula|targa|"
    r"kenteken"),
     _PLATE),
    ("US_PASSPORT", re.compile(r"passport|reisepass|passeport|pasaporte|passaporto|paspoort"), _NUMBER),
    ("US_DRIVER_LICENSE", re.compile(r"licen[cs]e|führerschein|permis de conduire|rijbewijs|patente"), _NUMBER),
    ("US_SSN", re.compile(r"\bssn\b|social security"), _NUMBER),
    ("NATIONAL_ID", re.compile(r"national (?:id|insurance)|\bid\b|identity|\bnino\b|\bni number|ausweis|\bdni\b|"
    r"\bcpf\b"),
     _NUMBER),
    ("MEDICAL_RECORD", re.compile(r"\bnhs\b|patient|\bmrn\b|medical record|hospital number"), _NUMBER),
    ("CREDIT_CARD", re.compile(r"\bcard\b|kartennummer|numéro de carte"), _NUMBER),
    ("US_BANK_NUMBER", re.compile(r"sort code|bank account|\biban\b|kontonummer"), _NUMBER),
    ("PHONE_NUMBER", re.compile(r"phone|mobile|\bcell\b|\btel\b|reach you|call you|contact number|telefon|téléphone|"
                                r"rufnummer|teléfono|celular"), _PHONE),
    ("PASSWORD", re.compile(r"^(?!.*(?:forg[oe]t|reset|chang|lost|how|why|when|where|can i|can you)).*"
                            r"\b(?:password|passcode|passphrase|passwort|kennwort|mot de passe|contraseña|senha|"
                            r"wachtwoord)(?: is| please| for (?:it|this|that|the (?:account|line|call)))?\W{0,3}$"),
     _PASSWORD),
    ("LOCATION", re.compile(r"post\s?code|\bzip\b|postal code|postleitzahl|code postal|código postal"), _CODE),
    ("ACCOUNT_ID", re.compile(r"(?:customer|client|member(?:ship)?|account|policy|subscriber|employee|student|"
    r"insurance|"
                              r"loyalty|frequent[ \-]fl[iy]er)\b.{0,24}\b(?:number|no|id|code)\b|kundennummer|"
                              r"versicherten|vertragsnummer|numéro (?:de )?client|número de (?:cliente|socio|póliza)|"
                              r"numero cliente|klantnummer|kundnummer"), _NUMBER),
)  # fmt: skip
"""Kind, the question, and what an answer to it looks like; the first question that fits counts."""


class Answers(RuleRecognizer):
    """Recogniser of values that were asked for."""

    def __init__(self) -> None:
        super().__init__("answers", [])
        self.supported_entities = sorted({kind for kind, _, _ in _ASKED})

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        if "\n" not in text:
            return []
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        if facts.digits < 2:
            return []
        found = []
        for pattern, is_question in ((_ANSWERED, "?" in text), (_TOLD, True)):
            at = 0
            while is_question and (match := first(pattern, text, at, size=facts.piece)):
                found += self._answer(facts, match)
                at = match.start("answer")
        return found

    def _answer(self, facts: Facts, match: re.Match[str]) -> list[RecognizerResult]:
        start, end = match.span("answer")
        if not any(map(str.isdigit, facts.text[start:end])):
            return []
        if speaker := _SPEAKER.match(facts.text, start, end):
            start = speaker.end()
        asked = facts.low[max(0, match.start() - _LONGEST) : match.start()].rpartition("\n")[2]
        # The last question on the line counts: "Is it about your order? What is your customer number?"
        asked = asked[asked.rfind("?") + 1 :]
        if not _LETTER.search(asked) or _THING.search(asked) or (match.re is _TOLD and not _REQUEST.search(asked)):
            return []
        for kind, question, form in _ASKED:
            if question.search(asked):
                fillers = _FILLERS.match(facts.text, start, end)
                value = form.match(facts.text, start, end) or (
                    form.match(facts.text, fillers.end(), end) if fillers else None
                )
                if value is None:
                    return []
                values = [value]
                if kind == "DATE_OF_BIRTH":  # "1 Jan 1990 on the new one and 5/6/83 on the old"
                    values += form.finditer(facts.text, value.end(), end)
                return [self.result(kind, *each.span(), _SCORE) for each in values]
        return []


def answers() -> Answers:
    """Values that were asked for."""
    return Answers()
