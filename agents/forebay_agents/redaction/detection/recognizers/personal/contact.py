"""How to reach somebody: phones, e-mail addresses, handles."""

import re

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.recognizers.grouping import fewest
from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_CALL = (
    r"phone|\btel\b|\btel\.|telephone|telefon|\bmobile|\bcell\b|cellphone|\bcall(?:ed|ing|back)?\b|whatsapp|\bfax\b|"
    r"reach me|"
    r"\btext me|\bsms\b|\bdial|\bcontact|\bring\b|\bhandy\b|\bnumber is\b|\bmy number\b|\bring me|\bm:|\bt:|\bp:|"
    r"\bph\b|signal|telegram|tel[ée]fon|téléphone|m[óo]vil|\bmobil|celular|\bll[áa]m|\bmarc[ae]|rufnummer|\bportable\b|"
    r"\bnuméro\b|\bnúmero\b|\bnumero\b|nummer|\btlf\b|\bcallback\b|电话|電話|手机|전화|тел"
)
_CALL_HINTS = (
    "tel", "ph", "mobil", "cel", "call", "whatsapp", "fax", "reach", "text", "sms", "dial", "contact", "ring", "handy",
    "num", "núm", "m:", "t:", "p:", "signal", "tél", "mov", "móv", "lla", "llá", "marc", "portable", "tlf",
    "电话", "電話", "手机", "전화", "тел",
)  # fmt: skip
"""One of these is in every word of ``_CALL``."""
_NO_PHONE = (
    r"\border\b|invoice|\bticket|\bisbn|\bversion|\bserial|\bsku\b|tracking|\bbuild\b|\bport\b|\$|€|£|"
    r"\b1z ?\w{3} ?\w{3}(?!\w)|\bupc\b|\bean\b|gtin|barcode|bestell|commande|pedido|ordine|\bfunction|\btimes\b"
)
_TLD = (
    r"(?:com|org|net|edu|gov|io|co|uk|de|fr|es|it|nl|eu|us|ca|au|in|info|biz|me|ch|at|be|se|no|dk|pl|ru|jp|br|mx|"
    r"test|example)"
)


_PROVIDERS = (
    "gmail|googlemail|yahoo|hotmail|outlook|icloud|aol|protonmail|proton|gmx|web|live|msn|fastmail|zoho|comcast|verizon"
)
_EXTENSION = re.compile(r"\s?(?:ext|x)", re.IGNORECASE)


def _phone(text: str) -> bool | None:
    """Not a date, not a decimal; 7 to 15 digits (ITU-T E.164)."""
    number = checksums.digits(_EXTENSION.split(text)[0])
    if not 7 <= len(number) <= 15 or len(set(number)) == 1:
        return False
    return None


def _international(text: str) -> bool | None:
    """As :func:`_phone`, but a part may be written twice ("+1 762 715 62 715 3776"): the sign says what it is."""
    number = checksums.digits(_EXTENSION.split(text)[0])
    return None if 15 < len(number) <= 20 and text.startswith("+") else _phone(text)


