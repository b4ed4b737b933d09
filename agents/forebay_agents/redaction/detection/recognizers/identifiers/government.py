"""Numbers that a state gives its people, but for those of the United States."""

import re

from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_NINO = r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"

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
                kind="UK_NHS",
                pattern=r"\d(?<![\w\-].)\d\d[ \-]\d{3}[ \-]\d{4}(?![\w\-])",
                check=lambda text: None if checksums.nhs(text) else False,
                context=r"\bnhs\b|health|patient|hospital",
                digits=10,
                shapes=("99 999 9999", "99-999-9999", "99 999-9999", "99-999 9999"),
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
                shapes=("aAA9", "aAA 9"),
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
                shapes=("A9",),
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
