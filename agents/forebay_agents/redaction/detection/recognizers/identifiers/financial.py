"""Money: cards, bank accounts, wallets, and the numbers by which firms know their customers."""

import re

from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_NUMBERED = r"(?:\s*+(?:number|num|nr|no|id|code|ref(?:erence)?|#)\b\.?)?"
_IS = r"[\"']?(?:\s*+(?:is|was|are|:|=|#|\||-|of|ending|->)\s*+|\s++)(?:[\"'#(]\s*+)?"

_GAP = r"[ \-.\n\t]{0,2}"


def _iban(length: int) -> str:
    """IBANs of the countries whose IBANs have ``length`` characters."""
    countries = (f"{c[0]} ?{c[1]}" for c, size in checksums.IBAN_LENGTHS.items() if size == length)
    return rf"(?:{'|'.join(countries)})(?:{_GAP}\d){{2}}(?:{_GAP}[A-Z0-9]){{{length - 4}}}"


_IBAN = "|".join(map(_iban, sorted(set(checksums.IBAN_LENGTHS.values()))))


_HOLDERS = (
    "account", "acct", "customer", "client", "member", "subscriber", "policy", "loyalty", "claim", "contract",
    "employee", "staff", "student", "user", "patient", "insurance", "tax", "payer", "registration", "frequent",
    "mileage",
)  # fmt: skip


_HEX = re.compile(r"[0-9A-Fa-f]+")
_LETTERS = re.compile(r"[A-Fa-f]+")
_LEAST_HASH, _LEAST_RUNS = 24, 3
_FRACTION = re.compile(r"(?:\d\.|(?<![\w.,;|])[+\-]?0,)\Z")


def _no_hash(text: str, start: int, end: int) -> bool:
    """Whether the digits are no part of a hash and do not stand behind a decimal point.

    A hash is 24 hexadecimal digits and more, with letters in three places: "card4111…" is none.
    """
    if not text[start:end].isdigit():
        return True
    if _FRACTION.search(text, max(0, start - 4), start):
        return False
    if not (text[start - 1 : start].isalpha() or text[end : end + 1].isalpha()):
        return True
    low = start
    while low and start - low < _LONGEST_HASH and text[low - 1] in _HEXADECIMAL:
        low -= 1
    high = _HEX.match(text, low, low + 2 * _LONGEST_HASH)
    word = high[0] if high else ""
    return len(word) < _LEAST_HASH or len(_LETTERS.findall(word)) < _LEAST_RUNS


_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_LONGEST_HASH = 128


