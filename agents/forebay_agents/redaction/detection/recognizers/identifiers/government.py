"""Numbers that a state gives its people."""

import re

from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_SSN_WORDS = (
    r"(?:\b|_)ssn(?:\b|_)|social security|seguro social|\bsocial\b|soc\.? ?sec|\bss#|tax ?(?:payer)? ?id|"
    r"\btin\b|\bss number"
)
_NINO = r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"


def _ssn(text: str) -> bool | None:
    """No area 000, group 00 or serial 0000 was ever issued."""
    number = checksums.digits(text)
    return False if number[:3] == "000" or number[3:5] == "00" or number[5:] == "0000" else None


_NATIONAL = (
    "national i", "id card", "identity card", "personal id", "citizen id", "aadhaar", "permit", "personnummer",
    "social insurance", "sin", "tax id", "tax number", "steuer", "nif", "dni", "cpf", "cuil", "bsn", "pesel", "pan",
    "voter id", "visa number",
)  # fmt: skip


def government() -> RuleRecognizer:
    """Recogniser of national identifiers; Presidio's own cover further countries."""
    return RuleRecognizer(
        "government",
        [
            Rule(
                kind="US_SSN",
                pattern=r"\d(?<![\w\-.].)\d\d([\-–.·])\d{2}\1\d{4}(?![\w\-]|\.\d)",
                score=0.85,
                context=_SSN_WORDS,
                digits=9,
            ),
            Rule(
                kind="US_SSN",
                pattern=r"\d(?<![\w\-.].)(?<!\d .)\d\d ?[ \-/] ?\d{2} ?[ \-/] ?\d{4}(?! ?\d)(?![\w\-]|\.\d)",
                score=0.6,
                context=_SSN_WORDS,
                check=_ssn,
                unless=r"\btel\b|phone|\bcall\b|fax",
                digits=9,
            ),
            Rule(
                kind="US_SSN",
                pattern=r"\d(?<![A-Za-z0-9\-.].)(?:[ \-._/\n]{0,3}\d){8}(?![\w\-]|\.\d)",
                context=_SSN_WORDS,
                check=_ssn,
                digits=9,
                before=48,
            ),
            Rule(
                kind="US_SSN",
                pattern=r"(?:ssn|social(?: security)?(?: number)?)\D{0,24}(?P<v>\d{4})(?!\d)",
                score=0.6,
                hints=("last four", "last 4", "last digits", "ending"),
                digits=4,
            ),
            Rule(
                kind="US_ITIN",
                pattern=r"(?<![\w\-.])9\d{2}[ \-]?(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[ \-]?\d{4}(?![\w\-])",
                context=r"\bitin\b|tax ?payer|\btax\b",
                hints=("itin", "tax"),
                digits=9,
            ),
            Rule(
                kind="US_PASSPORT",
                pattern=r"(?<![A-Za-z0-9\-])(?:[A-Z]{0,2} ?\d{6,9}|\d\d (?:\d\d )?\d{6,7}|"
                r"(?=[A-Z]{0,3}\d)[A-Z0-9]{8,9})(?![\w\-])",
                context=r"passport|\bpass no|travel document|reisepass|passeport|pas[as]a?porte?|paspoort|passaporto",
                check=lambda text: None if len(checksums.digits(text)) >= 4 else False,
                hints=("pass", "pasap", "paspo", "travel doc"),
                digits=4,
            ),
            Rule(
                kind="US_DRIVER_LICENSE",
                pattern=r"(?<![\w\-])(?:(?=[A-Z0-9\-]{0,19}\d{2})[A-Z0-9](?:-?[A-Z0-9]){4,18}|"
                r"(?:(?-i:[A-Z]) ?)?\d{2,4}(?: "
                r"\d{2,5}){1,4})"
                r"(?![\w\-])",
                context=r"driv(?:er|ing)(?:'?s)?[\s_]+lic?[a-z]{2,5}|\bdl\s?(?:#|no|number|:)|licen[cs]e (?:number|"
                r"no\b|"
                r"#|id)|driver lic|permit number|\bc?dl\b|\bo\.?l\.?n\b|\bdln\b|\boperator(?:'?s)?[ _](?:lic|permit|"
                r"no\b|number|#)",
                check=lambda text: None if sum(map(str.isdigit, text)) >= 4 else False,
                hints=("licen", "dl", "permit", "driv", "oln", "o.l.n", "operator"),
                digits=4,
                after=0,
            ),
            Rule(
                kind="US_DRIVER_LICENSE",  # of states that begin with the name's Soundex: "W355-2018-1147"
                pattern=r"(?<![\w\-])[A-Z]\d{3}[\- ](?:\d{4}[\- ]\d{4}(?:[\- ]\d{2})?|"
                r"\d{3}[\- ]\d{2,3}[\- ]\d{3}(?:[\- ]\d{1,3})?)"
                r"(?![\w\-])",
                context=r"driv|licen[cs]e|\bdl\b|\bid\b|state",
                digits=10,
                flags=0,
                hints=("driv", "licen", "dl", "id", "state"),
            ),
            Rule(
                kind="UK_NHS",
                pattern=r"\d(?<![\w\-].)\d\d[ \-]\d{3}[ \-]\d{4}(?![\w\-])",
                check=lambda text: None if checksums.nhs(text) else False,
                context=r"\bnhs\b|health|patient|hospital",
                digits=10,
            ),
            Rule(
                kind="UK_NHS",
                pattern=r"(?<![\w\-])\d{3}[ \-]?\d{3}[ \-]?\d{4}(?![\w\-])",
                context=r"\bnhs\b",
                hints=("nhs",),
                digits=10,
            ),
            Rule(
                kind="UK_NINO",
                pattern=rf"(?<![A-Z0-9]){_NINO}[ \-]?\d{{2}}[ \-]?\d{{2}}[ \-]?\d{{2}}[ \-]?[A-D](?![A-Z0-9])",
                score=0.9,
                digits=6,
            ),
            Rule(
                kind="UK_NINO",  # behind a word that has no capitals
                pattern=rf"(?<=[a-z]){_NINO} ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D](?![A-Z0-9])",
                score=0.9,
                digits=6,
                flags=0,
            ),
            Rule(
                kind="UK_NINO",  # letters that are never given, as in examples and typing errors, behind its label
                pattern=r"(?<![A-Z0-9])[A-Z]{2}[ \-]?\d{2}[ \-]?\d{2}[ \-]?\d{2}[ \-]?[A-D](?![A-Z0-9])",
                context=r"national insurance|\bni (?:no|num|#)|\bnino\b|\bni:",
                hints=("national insurance", "ni n", "nino", "ni:", "ni #"),
                digits=6,
                before=32,
            ),
            Rule(
                kind="EU_VAT_ID",
                pattern=r"(?<![A-Z0-9])(?:ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|"
                r"EE\d{9}|EL\d{9}|"
                r"ES[A-Z0-9]\d{7}[A-Z0-9]|FI\d{8}|FR[A-Z0-9]{2}\d{9}|HR\d{11}|HU\d{8}|"
                r"IE\d[A-Z0-9+*]\d{5}[A-Z]{1,2}|IT\d{11}|"
                r"LT(?:\d{9}|\d{12})|LU\d{8}|LV\d{11}|MT\d{8}|NL\d{9}B\d{2}|PL\d{10}|PT\d{9}|RO\d{2,10}|SE\d{12}|"
                r"SI\d{8}|SK\d{10}|"
                r"GB\d{9}(?:\d{3})?)(?![A-Z0-9])",
                score=0.6,
                context=r"\bvat\b|\bust|tva|\biva\b|\btax\b",
                digits=8,
                flags=0,
            ),
            Rule(
                kind="EU_VAT_ID",
                pattern=r"(?<![A-Z0-9])(?:AT ?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|"
                r"RO|SE|"
                r"SI|SK|GB|CHE-?)(?:[ .\-]?\d){8,12}(?![A-Z0-9])",
                context=r"\bvat\b|\bust|\btva\b|\biva\b|\bbtw\b|\buid\b",
                hints=("vat", "ust", "tva", "iva", "btw", "uid"),
                digits=8,
                after=0,
                flags=0,
            ),
            Rule(
                kind="NATIONAL_ID",
                pattern=r"(?<![A-Z0-9])[A-Z]{5}\d{4}[A-Z](?![A-Z0-9])",
                context=r"\bpan\b|permanent account|tax",
                hints=("pan", "permanent", "tax"),
                digits=4,
            ),
            Rule(
                kind="NATIONAL_ID",
                pattern=r"\b(?:national id(?:entity)?(?: card)?|id card|identity card|personal id|citizen id|aadhaar|"
                r"residen(?:ce|t) permit|"
                r"personnummer|national insurance|social insurance|\bsin\b|tax id|tax number|steuer-?id|\bnif\b|"
                r"\bdni\b|\bcpf\b|\bcuil\b|"
                r"\bbsn\b|\bpesel\b|\bpan\b|voter id|visa number)\s*+(?:number|no\.?|num|code|#)?[\"']?\s*+(?:is|:|=|"
                r"#)?\s*+[\"']?"
                r"(?P<v>(?=[A-Z.\- ]{0,6}\d)[A-Z0-9](?:[ .\-/]?[A-Z0-9]){5,19})(?![A-Z0-9])",
                score=0.7,
                check=lambda text: None if len(checksums.digits(text)) >= 5 else False,
                digits=5,
                hints=_NATIONAL,
                flags=re.IGNORECASE,
            ),
        ],
    )
