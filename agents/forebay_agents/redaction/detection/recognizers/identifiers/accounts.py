"""By which number does a firm or an office know somebody? Customer, member, policy, insured: announced in any language.

Not asked here: orders, bookings, tickets, parcels. They name a thing, and the text is often about them.
"""

import re

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_VALUE = (
    r"(?P<v>(?-i:(?:[A-Z]{1,5}\d{0,4}[ \-/]?)?(?:[A-Z]{1,3}-)?\d{2,12}(?:[ \-./][A-Z]{0,2}\d{2,8}){0,5}"
    r"(?:-?[A-Z]{1,2})?))(?![\w%€$£]|[.,]\d)"
)
_IS = r"(?:\s{0,2}(?:is|was|lautet|ist|est|es|è|é|:|=|#)){0,2}\s{0,2}[\"'(]?"
_ENGLISH = (
    r"account|acct|customer|client|member(?:ship)?|subscriber|policy|policyholder|loyalty|contract|employee|staff|student|"
    r"patient|insurance|insured|registration|frequent[ \-]fl[iy]er|mileage|rewards?|library card|beneficiary|pension|"
    r"meter"
)
_GERMAN = (
    r"(?:versicherten|versicherungs|kunden|mitglieds?|vertrags|patienten|konto|depot|personal|matrikel|policen|renten|"
    r"beitrags|bonus|vielflieger|teilnehmer)[ \-]?(?:nummer|nr)"
)
_ROMANCE = (
    r"(?:num[eé]ro|número|n[°ºo]\.?|codice|código|code) (?:d['’e](?:e l['’])?|d[eo]l?|de la|di)? ?(?:client[ei]?|"
    r"assuré|adhérent|"
    r"contrat[ot]?o?|police|allocataire|abonné|étudiant|salarié|sécurité sociale|socio|póliza|afiliad[oa]|"
    r"asegurad[oa]|cuenta|"
    r"historia clínica|apólice|utente|beneficiário|matr[ií]cula|tessera|polizza|conto|paziente|dossier|membre)"
)
_OTHERS = (
    r"klantnummer|polisnummer|lidnummer|lidmaatschapsnummer|pati[eë]ntnummer|contractnummer|relatienummer|rekeningnummer|"
    r"numer (?:klienta|polisy|umowy|konta)|kund(?:e|en)?nummer|medlemsnummer|policenummer|asiakasnumero|"
    r"müşteri (?:no|numarası)|poliçe (?:no|numarası)|номер (?:клиента|договора|полиса)"
)


_HINTS = (
    "account", "acct", "customer", "client", "member", "subscriber", "policy", "loyalty", "contract", "employee",
    "staff", "student", "patient", "insur", "registration", "frequent", "mileage", "reward", "library", "beneficiary",
    "pension", "meter",
)  # fmt: skip
_BARE = (
    r"policy|policyholder|member(?:ship)?|customer|client|account|acct|contract|p[óo]liza|polizza|police|"
    r"contrato?|contratto|vertrag|vertragskonto|polisa|polis|mitglied|kunde|rpu"
)
_BARE_HINTS = (
    "polic", "member", "customer", "client", "account", "acct", "contra", "póliza", "poliz", "polis", "vertrag", "rpu",
    "mitglied", "kunde",
)  # fmt: skip
_SHAPE = (
    r"(?P<v>(?-i:[A-Z]{1,5}[\-/]?(?:[A-Z]{1,3}-)?\d{1,12}+(?:[\-./]?[A-Z]{0,3}+\d{1,8}+){0,4}(?:-?[A-Z]{1,2})?|"
    r"\d{1,4}[A-Z]{1,4}[\-/]?\d{3,10}(?:-\d{1,6}){0,2}|(?:[A-Z]{1,5} )?\d{3,4}(?: \d{3,4}){1,4}(?: \d{2,4})|"
    r"[A-Z]{1,4} \d{5,10}|"
    r"\d{8,12}|\d{2,6}(?:[\-./](?:[A-Z]{1,3}[\-./])?\d{2,8}){1,4}))(?![\w\-%€$£]|[.,]\d| (?:USD|EUR|GBP|euros?|"
    r"dollars)\b)"
)
_NO_PREFIX = listed(
    "usd eur gbp chf jpy cny inr aud cad nzd sgd hkd sek nok dkk pln czk huf ron try brl mxn cop ars clp pen zar ngn "
    "kes "
    "ghs egp aed sar pkr bdt lkr idr myr php thb vnd krw twd rub uah ils rs iso soc iec pci cve kb rfc en din ts no "
    "fy cy "
    "of in on to at is"
)
"""What stands before an amount or the number of a norm: "policy EUR 500 000", "contract FY2024-25"."""
_DATED = re.compile(
    r"(?:(?:19|20)\d\d[\-/.]\d{1,4}|\d{1,2}[\-/.]\d{1,2}[\-/.]\d{2,4}|\d{1,2}[\-/.](?:19|20)\d\d)(?:\D.*)?"
)


def _bare(text: str) -> bool | None:
    """Five digits, and neither a date nor an amount; without a letter eight."""
    prefix = _LETTERS.match(text)
    count = len(checksums.digits(text))
    if _QUARTER.match(text):
        return False
    if prefix:
        return False if count < 5 or prefix[0].lower() in _NO_PREFIX else None
    return False if count < (8 if text.isdigit() or "." in text else 7) or _DATED.fullmatch(text) else None


_LETTERS = re.compile(r"[A-Z]+")
_QUARTER = re.compile(r"[QH][1-4][\-/](?:20)?\d\d(?!\d)")


def _enough(text: str) -> bool | None:
    return None if len(checksums.digits(text)) >= 5 else False


def accounts() -> RuleRecognizer:
    """Recogniser of what is announced as somebody's number at a firm or an office."""
    return RuleRecognizer(
        "accounts",
        [
            Rule(
                kind="ACCOUNT_ID",  # in groups: "frequent flyer number is UK 607 418 553"
                pattern=rf"\b(?:{_ENGLISH})(?:[ _]*+(?:number|num|nr|no|id|code|card)\b\.?|\s*+#){_IS}{_VALUE}",
                score=0.75,
                check=_enough,
                digits=5,
                hints=_HINTS,
            ),
            Rule(
                kind="ACCOUNT_ID",  # without "number": "policy HH-77203914", "Policy WQ4410-22-01"
                pattern=rf"(?<!\w)(?:{_BARE})\s?[:#]?\s{_SHAPE}",
                score=0.7,
                check=_bare,
                digits=5,
                hints=_BARE_HINTS,
            ),
            Rule(
                kind="ACCOUNT_ID",
                pattern=rf"(?<!\w)(?:{_GERMAN}|{_ROMANCE}|{_OTHERS})\.?{_IS}{_VALUE}",
                score=0.75,
                check=_enough,
                digits=5,
                hints=("nummer", "nr", "num", "núm", "n°", "nº", "no ", "no.", "codice", "código", "code", "номер"),
            ),
        ],
    )
