"""Facts that point to one person: birthdays, great ages, where one lives, records of patients."""

import re

from forebay_agents.redaction.detection.recognizers.personal.homes import HOMES
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATES = (
    rf"(?:(?:19|20)\d{{2}}[\-/.]\d{{1,2}}[\-/.]\d{{1,2}}|\d{{1,2}}[\-/. ]\d{{1,2}}[\-/. ](?:(?:19|20)\d{{2}}|\d{{2}})|"
    rf"{_DAY}(?:st|nd|rd|th)?(?: of)?[ \-.]{{1,2}}{_MONTH}[,.]?[ \-]{{0,2}}(?:(?:19|20)\d{{2}}|'?\d{{2}})|"
    rf"{_DAY}{_MONTH}(?:19|20)\d{{2}}|{_MONTH}\.? {_DAY}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}}|(?:19|20)\d{{6}})"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d")
_BIRTH = (
    r"\bd\.?o\.?b\b|date.{0,3}of.{0,3}birth|birth ?-?_?(?:date|day)|\bborn\b|birth|geburtsdatum|geb\.|né(?:e)? "
    r"le|nacid|nato il"
)


def _past(text: str) -> bool | None:
    """Born from 1910 to 2009."""
    year = _YEAR.search(text)
    return None if year and 1910 <= int(year[0]) <= 2009 else False


def personal() -> RuleRecognizer:
    """Recogniser of personal facts."""
    return RuleRecognizer(
        "personal",
        [
            Rule(
                kind="DATE_OF_BIRTH",
                pattern=rf"(?<![\w/.\-]){_DATES}(?![\w/\-])",
                context=_BIRTH,
                hints=("birth", "born", "dob", "d.o.b", "geb", "né", "nacid", "nato"),
                digits=3,
                before=40,
                after=12,
            ),
            Rule(
                kind="DATE_OF_BIRTH",  # nothing but a date in which somebody grown up may be born: an answer
                pattern=rf"\A\s{{0,8}}(?P<v>(?:the )?(?=[^\n]{{0,24}}(?:19[0-9]\d|200\d)(?!\d)|(?:19|"
                rf"20)\d\d[\-/.]){_DATES})[ .!]{{0,4}}\s{{0,8}}\Z",
                score=0.7,
                digits=3,
                check=_past,
            ),
            Rule(
                kind="AGE",
                pattern=r"(?<![\w.\-$€£])(?P<v>9\d|1[01]\d)[ \-]?(?:years?[ \-]old|y/?o\b|yrs?[ \-]old|year-old)",
                score=0.9,
                digits=2,
                hints=("year", "y/o", "yo", "yr"),
            ),
            Rule(
                kind="DATE_OF_BIRTH",  # without the day or without the year, right after the word
                pattern=rf"(?:\bborn (?:on|in)|birth ?day (?:is|:)|birth ?date (?:is|:))(?: on| the)?[ :]{{1,2}}"
                rf"(?P<v>{_MONTH}\.? (?:{_DAY}(?:st|nd|rd|th)?\b|(?:19|20)\d{{2}})|{_DAY}(?:st|nd|rd|"
                rf"th)?(?: of)? {_MONTH}\b)",
                score=0.8,
                hints=("born", "birth"),
            ),
            Rule(
                kind="AGE",
                pattern=r"\bage[\"'] ?: ?[\"']?(?P<v>9\d|1[01]\d)(?!\d|[.,%]\d|%)",
                score=0.8,
                digits=2,
                hints=("age",),
            ),
            Rule(
                kind="AGE",
                pattern=r"\b(?:aged?|turn(?:ed|ing|s)|at the age of)[: ]{1,2}(?P<v>9\d|1[01]\d)(?![\d%.,]\d|\d|%)",
                score=0.8,
                digits=2,
                hints=("age", "turn"),
            ),
            *HOMES,
            Rule(
                kind="MEDICAL_RECORD",
                pattern=r"\b(?:mrn|medical record|patient[ \-_]?(?:id|number|no)|chart|health (?:card|insurance|plan)|"
                r"medicare|medicaid|hospital)"
                r"(?:\s*+(?:number|no\.?|num|id|#))?[\"']?\s*+(?:is|:|=|#|"
                r"-)?\s*+[\"']?(?P<v>(?=[A-Z\-]{0,6}\d)[A-Z0-9](?:-?[A-Z0-9]){4,17})(?![A-Z0-9])",
                score=0.95,
                hints=("mrn", "record", "patient", "chart", "health", "medicar", "medicai", "hospital"),
                digits=4,
            ),
            Rule(
                kind="MEDICAL_RECORD",  # in groups: "hospital no. RK4 218 305"
                pattern=r"\b(?:mrn|medical record|patient|chart|hospital|unit|clinic|case ?notes?)[ \-_]?"
                r"(?:(?:number|no|num|id|ref)\b\.?|#)[\"']?\s{0,2}(?:is|:|=)?\s{0,2}[\"']?"
                r"(?P<v>(?-i:[A-Z]{0,3}\d{0,4})(?:[ \-/]\d{2,6}){1,4})(?![\w%]|[.,]\d)",
                score=0.9,
                check=lambda text: None if sum(map(str.isdigit, text)) >= 5 else False,
                hints=("mrn", "record", "patient", "chart", "hospital", "unit", "clinic", "notes"),
                digits=5,
            ),
            Rule(
                kind="MEDICAL_LICENSE",
                pattern=r"(?<![\w\-])[A-Z]{2}\d{7}(?![\w\-])",
                context=r"\bdea\b|medical licen|\bnpi\b|prescriber",
                hints=("dea", "medical", "npi", "prescriber"),
                digits=7,
            ),
        ],
    )
