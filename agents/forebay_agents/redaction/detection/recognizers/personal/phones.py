"""By which number is somebody called? In the forms of twenty countries, and not what only looks like one.

An international number and one of North America say what they are by their form. Any other needs a zero in front, or a
word for calling; of two words before a number, one for calling and one for something else, the nearer one counts.
Dates, decimals and the values of other keys (``"tabId": 1482903317``) are none.
"""

import re

from forebay_agents.redaction.detection.recognizers.grouping import fewest
from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.nearby import unmarked
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_KIND = "PHONE_NUMBER"
_CALL = unmarked(
    r"phone|\btel\b|\btel\.|telephone|telefon|\bmobile|\bcell\b|cellphone|\bcall(?:ed|ing|back)?\b|whatsapp|\bfax\b|"
    r"reach me|"
    r"\btext me|\bsms\b|\bdial|\bcontact|\bring\b|\bhandy\b|\bnumber is\b|\bmy number\b|\bring me|\bm:|\bt:|\bp:|"
    r"\bph\b|signal|telegram|tel[ée]fon|téléphone|m[óo]vil|\bmobil|celular|\bll[áa]m|\bmarc[ae]|rufnummer|\bportable\b|"
    r"\bnuméro\b|\bnúmero\b|\bnumero\b|\bnummer\b|\btlf\b|\bcallback\b|电话|電話|手机|手機|전화|тел|"
    r"tel[ée]m[óo]vel|\blig(?:ar?|ue|o)\b|\bzadzwo|\bdzwo|zavolej|\bvolej|\bnr\.? ?tel|komórk|\bсот|моб|звон|номер|"
    r"numar[aı]|\barayın|\bara\b|\bcep\b|hubungi|\bponsel|\bnomor|\bwa\b|gọi|điện thoại|\bsđt|\bsố\b|โทร|เบอร์|携帯|"
    r"联系|聯繫|"
    r"微信|微信同号|번호|휴대|연락|هاتف|جوال|اتصل|رقم|موبايل|טלפון|נייד|फ़ोन|फोन|नंबर|मोबाइल|κινητό|τηλ|hívj|\bszám|"
    r"puhelin|"
    r"\bsoita|numeroon|sunați|\bappel|rappel|joindre|chiam|cellulare|\bbel me|\bbellen|erreichbar|\bring på"
)
_FOREIGN = (
    "电话 電話 手机 手機 전화 тел сот моб звон номер gọi điện sđt số โทร เบอร์ 携帯 联系 聯繫 微信 번호 휴대 연락 "
    "هاتف جوال اتصل رقم موبايل טלפון נייד फ़ोन फोन नंबर मोबाइल κινητό τηλ"
)
_CALL_HINTS = tuple(map(unmarked, (
    "tel", "ph", "mobil", "cel", "call", "whatsapp", "fax", "reach", "text", "sms", "dial", "contact", "ring", "handy",
    "num", "núm", "m:", "t:", "p:", "signal", "tél", "mov", "móv", "lla", "llá", "marc", "portable", "tlf",
    "lig", "dzwo", "volej", "komórk", "ara", "cep", "hubungi", "ponsel", "nomor", "wa", "hív", "szám", "puhelin",
    "soita", "sunați", "appel", "joindre", "chiam", "bel", "erreichbar",
    *_FOREIGN.split(),
)))  # fmt: skip
"""One of these is in every word of ``_CALL``."""
_NO_PHONE = (
    r"\border\b|invoice|\bticket|\bisbn|\bversion|\bserial|\bsku\b|tracking|\bbuild\b|\bport\b|\$|€|£|"
    r"\b1z ?\w{3} ?\w{3}(?!\w)|\bupc\b|\bean\b|gtin|barcode|bestell|commande|pedido|ordine|\bfunction|\btimes\b|"
    r"artikel|article|artículo|articolo|\bart\.|producto|produkt|produit|prodotto|\bproduct|заказ|артикул|товар|"
    r"订单|訂單|商品|编号|編號|注文|品番|주문|상품|sipariş|zamówieni|đơn hàng|pesanan|rendelés|tilaus|objednáv|"
    r"comand[ăa]|"
    r"طلب|הזמנה|ऑर्डर|คำสั่งซื้อ|encomenda"
)
_THINGS = (
    r"\bpages?\b|\brow\b|\brows\b|\bjob\b|\bpid\b|\bissue\b|\bcommit|\bblob\b|\brecord\b|\bsensor|\bbatch|\blot\b|"
    r"\bsection\b|\bdocument|\bdoc\b|\berror|\bnode\b|\bseed\b|\bbytes\b|\bindex\b|\bitem|\boffset|\bsize\b|\bwiki\b|"
    r"\bcount\b|timestamp|\bepoch|\bhash|\bcase\b|\bclaim|\bcrc\b|\bprocess|\bline\b|\bkey\b|\blog\b|\bbarcode"
)
"""What has numbers of ten digits too, beside people."""
_LETTER = r"0-9A-Za-z_\u00aa-\u02ff\u0370-\u0e00\u1e00-\u1fff"
"""Letters and digits of scripts that put blanks between words: next to them a number is part of a word."""
_BEGIN = rf"(?<![{_LETTER}\-.+$])"
_END = rf"(?![{_LETTER}\-]|[.,]\d)"
_EXTENSION = re.compile(r"\s?(?:ext|x)", re.IGNORECASE)
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([\-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])|"
    r"(?:0?[1-9]|[12]\d|3[01])([\-/.])(?:0?[1-9]|1[0-2])\2(?:19|20)\d\d|(?:0?[1-9]|1[0-2])/(?:19|20)\d\d|"
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]) ?[\-–] ?(?:19|20)\d\d[01]\d[0-3]\d)(?!\d)"
)
_DAY = re.compile(r"0[1-9](?:0[1-9]|[12]\d|3[01])(?:199\d|20[0-3]\d) \d{1,4}\Z")
"""A day without strokes and a time or an amount, "05252018 1522": no number is parted so."""
_KEYED = re.compile(r"[\w\])](?:[\"'] ?[:=]>?|\s?=>?|:) ?[\"']?\Z")
"""Right before a number that is the value of a key; a key that says phone has a rule of its own."""


