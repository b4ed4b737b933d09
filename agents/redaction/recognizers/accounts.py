"""By which number does a firm or an office know somebody? Customer, member, policy, insured: announced in any language.

Not asked here: orders, bookings, tickets, parcels. They name a thing, and the text is often about them.
"""

from agents.redaction.recognizers import checksums
from agents.redaction.recognizers.rules import Rule, RuleRecognizer

_VALUE = r"(?P<v>(?-i:(?:[A-Z]{1,4}[ \-]?)?\d{2,12}(?:[ \-./]\d{2,7}){0,5}(?:-?[A-Z]{1,2})?))(?![\w%€$£]|[.,]\d)"
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


def _enough(text: str) -> bool | None:
    return None if len(checksums.digits(text)) >= 5 else False


def accounts() -> RuleRecognizer:
    """Recogniser of what is announced as somebody's number at a firm or an office."""
    return RuleRecognizer(
        "accounts",
        [
            Rule(
                kind="ACCOUNT_ID",  # in groups: "frequent flyer number is UK 607 418 553"
                pattern=rf"\b(?:{_ENGLISH})(?:[ _]*(?:number|num|nr|no|id|code|card)\b\.?|\s*#){_IS}{_VALUE}",
                score=0.75,
                check=_enough,
                digits=5,
                hints=(
                    "account",
                    "acct",
                    "customer",
                    "client",
                    "member",
                    "subscriber",
                    "policy",
                    "loyalty",
                    "contract",
                    "employee",
                    "staff",
                    "student",
                    "patient",
                    "insur",
                    "registration",
                    "frequent",
                    "mileage",
                    "reward",
                    "library",
                    "beneficiary",
                    "pension",
                    "meter",
                ),
            ),
            Rule(
                kind="ACCOUNT_ID",  # without "number": "policy HH-77203914"
                pattern=r"\b(?:policy|member(?:ship)?|customer|client|account|acct|policyholder|subscriber)\s?[:#]?\s"
                r"(?P<v>(?-i:[A-Z]{1,5}-?\d{5,12}|\d{8,12}|\d{3,5}-\d{3,5}-\d{3,5}))(?![\w\-%€$£]|[.,]\d)",
                score=0.7,
                digits=5,
                hints=("policy", "member", "customer", "client", "account", "acct", "subscriber"),
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
