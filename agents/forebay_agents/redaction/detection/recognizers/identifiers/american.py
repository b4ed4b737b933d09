"""Numbers that the United States give their people, and passports and driving licences, whoever gave them."""

from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_SSN_WORDS = (
    r"(?:\b|_)ssn(?:\b|_)|social security|seguro social|\bsocial\b|soc\.? ?sec|\bss#|tax ?(?:payer)? ?id|"
    r"\btin\b|\bss number"
)


def _ssn(text: str) -> bool | None:
    """No area 000, group 00 or serial 0000 was ever issued."""
    number = checksums.digits(text)
    return False if number[:3] == "000" or number[3:5] == "00" or number[5:] == "0000" else None


def american() -> RuleRecognizer:
    """Recogniser of social security numbers, passports and licences."""
    return RuleRecognizer(
        "american",
        [
            Rule(
                kind="US_SSN",
                pattern=r"\d(?<![\w\-.].)\d\d([\-–.·])\d{2}\1\d{4}(?![\w\-]|\.\d)",
                score=0.85,
                context=_SSN_WORDS,
                digits=9,
                shapes=("99-99-9999", "99.99.9999"),
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
        ],
    )
