"""Whose car is it? Chassis numbers that prove themselves, and number plates, announced or of a form of their own."""

import re

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_VALUES = {char: value for value, char in enumerate("0123456789")} | dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True)
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VEHICLE = (
    r"\bplates?\b|\breg(?:istration|istered)?\b|\bcars?\b|\bvans?\b|\blorry\b|truck|vehicle|\bparked\b|\bdriv|motorbike|"
    r"motorcycle|scooter|\bbike\b|\btaxi\b|\bcab\b|tesla|\bbmw\b|\baudi\b|toyota|\bford\b|honda|volkswagen|\bvw\b|nissan|"
    r"mercedes|vauxhall|hyundai|\bkia\b|volvo|skoda|maruti|\bauto\b|\bpkw\b|\bkfz\b|fahrzeug|voiture|coche|\bcarro\b"
)
_NO_PLATE = listed(
    "the for and not but all are can new now out off was has had you our any may its per via due set use"
)
_WORD = (
    r"licen[cs]e plates?|number plates?|registration plates?|plates?|plate numbers?|reg(?:istration)?(?: number| no|"
    r" mark)?|"
    r"kennzeichen|kfz-kennzeichen|nummernschild|plaka(?:sı)?|matr[ií]cula|placas?|immatricul(?:ation|ée?)|"
    r"plaque(?: d'immatriculation)?|targa(?:ta)?|kenteken|registreringsnummer|reg\.?nr|nummerplade|skilt|"
    r"rejestracyjn[aye]|"
    r"rekisterinumero|rendszám|\bšpz|\bspz|registarska oznaka|tablice|госномер|номерной знак"
)
_HINTS = (
    "plate", "reg ", "reg:", "reg.", "regist", "kennzeichen", "nummernschild", "plaka", "cula",
    "placa", "immatric", "plaque", "targa", "kenteken", "nummerplade", "skilt", "rejestr",
    "rekisteri", "rendsz", "špz", "spz", "oznaka", "tablice", "госномер", "номерной",
)  # fmt: skip


_FRENCH = re.compile(r"[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}")
"""Since 2009: neither I nor O nor U."""
_FORMS = (  # a character that begins one, then the rest: a set in front is what the engine looks for fastest
    r"[A-ZÄÖÜ\d](?<![\w\-./].)(?:(?<=[A-ZÄÖÜ])(?:"
    r"[A-ZÄÖÜ]{0,2}-[A-ZÄÖÜ]{1,2}[ \-]?[1-9]\d{0,3}[EH]?|"  # Germany
    r"[A-HJ-NP-TV-Z][ \-]?\d{3}[ \-]?[A-HJ-NP-TV-Z]{2}|"  # France, Italy
    r"[A-Z]?-\d{2,3}-[A-Z]{1,2}|[A-Z]-\d\d-\d\d|[A-Z]{2}-\d\d-[A-Z])|"  # the Netherlands, Portugal
    r"(?<=\d)(?:\d{3}[ \-]?[BCDFGHJ-NPR-TV-Z]{3}|"  # Spain
    r"\d?-[A-Z]{2,3}-\d{1,2}|\d-\d\d-[A-Z]{2}))"
)
_CARS = (
    r"\bkfz\b|\bpkw\b|\blkw\b|\bautos?\b|\bcars?\b|\bvans?\b|\btruck|\blorry|vehicle|voiture|véhicule|\bcoche|vehículo|\bcarro\b|"
    r"macchina|veicolo|fahrzeug|\bwagen\b|\bparked\b|\bmotorbike|\bscooter|\btaxi\b|camion|furgon|\bmoto\b|bestelbus|"
    r"samochód|\bplates?\b|kennzeichen|matr[ií]cul|immatricul|\btarga\b|kenteken|\breg\b"
)
_THING = (
    r"order|\bpart|\bsku\b|\bref|serial|model|flight|\bitem|article|artikel|produ|invoice|ticket|version|batch|\blot\b|"
    r"\bbin\b|shelf|\bcode\b|booking|locker|build|policy|\bsize|chart|code"
)
_UNITS = listed("kwh mph rpm kms pcs lbs bmw nmw mwh gbp czk pln sek dkk hkd ddr rtx gtx gtr srt pdf png mp xls")
"""What stands behind a year or a number and ends no Spanish plate."""


def _formed(text: str) -> bool | None:
    """Not "2019 BMW", "1500 RPM"."""
    end = text[-3:].lower()
    return False if end in _UNITS or (text[:4].isdigit() and text[:2] in ("19", "20")) or "SS" in text[:2] else None


def vin(text: str) -> bool | None:
    """Certain by North America's check digit; likely by a maker's letters in front and a serial at the end.

    The form without a check is what one of 600 random strings of such characters has. All digits: no VIN.
    """
    number = text.upper()
    letters = sum(map(str.isalpha, number))
    if letters < 2:
        return False
    total = sum(_VALUES[char] * weight for char, weight in zip(number, _WEIGHTS, strict=True))
    if number[8] == "0123456789X"[total % 11] and number[-4:].isdigit() and letters >= 3:
        return True
    return None


