"""What opens the door, the wifi, the account? Codes and passwords in the short words that people use for them.

"pass" and "code" alone say nothing: passes are mountains and tickets, codes are of errors and countries. What counts is
a thing that is locked before the word ("gate code", "wifi pass"), or an attribute whose value is no word.
"""

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer
from forebay_agents.redaction.detection.recognizers.secrets.strength import bare, strong

_LOCKED = (
    r"gate|(?:front |back |garage |street |side |main )?door|entry|entrance|garage|alarm|safe|vault|voice ?mail|"
    r"lock ?box|key ?(?:safe|box)|keypad|pad ?lock|locker|suitcase|luggage|intercom|buzzer|security|building entry|"
    r"shed|house|flat|apartment|room safe|bike lock|lift|elevator|parking"
)
_CODE = r"(?:code|pin|combination|combo|key ?code|pass ?code)"
_LINKS = (
    r"(?:\s{1,2}(?:is|was|now|will be|should be|has been|changed|changes|set|still|again|to|from|for|today|tomorrow|"
    r"tonight|number|it'?s|back)\b){0,5}"
)
_SIGN = r"\s{0,2}(?:[:=]\s{0,2})?[\"'(]?"
_VALUE = (
    r"(?P<v>[#*]?(?=[A-Z]{0,6}\d)(?:[A-Z0-9]{3,10}|\d{1,4}(?:-\d{1,4}){1,3})[#*]?)"
    r"(?![\w%€$£:/@\-]|[.,]\d|\s(?:am|pm|times|people|days?|hours?|minutes?|years?)\b)"
)
_ABROAD = (
    r"digicode|t(?:ü|ue)r-?code|alarm-?code|tor-?code|tresor-?code|deurcode|portkod|dørkode|"
    r"code (?:du |de la |de l['’]|d['’])(?:portail|porte|alarme|entr[ée]e|immeuble|coffre)|"
    r"c[óo]digo (?:del? |de la )(?:portal|puerta|alarma|port[aã]o|porta|alarme)|codice (?:del |della |dell['’])"
    r"(?:portone|cancello|allarme|cassaforte)"
)
_SHORT = r"(?:pass|pw|pwd|pswd|passwd|psk|passkey)"
_DEVICE = (
    r"(?:wi-?fi|wlan|router|network|hotspot|modem|guest|netflix|email|e-mail|login|log-?in|laptop|computer|pc|tablet|"
    r"account|admin|root|database|db|ftp|ssh|vpn|server|portal|app)"
)


def _code(text: str) -> bool | None:
    """Three digits and more."""
    return None if sum(map(str.isdigit, text)) >= 3 else False


def _attribute(text: str) -> bool | None:
    """No word, no number and no amount: letters and digits together."""
    if strong(text) is False or not any(map(str.isdigit, text)) or not any(map(str.isalpha, text)):
        return False
    return None if len(set(text)) >= 5 and "(" not in text and "{" not in text else False


def doors() -> RuleRecognizer:
    """Recogniser of codes and passwords in everyday words."""
    return RuleRecognizer(
        "doors",
        [
            Rule(
                kind="PASSWORD",  # "the gate code is now 4471X"
                pattern=rf"\b(?:{_LOCKED})\s{{1,2}}{_CODE}\b{_LINKS}{_SIGN}{_VALUE}",
                score=0.75,
                check=_code,
                hints=(" code", " pin", " combo", " combi", " keyc", " passcode"),
                reach=90,
            ),
            Rule(
                kind="PASSWORD",  # "the code for the back door is 7719"
                pattern=rf"\b{_CODE} (?:for|to|of) (?:the |our |my |his |her |your "
                rf")?(?:{_LOCKED})\b{_LINKS}{_SIGN}{_VALUE}",
                score=0.75,
                check=_code,
                hints=("code for", "code to", "code of", "pin for", "pin to", "pin of", "combination"),
                reach=120,
            ),
            Rule(
                kind="PASSWORD",
                pattern=rf"(?<!\w)(?:{_ABROAD})(?:\s(?:ist|lautet|est|es|è|é|is|är|er))?{_SIGN}{_VALUE}",
                score=0.75,
                check=_code,
                hints=("code", "kod", "código", "codigo", "codice"),
                reach=60,
            ),
            Rule(
                kind="PASSWORD",  # attributes: pass="…", pw=…
                pattern=rf"(?<![A-Za-z]){_SHORT}[\"']?\s{{0,2}}(?::=|=>|[:=])\s{{0,2}}[\"'`]?"
                r"(?P<v>(?<=\")[^\"\s]{5,128}(?=\")|(?<=')[^'\s]{5,128}(?=')|[^\s\"'`,;<>]{5,128}(?<![.)\]}]))",
                score=0.8,
                check=_attribute,
                hints=("pass=", "pass:", "pass =", 'pass"', "pass'", "pw", "psk", "passkey"),
                reach=150,
            ),
            Rule(
                kind="PASSWORD",  # "my wifi pass is Fern!2210", "router key: …"
                pattern=rf"\b{_DEVICE}(?:'s)? (?:{_SHORT}|key|password|code)\b(?:\s(?:is|was|now|still|to)\b){{0,3}}"
                r"\s{0,2}(?:[:=]\s{0,2})?[\"'`]?(?P<v>[^\s\"'`,;<>]{5,64}(?<![.)?]))",
                score=0.8,
                check=_attribute,
                hints=(" pass", " pw", "fi key", "fi code", "router key", "network key"),
                reach=110,
            ),
            Rule(
                kind="PASSWORD",  # "pass is Fern!2210"; passes of other sorts have numbers too
                pattern=rf"\b{_SHORT}\b(?:\s(?:is|was|now|"
                rf"still)\b){{1,3}}\s{{0,2}}[\"'`]?(?P<v>[^\s\"'`,;<>]{{6,64}}(?<![.)?]))",
                score=0.7,
                check=bare,
                unless=r"boarding|season|\bbus\b|train|\bski\b|travel|museum|rail|mountain|festival|ticket",
                hints=("pass ", "pw ", "pwd ", "passkey "),
                reach=110,
            ),
        ],
    )