def _dated(text: str) -> bool:
    """Whether a date is in it; the years are looked for first."""
    return ("20" in text or "19" in text) and _DATE.search(text) is not None


def _phone(text: str) -> bool | None:
    """Not a date, not a decimal; 7 to 15 digits (ITU-T E.164)."""
    if text.isascii() and text.isdecimal():
        return None if 7 <= len(text) <= 15 and text.count(text[0]) < len(text) else False  # a date has a sign
    extended = "x" in text or "X" in text
    number = checksums.digits(_EXTENSION.split(text)[0] if extended else text)
    if not 7 <= len(number) <= 15 or len(set(number)) == 1 or _dated(text):
        return False
    return None


def _international(text: str) -> bool | None:
    """As :func:`_phone`, but a part may be written twice ("+1 762 715 62 715 3776"): the sign says what it is."""
    number = checksums.digits(_EXTENSION.split(text)[0])
    return None if 15 < len(number) <= 20 and text.startswith("+") else _phone(text)


def _national(text: str) -> bool | None:
    """With its leading zero."""
    if not 9 <= len(checksums.digits(text)) <= 13 or text.startswith("00") or _dated(text):
        return False
    return False if _DAY.match(text) else None


def _announced(text: str) -> bool | None:
    return None if 7 <= len(checksums.digits(text)) <= 13 and not _dated(text) else False


def _in_no_date(text: str, start: int, end: int) -> bool:
    """Whether no date goes on before or behind it: of "2024/11/05-2024/12/01" the pattern sees the rest."""
    goes_on = start >= 2 and text[start - 1] in "./-" and text[start - 2].isdecimal()
    return not goes_on or text[start] == "("


def _of_no_key(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 6) : start]
    return (":" not in before and "=" not in before) or not _KEYED.search(before)