def financial() -> RuleRecognizer:
    """Recogniser of financial identifiers."""
    return RuleRecognizer(
        "financial",
        [
            Rule(
                kind="CREDIT_CARD",
                pattern=r"\d(?<![\dA-Za-z.,\-].)(?<!\d .)(?:[ .\-_/*·]{0,3}\d){11,18}(?![\dA-Za-z])",
                certain=checksums.card,
                context=r"\bcards?\b|credit|debit|\bvisa|master\s?card|amex|american express|discover|\bcc\b|\bpan\b|"
                r"diners",
                unless=r"tracking|\bimei\b|\bisbn|\bean\b|gtin|barcode|\bupc\b|\bsku\b",
                digits=12,
                check=lambda text: None if len(checksums.digits(text)) >= 13 or checksums.maestro(text) else False,
            ),
            Rule(
                kind="CREDIT_CARD",
                # A look-ahead, since four digits of another number may stand in front: "SSN 219-09-9999 4111 1111 …".
                pattern=r"(?<!\d)(?=(?P<v>\d{4}(?:[ \-]?\s?\d{4}){3}|3\d{3}[ \-]?\s?\d{6}[ \-]?\s?\d{5}|"
                r"\d{13,19})(?!\d))",
                certain=checksums.card,
                around=_no_hash,
                digits=12,
            ),
            Rule(
                kind="CREDIT_CARD",  # evenly spaced, beside a digit that is further off: "4  5 7 1 6 4 9 3 …"
                pattern=r"\d(?<![\dA-Za-z.,\-].)(?<!\d[ .\-].)(?:[ .\-]?\d){12,18}(?![\dA-Za-z])",
                check=checksums.card,
                digits=13,
            ),
            Rule(
                kind="IBAN_CODE",
                pattern=r"[A-Z](?<![A-Za-z0-9].)[A-Z][ \-]?\d{2}(?:[ \-]?[A-Z0-9]){11,30}(?![A-Za-z0-9])",
                certain=checksums.iban,
                context=r"\biban\b|bank account|\baccount\b|transfer",
                with_context=0.7,
                check=lambda text: None if text[:2].upper() in checksums.IBAN_LENGTHS else False,
                digits=6,
                flags=0,
            ),
            Rule(
                kind="IBAN_CODE",  # in any spacing: the country says how long it is
                # Tried only where two letters and a digit follow: 20 alternatives at each word take three times as long
                pattern=rf"(?<![A-Za-z0-9])(?:iban)?(?=[A-Z] ?[A-Z]{_GAP}\d)(?P<v>{_IBAN})(?![A-Za-z0-9])",
                check=lambda text: checksums.iban(text),
                digits=6,
            ),
            Rule(
                kind="IBAN_CODE",  # 97 divides it, though the country has another length, or is none
                pattern=r"[A-Z](?<![A-Z0-9].)[A-Z][0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![^\W_])",
                check=checksums.iban_of_any_length,
                digits=6,
            ),
            Rule(
                kind="SWIFT_CODE",
                pattern=rf"\b(?:swift|bic)\b(?:\s*+/\s*+(?:bic|"
                rf"swift))?{_NUMBERED}{_IS}(?P<v>[A-Z]{{6}}[A-Z0-9]{{2}}(?:[A-Z0-9]{{3}})?)\b",
                score=0.8,
                check=lambda text: None if text.isupper() or any(map(str.isdigit, text)) else False,
                hints=("swift", "bic"),
            ),
            Rule(
                kind="ABA_ROUTING_NUMBER",
                pattern=r"(?<![\d\-])\d{4}-?\d{4}-?\d(?![\d\-])",
                check=lambda text: None if checksums.aba(text) else False,
                context=r"routing|\baba\b|\brtn\b|transit",
                hints=("routing", "aba", "rtn", "transit"),
                digits=9,
            ),
            Rule(
                kind="US_BANK_NUMBER",
                pattern=r"\d(?<![\w\-.,/$€£].)(?:[ \-]?\d){5,16}(?![\d\-/%]|[.,]\d)",
                context=r"\bac{1,2}o?u?nt\b|\bacct\b|\ba/c\b|\bacc(?:ount)?\s?(?:no|num|#)|\biban\b|checking|savings|"
                r"\bbank\b|routing|"
                r"sort code|beneficiary|deposit",
                with_context=0.7,
                unless=r"\bcall\b|phone|\btel\b|mobile|\border\b|\bzip\b",
                hints=("ac", "a/c", "iban", "checking", "saving", "bank", "routing", "sort", "benefici", "deposit"),
                digits=6,
                after=0,
                before=40,
            ),
            Rule(
                kind="UK_SORT_CODE",
                pattern=r"(?<![\d\-])\d{2}[\- ]\d{2}[\- ]\d{2}(?![\d\-])",
                context=r"sort\s?code",
                hints=("sort",),
                digits=6,
            ),
            Rule(
                kind="CRYPTO",
                pattern=r"(?<![A-Za-z0-9])(?:[13LMD9AXK][1-9A-HJ-NP-Za-km-z]{25,34})(?![A-Za-z0-9])",
                check=checksums.base58check,
                flags=0,
                run=26,
            ),
            Rule(
                kind="CRYPTO",
                pattern=r"(?<![A-Za-z0-9])(?:bc1|tb1|ltc1)[02-9ac-hj-np-z]{11,71}(?![A-Za-z0-9])",
                check=lambda text: True if checksums.bech32(text) else None,
                context=r"wallet|bitcoin|\bbtc\b|crypto|address",
                hints=("bc1", "tb1", "ltc1"),
            ),
            Rule(
                kind="CRYPTO",  # Ripple, Tron, Solana: base 58, and a word that says what it is
                pattern=r"(?<![A-Za-z0-9])(?=[A-Za-z]{0,40}[0-9])(?=[A-Z0-9]{0,40}[a-z])[1-9A-HJ-NP-Za-km-z]{32,44}"
                r"(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?:r|T)[1-9A-HJ-NP-Za-km-z]{24,34}(?![A-Za-z0-9])",
                context=r"wallet|crypto|\bxrp\b|ripple|\btron\b|\btrx\b|\busdt\b|\bsol\b|solana|\bcoin|deposit address",
                check=lambda text: None if sum(map(str.isdigit, text)) >= 2 else False,
                hints=("wallet", "crypto", "xrp", "ripple", "tron", "trx", "usdt", "sol", "coin", "deposit"),
                digits=1,
                run=25,
                flags=0,
                after=0,
            ),
            Rule(kind="CRYPTO", pattern=r"(?<![A-Za-z0-9])0x[0-9a-f]{40}(?![0-9a-f])", score=0.95, hints=("0x",)),
            Rule(
                kind="CRYPTO",
                pattern=r"(?<![A-Za-z0-9])[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?![A-Za-z0-9])",
                score=0.9,
                flags=0,
                digits=2,
                run=95,
            ),
            Rule(
                kind="ACCOUNT_ID",
                pattern=rf"\b(?:account|acct|customer|client|member(?:ship)?|subscriber|policy|loyalty|claim|"
                rf"contract|employee|"
                rf"staff|student|user|patient|insurance|tax|payer|registration|frequent flyer|mileage)"
                rf"(?:[\s_]*+(?:number|num|nr|no|id|code|ref(?:erence)?)\b\.?|\s*+#){_IS}"
                rf"(?P<v>(?=[A-Z\-]{{0,8}}\d)[A-Z0-9][A-Z0-9\-]{{3,24}})(?![A-Z0-9@])",
                score=0.75,
                digits=3,
                hints=_HOLDERS,
            ),
        ],
    )
