"""Which three or four digits are a card's code? What it is called in twenty-five languages, and where it stands.

Its name need not be "CVV": people say where it is printed ("the three digits on the back"), or only write it behind the
card's number and date.
"""

import re

from forebay_agents.redaction.detection.recognizers.nearby import unmarked
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_THREE = r"(?:[34]|three|four|drei|vier|trois|quatre|tres|cuatro|tre|quattro|três|quatro|drie|trzy|cztery|üç|ba|tiga)"
_NAMES = (
    r"cvv2?|cvc2?|cvn2?|cav2?|csc|"
    r"(?:card )?(?:security|verification|validation) (?:code|number|value|digits)|card (?:code|id)|"
    rf"{_THREE}[ \-]digits?(?: code| number)?,? (?:(?:on|at|from) the (?:back|front|reverse|signature strip)|"
    rf"security code)|"
    r"(?:code|number|digits) (?:on|at|from) the (?:back|front|reverse|signature strip)(?: of (?:my|the) card)?|"
    r"(?:karten)?(?:prüf|kontroll|sicherheits)(?:ziffern?|nummer|zahl|code|nr\.?)|kartencode|"
    rf"{_THREE}(?:stellige[nr]?)? ?(?:ziffern|zahlen|stellen|code) (?:auf der|hinten|vorne)(?: rückseite|"
    rf" vorderseite)?|"
    r"cryptogramme(?: visuel)?|(?:code|numéro) (?:de )?(?:sécurité|vérification|contrôle)|"
    rf"{_THREE} (?:derniers )?chiffres (?:au|derrière|du)(?: dos| verso)?(?: de (?:la|ma) carte)?|"
    r"(?:código|codigo|clave|número|numero|dígitos|digitos) de (?:seguridad|verificación|verificacion|segurança|"
    r"seguranca|"
    r"verificação|validación)|"
    rf"{_THREE} (?:números|numeros|dígitos|digitos|cifras|cifre|numeri|algarismos) (?:de atrás|detrás|del (?:reverso|"
    rf"dorso)|"
    r"al dorso|por detrás|traseros|sul retro|dietro|sul davanti|no verso|atrás|de trás)|"
    r"codice (?:di )?(?:sicurezza|verifica|controllo)|"
    rf"(?:beveiligings|veiligheids|controle|kaart)(?:code|cijfers?|nummer)|{_THREE} cijfers (?:op de achterkant|"
    rf"achterop|achter)|"
    rf"kod (?:bezpieczeństwa|zabezpieczający|weryfikacyjny)|{_THREE} cyfry (?:z tyłu|na odwrocie)|"
    r"(?:säkerhets|sikkerheds|sikkerhets|kontroll?|kontrol)(?:kode?n?|siffror(?:na)?|cifre)|turva(?:koodi|numero|luku)|"
    r"tarkist(?:e|us)numero|(?:bezpečnostní|ověřovací|bezpečnostný) kód|biztonsági kód|cod(?:ul)? de securitate|"
    rf"güvenlik (?:kodu|numarası)|kart(?:ın)? arkasındaki {_THREE} (?:rakam|hane)|"
    r"код (?:безопасности|проверки|подлинности|на (?:обороте|обратной стороне)|безпеки|сзади)|"
    r"(?:три|3) цифры (?:на обороте|сзади|с обратной стороны)|"
    rf"mã (?:bảo mật|cvv|an toàn)|{_THREE} số (?:sau|mặt sau)(?: thẻ)?|kode (?:keamanan|cvv)|{_THREE} (?:angka|"
    rf"digit)(?: di)? belakang|"
    r"κωδικός ασφαλείας|رمز (?:الأمان|الامان|التحقق)|الأرقام الثلاثة|קוד (?:אבטחה|ביטחון)|שלוש ספרות בגב|"
    r"सुरक्षा कोड|सीवीवी"
)
_TIGHT = (
    r"安全码|安全碼|校验码|校驗碼|卡背(?:后|後)?(?:三|3)位(?:数|數|数字|數字)?|背面(?:的)?(?:三|3)位(?:数字|數字|数)?|"
    r"后三位|後三碼|末三碼|セキュリティ(?:コード|番号)|裏面の?(?:3|三)桁(?:の数字|の番号)?|보안 ?코드|"
    r"뒷면 ?(?:세|3) ?자리(?: 숫자)?|รหัสความปลอดภัย|รหัสหลังบัตร"
)
"""Scripts without blanks: a name of theirs may stand behind any letter."""
_HINTS = (
    "cvv cvc cvn cav csc code digit prüf kontroll sicherheit ziffern zahlen crypto sécurité contrôle "
    "vérif chiffres segur verific número numero cifr dígit algarismos sicurezza controllo veilig cijfer "
    "kod cyfr säkerhet sikkerhe turva tarkist bezpe securit güvenlik arkas код цифр bảo toàn sau keamanan "
    "belakang ασφαλ أمان امان تحقق أرقام אבטחה ביטחון ספרות सुरक सीवीवी"
)
"""One of these is in every one of ``_NAMES``."""
_IS = (
    r"[\"']?(?:\s{0,2}(?:is|was|ist|lautet|est|es|son|è|sono|é|são|to|jest|är|er|on|je|adalah|là|כ|הוא|هو|है|คือ|은|"
    r"는|이|は|が|是|为|為|"
    r"code|number|nummer|numero|número|nr\.?|:|：|=|#|-|–)){0,3}\s{0,3}[\"'(]?"
)
_VALUE = r"(?P<v>\d{3,4})(?!\d|[.,/\-]\d|\s?[%€$£])"
_CARD = (
    r"\bcards?\b|kart|cart[eaã]|tarjeta|kaart|карт|卡|カード|카드|بطاقة|כרטיס|कार्ड|บัตร|\bthẻ\b|visa|master|amex|"
    r"american express|"
    r"\bexp|\d{4}[ \-]?\d{4}[ \-]?\d{4}|\bpan\b"
)