def phones() -> RuleRecognizer:
    """Recogniser of telephone numbers whose form says what they are."""
    return RuleRecognizer(
        "phones",
        [
            Rule(
                kind=_KIND,  # international
                pattern=r"(?<![\w+])(?:\+|00(?=[ (]|\d{10}))[ ]?\(?[1-9]\d{0,2}+\)?"
                rf"(?:[ \-./]{{0,2}}+\(?{fewest(1, 5)}\)?){{1,6}}"
                r"(?:\s?(?:ext|x|extension)\.?\s?\d{1,6})?(?![\w])",
                score=0.9,
                check=_international,
                digits=7,
                shapes=("+", "99 9", "99(", "99 (", 12 * "9"),
            ),
            Rule(
                kind=_KIND,  # the same, before digits that make it too long: "+91 98 1985 4111 11111111111"
                pattern=r"(?<![\w+])\+[1-9]\d{0,2}(?:[ \-]\(?\d{2,8}\)?){2,4}(?![\w\-])",
                score=0.9,
                check=_phone,
                digits=8,
                hints=("+",),
            ),
            Rule(
                kind=_KIND,  # North American, as people write it
                pattern=r"(?<![\w\-.+$])(?:(?:\+|00)?1[ \-.]?)?(?:\(\d{3}\) ?|\d{3}(?: ?[\-.·] ?|"
                r" ))\d{3}(?: ?[\-.·] ?| )\d{4}"
                r"(?:[ ,]{0,2}(?:ext|x|extension)\.?\s?\d{1,6})?(?!\w|-\d|\.\d)",
                score=0.8,
                check=_phone,
                unless=r"\bnhs\b",
                digits=10,
            ),
            Rule(
                kind=_KIND,  # national, with its leading zero
                pattern=rf"{_BEGIN}\(?0(?: ?\(\d{{2,5}}\)|\d{{1,5}}\)?| \d\d(?= ))"
                rf"(?:(?: [/\-–] |[ \-/.]{{0,2}}+){fewest(2, 8)}){{1,5}}{_END}",
                score=0.6,
                context=_CALL,
                unless=_NO_PHONE + r"|\baccount\b|\bmrn\b|passport|licen[cs]e",
                check=_national,
                around=_in_no_date,
                digits=9,
            ),
            Rule(
                kind=_KIND,  # Brazil, Russia: a code in brackets, or 8 in front
                pattern=rf"{_BEGIN}(?:\(\d\d\) ?9?\d{{4}}[ \-]?\d{{4}}|"
                rf"8 ?[\-( ] ?[3489]\d\d[\-) ]{{1,2}}\d{{3}}[ \-]\d\d[ \-]?\d\d)"
                rf"{_END}",
                score=0.7,
                check=_phone,
                digits=10,
            ),
        ],
    )


_CALL_THEN = (
    r"(?:please |bitte |por favor |proszę |lütfen )?(?:(?:za)?dzwo|ruf(?:en|t)? |call |ring |text |"
    r"ll[áa]m|rappel|appel|chiam|ligu?e|bel(?:len)? |soita|(?:по)?звон|arayın|volej|hív)"
)