def contact() -> RuleRecognizer:
    """Recogniser of contact data."""
    return RuleRecognizer(
        "contact",
        [
            Rule(
                kind="EMAIL_ADDRESS",
                pattern=r"(?<![\w.+\-])[\w!#$%&'*+/=?^`{|}~\-]{1,64}+(?:\.[\w!#$%&'*+/=?^`{|}~\-]{1,64}+){0,8}+\.?@"
                r"(?:[^\W_](?:[\w\-]{0,62}+)\.){1,8}[^\W\d_][\w\-]{1,23}",
                score=1.0,
                hints=("@",),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # a blank slipped in, or a tokeniser was at work
                pattern=r"(?<![\w.+\-])[\w.+\-]{1,64} ?(?:@| ?[\[({<] ?(?:at|@) ?[\])}>]) ?"
                rf"[^\W_][\w\-]{{0,62}}(?: ?(?:\.| ?[\[({{<] ?(?:dot|\.) ?[\])}}>]) ?[\w\-]{{1,62}}){{0,4}}"
                rf" ?(?:\.| ?[\[({{<] ?(?:dot|\.) ?[\])}}>]) ?{_TLD}\b",
                score=0.9,
                hints=("@", "at]", "at)", "at}", "at>", "at )", "at ]"),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # spelled out
                pattern=r"(?<![\w.+\-])[\w.+\-]{1,64}(?: (?:dot|underscore|dash) [\w\-]{1,40}){0,4} at [\w\-]{2,40}"
                rf"(?: dot [\w\-]{{2,20}}){{0,2}} dot {_TLD}\b",
                score=0.9,
                hints=(" dot ",),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # a mail provider's name says what "at" means
                pattern=r"(?<![\w.+\-])(?!(?:me|us|him|her|them|you|is|or|and|mail|email|"
                r"contact) )[\w.+\-]{2,64} ?(?:\(at\)|at|@) ?"
                rf"(?:{_PROVIDERS})(?: ?(?:\.|dot) ?| )(?:com|net|org|de|fr|es|it|uk|co\.uk|me|ch)\b",
                score=0.9,
                hints=tuple(_PROVIDERS.split("|")),
            ),
            Rule(
                kind="EMAIL_ADDRESS",
                pattern=rf"(?<![\w.+\-])[\w.+]{{1,64}}[\-_]at[\-_]\w{{1,122}}?(?:-\w{{1,122}}?){{0,2}}?[\-_]dot[\-_]{_TLD}\b",
                score=0.9,
                hints=("at-", "at_"),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # a quoted local part; a line end after the sign
                pattern=r"\"[^\"\n@]{1,64}\"@[\w.\-]{3,200}|(?<![\w.+\-])[\w.+\-]{1,64}@\n ?"
                rf"[\w\-]{{1,63}}(?:\.[\w\-]{{1,63}}){{0,4}}\.{_TLD}\b",
                score=0.9,
                hints=("@",),
            ),
            Rule(
                kind="PHONE_NUMBER",  # international
                pattern=r"(?<![\w+])(?:\+|00(?=[ (]|\d{10}))[ ]?\(?[1-9]\d{0,2}+\)?"
                rf"(?:[ \-./]{{0,2}}+\(?{fewest(1, 5)}\)?){{1,6}}"
                r"(?:\s?(?:ext|x|extension)\.?\s?\d{1,6})?(?![\w])",
                score=0.9,
                check=_international,
                digits=7,
            ),
            Rule(
                kind="PHONE_NUMBER",  # the same, before digits that make it too long: "+91 98 1985 4111 11111111111"
                pattern=r"(?<![\w+])\+[1-9]\d{0,2}(?:[ \-]\(?\d{2,8}\)?){2,4}(?![\w\-])",
                score=0.9,
                check=_phone,
                digits=8,
                hints=("+",),
            ),
            Rule(
                kind="PHONE_NUMBER",  # North American, as people write it
                pattern=r"(?<![\w\-.+$])(?:(?:\+|00)?1[ \-.]?)?(?:\(\d{3}\) ?|\d{3}(?: ?[\-.·] ?|"
                r" ))\d{3}(?: ?[\-.·] ?| )\d{4}"
                r"(?:[ ,]{0,2}(?:ext|x|extension)\.?\s?\d{1,6})?(?!\w|-\d|\.\d)",
                score=0.8,
                check=_phone,
                unless=r"\bnhs\b",
                digits=10,
            ),
            Rule(
                kind="PHONE_NUMBER",
                pattern=r"(?<![\w\-.+$#])(?:1[ \-.]?)?[2-9]\d{2}[2-9]\d{6}(?![\w\-]|[.,]\d)",
                score=0.5,
                context=_CALL,
                unless=_NO_PHONE + r"|\baccount\b|\bid\b|\bnhs\b|\bmrn\b|passport|licen[cs]e|\broute|\bref",
                check=_phone,
                digits=10,
            ),
            Rule(
                kind="PHONE_NUMBER",  # national, with its leading zero
                pattern=r"(?<![\w\-.+$])\(?0\d{1,5}\)?"
                rf"(?:(?: [/\-–] |[ \-/.]{{0,2}}+){fewest(2, 8)}){{1,5}}(?![\w\-]|[.,]\d)",
                score=0.6,
                context=_CALL,
                unless=_NO_PHONE + r"|\baccount\b|\bmrn\b|passport|licen[cs]e",
                check=lambda text: (
                    None if 9 <= len(checksums.digits(text)) <= 13 and not text.startswith("00") else False
                ),
                digits=9,
            ),
            Rule(
                kind="PHONE_NUMBER",  # digit by digit
                pattern=r"(?<![\w\-.+])\+?\d(?: \d){8,13}(?! ?\d)(?!\w)",
                context=_CALL,
                unless=_NO_PHONE + r"|\baccount\b|\bcard\b|\bssn\b|\biban\b",
                hints=_CALL_HINTS,
                digits=9,
            ),
            Rule(
                kind="PHONE_NUMBER",  # mobile numbers of a country's form, announced
                pattern=r"(?:1(?<![\w\-.+].)[3-9]\d{9}|[67](?<![\w\-.+].)\d{8})(?![\w\-]|[.,]\d)",
                context=_CALL,
                unless=_NO_PHONE + r"|\baccount\b|\bid\b|konto|compte|cuenta|passport|rechnung|kunden",
                hints=_CALL_HINTS,
                digits=9,
                before=32,
                after=0,
            ),
            Rule(
                kind="PHONE_NUMBER",  # behind its key in JSON or SQL; "%49" may be a wildcard and a digit
                pattern=r"(?<![A-Za-z])(?:phone|mobile|tel|telephone|cell|fax|msisdn|whatsapp|telefon|telefono|tel[eé]fono|telefone|celular|"
                r"movil|móvil|handy|mob)(?:[_ ]?(?:number|no|nr|num|\d))?[\"'`\])]{0,2}\s{0,3}(?::|=>?|like|"
                r"in)\s{0,3}[\[(\"'%]{0,4}"
                r"(?P<v>[^\s\"'(),;:=\d]?\+?\d[\d \-()./]{5,18}\d)(?![\w\-]|\.\d)",
                score=0.8,
                check=_phone,
                hints=("phone", "mob", "tel", "cell", "fax", "msisdn", "whatsapp", "cel", "movil", "móvil", "handy"),
                digits=7,
            ),
            Rule(
                kind="PHONE_NUMBER",  # anything else that is announced as one
                pattern=r"(?:\((?<![\w\-.+$].)\d|\d(?<![\w\-.+$].))\d{1,4}\)?"
                rf"(?:[ \-./]{{0,2}}+{fewest(2, 5)}){{1,5}}(?![\w\-]|[.,]\d)",
                context=_CALL,
                with_context=0.7,
                check=lambda text: None if 7 <= len(checksums.digits(text)) <= 13 else False,
                unless=_NO_PHONE + r"|\bborn\b|\bbirth",
                hints=_CALL_HINTS,
                digits=7,
                after=0,
                before=32,
            ),
            Rule(
                kind="USERNAME",
                pattern=r"\b(?:user\s?name|user\s?id|login(?: name)?|screen name|handle|nick(?:name)?|"
                r"gamertag)\b\s*+(?:is|:|=)+\s*+[\"'@]?"
                r"(?P<v>[\w.\-]{3,32})\b",
                score=0.8,
                hints=("user", "login", "handle", "nick", "screen name", "gamertag"),
                check=lambda text: False if text.lower() in _NO_HANDLE else None,
            ),
            Rule(
                kind="USERNAME",  # with a digit or a sign in it: "the user is wrong" names nobody
                pattern=r"\b(?:user|login)(?: (?:is|was)|:)? [\"'`]?"
                r"(?P<v>(?=[a-z]{0,31}[\d_])[a-z][\w.\-]{2,31})\b(?!\()",
                score=0.7,
                hints=("user ", "user:", "login ", "login:"),
                digits=1,
            ),
            Rule(
                kind="USERNAME",
                pattern=r"(?<![\w@.])@(?P<v>[A-Za-z_][\w.]{2,30})\b",
                context=r"twitter|instagram|\binsta\b|\big\b|telegram|tik\s?tok|snap(?:chat)?|discord|facebook|"
                r"\bfollow\b|\bhandle\b",
                hints=("@",),
            ),
        ],
    )


_NO_HANDLE = listed(
    "not the and wrong correct incorrect invalid required missing already taken null none true false string admin root "
    "unknown available case sensitive empty too long short blocked password for that this"
)