def _vin_form(text: str) -> bool | None:
    proven = vin(text)
    if proven is False or proven:
        return proven
    makers = sum(map(str.isalpha, text[:3])) >= 2 and sum(map(str.isdigit, text[:3])) <= 1
    return None if makers and text[-5:].isdigit() and text[:-5].isalnum() and not text[:8].isalpha() else False


def _british(text: str) -> bool | None:
    """Not "RATED PG13 FOR", no budget of FY24, no model of MY24."""
    return False if text[-3:].lower() in _NO_PLATE or text[:2] in ("FY", "MY", "EU", "PG") else None


def vehicles() -> RuleRecognizer:
    """Recogniser of what identifies a vehicle."""
    return RuleRecognizer(
        "vehicles",
        [
            Rule(
                kind="VIN",
                pattern=r"(?<![A-Z0-9\-])(?=[A-Z0-9]{0,16}\d)[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9\-])",
                context=r"\bvin\b|vehicle|chassis",
                hints=("vin", "vehicle", "chassis"),
                check=vin,
                digits=3,
                run=17,
            ),
            Rule(
                kind="VIN",
                pattern=r"[A-HJ-NPR-Z0-9](?<![\w\-/+=.].)[A-HJ-NPR-Z0-9]{12}\d{4}(?![\w\-/+=])",
                score=0.8,
                check=_vin_form,
                digits=4,
                run=17,
                flags=0,
            ),
            Rule(
                kind="LICENSE_PLATE",  # Great Britain since 2001: "AB12 CDE"; written together a vehicle must be near
                pattern=r"[A-HK-PRSV-Y](?<![\w\-].)[A-HJ-PR-Y](?:0[2-9]|1\d|2[0-8]|5[1-9]|"
                r"[67]\d) ?[A-HJ-Z]{3}(?![\w\-])",
                context=_VEHICLE,
                check=_british,
                certain=lambda text: " " in text,
                digits=2,
                shapes=("AA99A", "AA99 A"),
                flags=0,
                before=48,
            ),
            Rule(
                kind="LICENSE_PLATE",  # India: "KA 05 MH 1234"
                pattern=r"[A-Z](?<![\w\-].)[A-Z][ \-]?\d{2}[ \-]?[A-Z]{1,3}[ \-]?\d{4}(?![\w\-])",
                context=_VEHICLE,
                hints=("plate", "vehicle", "bike", "scooter", "parked", "car ", "car,", "taxi", "registration", "driv"),
                digits=4,
                flags=0,
            ),
            Rule(
                kind="LICENSE_PLATE",  # other countries' forms, near a vehicle; France's is nothing else's: "EB-417-GH"
                pattern=rf"{_FORMS}(?![\w\-/]|[.,]\d)",
                context=_CARS,
                unless=_THING,
                check=_formed,
                certain=lambda text: _FRENCH.fullmatch(text) is not None,
                digits=3,
                flags=0,
                before=24,
                after=12,
            ),
            Rule(
                kind="LICENSE_PLATE",  # behind its word
                pattern=rf"(?<!\w)(?:{_WORD})(?: (?:numbers?|no|nr|is|was|lautet|ist|est|es|è|é)\b\.?){{0,3}}"
                r"\s{0,2}[:#=(\"']{0,2}\s{0,2}"
                r"(?P<v>(?-i:(?=[A-ZÄÖÜČŠŽ0-9 \-]{0,8}\d)(?=[0-9 \-]{0,8}[A-ZÄÖÜČŠŽ])[A-ZÄÖÜČŠŽ0-9]{1,4}"
                r"(?:[ \-·]?[A-ZÄÖÜČŠŽ0-9]{1,5}){1,3}))(?![\w@])",
                score=0.8,
                hints=_HINTS,
                check=lambda text: None if 4 <= sum(map(str.isalnum, text)) <= 9 else False,
                reach=60,
            ),
            Rule(
                kind="LICENSE_PLATE",  # before its word: "34 ABC 123 plakalı"
                pattern=r"(?<![\w\-])\d\d ?[A-Z]{1,3} ?\d{2,5}(?= plaka)",
                score=0.8,
                hints=("plaka",),
            ),
            Rule(
                kind="LICENSE_PLATE",  # in any case, behind a word that is nothing else
                pattern=r"\b(?:licen[cs]e plate|number plate|plate number|registration plate|\bplate)\b(?: (?:number|"
                r"no|is))*\s*+[:#=]?\s*+"
                r"(?P<v>(?=[A-Z \-]{0,5}\d)[A-Z0-9]{1,4}(?:[ \-]?[A-Z0-9]{1,4}){1,2})(?![A-Z0-9])",
                score=0.8,
                hints=("plate",),
                digits=1,
                flags=re.IGNORECASE,
            ),
        ],
    )
