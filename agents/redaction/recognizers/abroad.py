"""What do people in other countries call their numbers? Labels in German, French, Spanish, Italian, Portuguese, Dutch.

The forms are those of the other recognisers; only the words that announce them differ. A label is needed for all of
these: the forms by themselves say little.
"""

from agents.redaction.recognizers import checksums
from agents.redaction.recognizers.rules import Rule, RuleRecognizer

_BIRTH = (
    r"geboren|geburt|\bgeb\b|naissance|\bnée?\b|nacimiento|\bnacid[oa]\b|\bnascit|\bnat[oa]\b|nascimento|"
    r"\bnascid[oa]\b|"
    r"geboorte|\bcumpleaños|compleanno|anniversaire|verjaardag"
)
_MONTH = (
    r"(?:jan(?:uar[iy]?|vier|eiro)?|ene(?:ro)?|gen(?:naio)?|f[eé]v(?:rier|ereiro)?|feb(?:ruari?|rero|braio)?|märz|"
    r"maart|mars|"
    r"mar[zç]o|avril|abril|aprile?|maio?|mayo|mei|maggio|juin|jun[iy]o?|giugno|junho|juillet|jul[iy]o?|luglio|julho|"
    r"ao[uû]t|augustus|agosto|sept?(?:i?embre|ember)|settembre|setembro|o[ck]t(?:obre|ober|ubre|ubro)?|ottobre|outubro|"
    r"nov(?:i?embre|ember|embro)?|d[eé][cz](?:i?embre|ember|embro)?|dici?embre)"
)
_DATE = (
    r"(?:\d{1,2}[./\- ]\d{1,2}[./\- ](?:(?:19|20)\d{2}|\d{2})|(?:19|20)\d{2}[\-/.]\d{1,2}[\-/.]\d{1,2}|"
    rf"\d{{1,2}}(?:er|\.|º)?(?: de)? {_MONTH}\.?(?: de)? (?:19|20)\d{{2}})"
)
_ACCOUNT = r"konto|\bkto\b|\bcompte\b|\bcuenta\b|\bconto\b|\bconta\b|rekening"
_OTHER_NUMBERS = r"bestell|auftrag|rechnung|commande|facture|pedido|factura|ordine|fattura|fatura|encomenda|factuur"
_IS = r"\s*(?:nr|no|n[°ºo]|num(?:ber|mer|éro|ero)?|número|id)?\.?\s*(?:is|ist|est|es|è|é|:|=|#)?\s*"


_NATIONAL = (
    "steuernummer", "ausweis", "sozialversicherung", "sécurité", "nir", "seguridad", "curp", "rfc", "nie", "codice",
    "pps", "ahv", "avs", "documento", "cédula", "identité", "burgerservice", "cidadão", "rg", "nino",
)  # fmt: skip


def abroad() -> RuleRecognizer:
    """Recogniser of what is announced in other languages."""
    return RuleRecognizer(
        "abroad",
        [
            Rule(
                kind="DATE_OF_BIRTH",
                pattern=rf"(?<![\w/.\-]){_DATE}(?![\w/\-])",
                context=_BIRTH,
                hints=("geb", "naiss", "né", "nac", "nas", "nat", "cumple", "complea", "anniv", "verjaar"),
                digits=3,
                before=40,
                after=14,
            ),
            Rule(
                kind="AGE",
                pattern=r"(?<![\w.\-$€£])(?P<v>9\d|1[01]\d) (?:jahre alt|ans|años|anni|anos|jaar)(?!\w)",
                score=0.7,
                digits=2,
            ),
            Rule(
                kind="US_BANK_NUMBER",
                pattern=r"(?<![\w\-.,/$€£])\d(?:[ \-]?\d){6,19}(?![\d\-/%]|[.,]\d)",
                context=_ACCOUNT,
                hints=("konto", "kto", "compte", "cuenta", "conto", "conta", "rekening"),
                unless=_OTHER_NUMBERS,
                digits=7,
                after=0,
                before=32,
            ),
            Rule(
                kind="US_DRIVER_LICENSE",
                pattern=r"\b(?:führerschein|permis(?: de conduire)?|(?:permiso|carn[eé]t|licencia) de conducir|"
                r"patente|rijbewijs|"
                rf"carta de condução)(?:s?-?nummer|"
                rf"-?nr\.?)?{_IS}(?P<v>(?=[A-Z\-]{{0,6}}\d)[A-Z0-9](?:-?[A-Z0-9]){{6,14}})"
                r"(?![A-Z0-9])",
                score=0.8,
                hints=("führerschein", "permis", "conducir", "patente", "rijbewijs", "condução"),
                check=lambda text: None if len(checksums.digits(text)) >= 3 else False,
                digits=3,
            ),
            Rule(
                kind="NATIONAL_ID",
                pattern=rf"\b(?:steuernummer|personalausweis|sozialversicherungs?|sécurité sociale|\bnir\b|"
                rf"seguridad social|\bcurp\b|"
                rf"\brfc\b|\bnie\b|codice fiscale|\bpps\b|\bppsn\b|\bahv\b|\bavs\b|documento|cédula|carte d'identité|"
                rf"burgerservicenummer|cartão de cidadão|\brg\b|\bnino\b)(?:nummer|-?nr\.?)?{_IS}"
                r"(?P<v>(?=[A-Z ]{0,6}\d)[A-Z0-9](?:[ .\-/]?[A-Z0-9]){6,19})(?![A-Z0-9])",
                score=0.7,
                check=lambda text: None if len(checksums.digits(text)) >= 5 else False,
                digits=5,
                hints=_NATIONAL,
            ),
            Rule(
                kind="NATIONAL_ID",  # Switzerland: 756 is its number
                pattern=r"(?<![\w.])756\.\d{4}\.\d{4}\.\d{2}(?![\w.])",
                score=0.9,
                digits=13,
            ),
            Rule(
                kind="PASSWORD",
                pattern=r"\b(?:passwort|kennwort|mot de passe|mdp|contraseña|clave|senha|wachtwoord|парол[ья])\s{0,2}"
                r"(?:ist|est|es|is|è|é|:|=)\s{0,3}[\"']?(?P<v>[^\s\"',;&<>]{5,64})",
                score=0.8,
                check=lambda text: None if any(map(str.isdigit, text)) or not text.isalnum() else False,
                hints=("passwort", "kennwort", "mot de passe", "mdp", "contraseña", "clave", "senha", "wacht", "парол"),
            ),
        ],
    )
