"""What do people in other countries call their numbers? Labels in German, French, Spanish, Italian, Portuguese, Dutch.

The forms are those of the other recognisers; only the words that announce them differ. A label is needed for all of
these: the forms by themselves say little.
"""

from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_BIRTH = (
    r"geboren|geburt|\bgeb\b|naissance|\bnée?\b|nacimiento|\bnacid[oa]\b|\bnascit|\bnat[oa]\b|nascimento|"
    r"\bnascid[oa]\b|"
    r"geboorte|\bcumpleaños|compleanno|anniversaire|verjaardag|"
    r"\b(?:fec(?:ha|\.)? ?(?:de )?|f\. ?|data ?(?:de )?|dt\. ?|date ?(?:de )?)(?:nac|nasc|naiss)\b|\bnac\.|\bnasc\.|"
    r"\bf\. ?n\.|\bddn\b|"
    r"\bd\. ?n\.|fødsel|\bfødt\b|\bf\. d\.|född|födelse|syntym|data ur|\bur\.|urodz|narozen|\bnar\.|\bdat\. ?nar|"
    r"szület|\bszül|doğum|"
    r"rođen|rojst|nașter|născut|рожден|родил|\bд\. ?р\.|народж|生年月日|出生|생년월일|"
    r"ngày sinh|tanggal lahir|\btgl\.? ?lahir|"
    r"tarikh lahir|"
    r"γέννησης"
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
_IS = r"\s*+(?:nr|no|n[°ºo]|num(?:ber|mer|éro|ero)?|número|id)?\.?\s*+(?:is|ist|est|es|è|é|:|=|#)?\s*+"


_NATIONAL = (
    "steuernummer", "ausweis", "sozialversicherung", "sécurité", "nir", "seguridad", "curp",
    "rfc", "nie ", "nie:", "codice", "pps", "ahv", "avs", "documento", "cédula", "identité",
    "burgerservice", "cidadão", "rg ", "rg:", "nino", "rut", "cuit", "dui", "t.c", "tc ", "tc:",
    "kimlik", "resident", "id number", "ghana", "huduma", "emirates", "iqama", "civil id",
    "cnic", "nid ", "nid:", "nin ", "nin:", "bvn", "kra pin", "nik ", "nik:", "ktp", "nric",
    "mykad", "hkid", "zehut", "זהות", "my number", "個人番号", "マイナンバー", "身份证", "身分證", "주민등록",
    "rodné", "egn ", "egn:", "егн", "инн", "снилс", "рнокпп", "іпн", "паспорт", "cnp",
    "isikukood", "asmens", "personas", "fødsels", "cpr", "henkilö", "kennitala", "amka", "αμκα",
    "oib", "jmbg", "căn", "cccd", "cmnd", "sss", "philsys", "umid", "svnr",
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
                hints=(
                    "geb",
                    "naiss",
                    "né",
                    "nac",
                    "nas",
                    "nat",
                    "cumple",
                    "complea",
                    "anniv",
                    "verjaar",
                    "f.",
                    "ddn",
                    "d.n",
                    "d. n",
                    "fød",
                    "föd",
                    "syntym",
                    "ur.",
                    "data ur",
                    "urodz",
                    "nar",
                    "szül",
                    "doğum",
                    "rođen",
                    "rojst",
                    "născ",
                    "рожд",
                    "родил",
                    "д.р",
                    "д. р",
                    "народж",
                    "生",
                    "생년",
                    "sinh",
                    "lahir",
                    "γέννη",
                ),
                digits=3,
                before=40,
                after=14,
            ),
            Rule(
                kind="AGE",
                pattern=r"(?<![\w.\-$€£])(?P<v>9\d|1[01]\d) (?:jahre alt|ans|años|anni|anos|jaar)(?!\w)",
                score=0.7,
                digits=2,
                hints=("jahre alt", " ans", " años", " anni", " anos", " jaar"),
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
                pattern=rf"\b(?=[^\W\d])(?:steuernummer|personalausweis|sozialversicherungs?|sécurité sociale|nir\b|"
                rf"seguridad social|curp\b|"
                rf"rfc\b|nie\b|rut\b|cuit\b|curp\b|dui\b|t\.?c\.?(?: kimlik(?: no| numarası)?| no)?|"
                rf"tckn|kimlik no|codice fiscale|pps\b|ppsn\b|ahv\b|avs\b|documento|cédula|carte d'identité|"
                rf"resident (?:id|number)|id number|ghana card|huduma|emirates id|iqama|civil id|cnic\b|nid\b|"
                rf"nin\b|bvn\b|kra pin\b|"
                rf"nik\b|ktp\b|nric\b|mykad|hkid\b|teudat zehut|תעודת זהות|"
                rf"my number|個人番号|マイナンバー|身份证号?码?|"
                rf"身分證字?號?|주민등록번호|"
                rf"rodné číslo|egn\b|егн\b|инн\b|снилс|рнокпп|іпн\b|паспорт|cnp\b|isikukood|asmens kodas|"
                rf"personas kods|"
                rf"fødselsnummer|cpr\b|henkilötunnus|kennitala|amka\b|αμκα\b|oib\b|jmbg\b|căn cước|cccd\b|"
                rf"cmnd\b|"
                rf"sss\b|philsys|umid\b|svnr|sozialversicherungsnr|burgerservicenummer|cartão de cidadão|rg\b|"
                rf"nino\b)(?:nummer|-?nr\.?)?{_IS}"
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