def card_codes() -> RuleRecognizer:
    """Recogniser of the codes of cards."""
    return RuleRecognizer(
        "card codes",
        [
            Rule(
                kind="CVV",
                pattern=rf"(?<![^\W_])(?=\w)(?:{unmarked(_NAMES)}){unmarked(_IS)}{_VALUE}",
                score=0.9,
                digits=3,
                hints=unmarked(_HINTS).split(),
                reach=90,
            ),
            Rule(
                kind="CVV",
                pattern=rf"(?:{unmarked(_TIGHT)}){unmarked(_IS)}{_VALUE}",
                score=0.9,
                digits=3,
                hints=unmarked("安全 校 位 碼 セキュリティ 桁 보안 뒷면 รหัส").split(),
                reach=60,
            ),
            Rule(
                kind="CVV",
                pattern=rf"(?<![^\W_])(?:cid|cvd|code|kod|codice|código|"
                rf"код)[\"']?\s{{0,2}}[:=]?\s{{0,2}}[\"']?{_VALUE}",
                context=_CARD,
                hints=("cid", "cvd", "cod", "cód", "kod", "код"),
                digits=13,
                after=0,
            ),
            Rule(
                kind="CVV",  # behind the number and the date: "4012888888881881 09/27 345", "…|09|27|345"
                pattern=r"\d{4}[\s,;|:/]{1,3}(?:\w{1,6}[.:]?\s)?(?:0[1-9]|1[0-2])[/\-|;, ]{1,2}(?:20)?[2-4]\d[\s,;|"
                r":/]{1,3}"
                r"(?P<v>\d{3,4})(?![\d.,/\-%€$£])",
                score=0.8,
                digits=13,
                around=_behind_a_card,
            ),
        ],
    )


_NUMBER = re.compile(r"\d(?:[ \-]?\d){12,18}[^\d\n]{1,12}\d\d[^\d\n]{1,3}(?:20)?\d\d[^\d\n]{1,3}\Z")


def _behind_a_card(text: str, start: int, end: int) -> bool:
    return _NUMBER.search(text, max(0, start - 56), start) is not None