def announced_phones() -> RuleRecognizer:
    """Recogniser of telephone numbers that a word announces."""
    return RuleRecognizer(
        "announced phones",
        [
            Rule(
                kind=_KIND,
                pattern=rf"(?<![{_LETTER}\-.+$#])(?:1[ \-.]?)?[2-9]\d{{2}}[2-9]\d{{6}}{_END}",
                score=0.5,
                context=_CALL,
                unless=_NO_PHONE + rf"|\baccount\b|id\b|\bnhs\b|\bmrn\b|passport|licen[cs]e|\broute|\bref|{_THINGS}",
                check=_phone,
                around=_of_no_key,
                digits=10,
                shapes=(10 * "9",),
            ),
            Rule(
                kind=_KIND,  # "501 884 302, dzwońcie po 17": what to do with it stands behind
                pattern=rf"{_BEGIN}\(?\d{{2,5}}\)?(?:[ \-./]\d{{2,5}}){{1,4}}(?=[,;.]? {{1,2}}{_CALL_THEN})",
                score=0.7,
                check=_announced,
                around=_in_no_date,
                unless=_NO_PHONE,
                hints=(
                    "dzwo",
                    "ruf",
                    "call",
                    "ring",
                    "text",
                    "lam",
                    "lám",
                    "ppel",
                    "chiam",
                    "lig",
                    "bel",
                    "soita",
                    "звон",
                    "aray",
                    "volej",
                    "hív",
                ),
                digits=7,
            ),
            Rule(
                kind=_KIND,  # an Indian mobile number as it is spoken: five and five
                pattern=rf"{_BEGIN}[6-9]\d{{4}}[ \-]\d{{5}}{_END}",
                score=0.6,
                context=_CALL + r"|\bnumber\b|\bmera\b|\bnamba",
                with_context=0.7,
                check=_phone,
                unless=_NO_PHONE + rf"|\baccount\b|id\b|passport|licen[cs]e|\broute|\bref|{_THINGS}",
                digits=10,
                shapes=("99999 99999", "99999-99999"),
            ),
            Rule(
                kind=_KIND,  # digit by digit
                pattern=r"(?<![\w\-.+])\+?\d(?: \d){8,13}(?! ?\d)(?!\w)",
                context=_CALL,
                unless=_NO_PHONE + r"|\baccount\b|\bcard\b|\bssn\b|\biban\b",
                hints=_CALL_HINTS,
                digits=9,
            ),
            Rule(
                kind=_KIND,  # behind its key in JSON or SQL; "%49" may be a wildcard and a digit
                pattern=r"(?<![A-Za-z])(?:phone|contact|mobile|tel|telephone|cell|fax|msisdn|whatsapp|telefon|"
                r"telefono|tel[eé]fono|telefone|celular|"
                r"movil|móvil|handy|mob)(?:[_ ]?(?:number|no|nr|num|\d))?[\"'`\])]{0,2}\s{0,3}(?::|=>?|like|"
                r"in)\s{0,3}[\[(\"'%]{0,4}"
                r"(?P<v>[^\s\"'(),;:=\d]?\+?\d[\d \-()./]{5,18}\d)(?![\w\-]|\.\d)",
                score=0.8,
                check=_phone,
                hints=(
                    "phone",
                    "contact",
                    "mob",
                    "tel",
                    "cell",
                    "fax",
                    "msisdn",
                    "whatsapp",
                    "cel",
                    "movil",
                    "móvil",
                    "handy",
                ),
                digits=7,
            ),
            Rule(
                kind=_KIND,  # anything else that is announced as one
                pattern=rf"(?:\((?<![{_LETTER}\-.+$].)\d|\d(?<![{_LETTER}\-.+$].))\d{{0,4}}\)?"
                rf"(?:[ \-./]{{0,2}}+\(?{fewest(2, 5)}\)?){{1,5}}{_END}",
                context=_CALL,
                with_context=0.7,
                check=_announced,
                around=_in_no_date,
                unless=_NO_PHONE + r"|\bborn\b|\bbirth",
                hints=_CALL_HINTS,
                digits=7,
                after=0,
                before=32,
            ),
            Rule(
                kind=_KIND,  # glued to a word for it: "contactnow628-555-0163", "tel:415-555-0126now"
                pattern=r"(?<=[A-Za-z:])(?=(?P<v>\(?[2-9]\d{2}\)?([\-. ])[2-9]\d{2}\2\d{4}|"
                r"[2-9]\d{2}[2-9]\d{6})(?!\d))",
                context=_CALL + r"|\bat(?=\d)|\bnow(?=\d)|number",
                check=_phone,
                hints=_CALL_HINTS,
                digits=10,
                shapes=("a9", "a(9", ":9", ":(9"),
                before=24,
                after=0,
            ),
        ],
    )
