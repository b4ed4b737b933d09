"""How is an e-mail address said? "nora dot vance at example dot org", and the same in two dozen languages.

What stands for the sign @ is mostly an animal or a dish and says enough by itself ("arroba", "chiocciola", "собака");
"at" is a word like any other, and needs a spoken dot and a domain's end behind it.
"""

from forebay_agents.redaction.detection.recognizers.nearby import unmarked
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_SIGNS = unmarked(
    "arroba arobase arrobase chiocciola chiocciolina klammeraffe affenschwanz apenstaartje małpa małpka собака собачка "
    "равлик snabel-a snabela krøllalfa miukumauku zavináč zavinac kukac arond παπάκι golbaengi כרוכית שטרודל एट ऐट "
    "골뱅이 앳 アットマーク アット 艾特 小老鼠 圈a آت แอท แอด"
)
_SIGN = (
    rf"(?:{'|'.join(sorted(_SIGNS.split(), key=len, reverse=True))}|a còng|a móc|a vòng|a rond|a keong|coadă de "
    rf"maimuță)"
)
_DOTS = unmarked(
    "dot point punkt punto ponto punt kropka точка крапка nokta punktum piste tečka tecka bodka pont punct τελεία "
    "نقطة دوت נקודה डॉट बिंदु chấm titik จุด 점 닷 쩜 ドット 点 點"
)
_DOT = rf"(?:{'|'.join(sorted(_DOTS.split(), key=len, reverse=True))})"
_LINE = unmarked(
    "dash hyphen minus underscore bindestrich unterstrich tiret guion guión trattino hífen sublinhado streepje myślnik "
    "podkreślnik podkreślenie тире дефис подчеркивание подчёркивание tire çizgi bindestreck understreck väliviiva "
    "alaviiva "
    "pomlčka podtržítko kötőjel"
)
_JOIN = (
    rf"(?:{_DOT[3:-1]}|{'|'.join(_LINE.split())}|tiret bas|guion bajo|guión bajo|trattino basso|alt çizgi|"
    rf"нижнее подчеркивание)"
)
_TLD = (
    r"(?:com?|org|net|edu|gov|io|info|biz|me|eu|example|test|app|dev|[a-z]{2}|ком|ру|рф|укр|орг|нет|ру|コム|"
    r"ジェーピー|컴|케이알)"
)
_PART = r"\w{1,40}+"
_LOCAL = rf"(?<![\w.+\-@])[\w+]{{1,40}}+(?:(?: {_JOIN} |[.\-]){_PART}){{0,5}}"
_DOMAIN = rf"{_PART}(?:(?: {_JOIN} |[.\-]){_PART}){{0,3}}?"
_TIGHT = r"[a-z0-9_+\-]{1,40}+"
_CJK_DOT = r"\s?(?:점|닷|쩜|ドット|点|點|\.)\s?"


def spoken() -> RuleRecognizer:
    """Recogniser of e-mail addresses as they are said."""
    return RuleRecognizer(
        "spoken",
        [
            Rule(
                kind="EMAIL_ADDRESS",
                pattern=rf"{_LOCAL} {_SIGN} {_DOMAIN}(?: {_DOT} |\.){_TLD}(?!\w)(?: {_DOT} [a-z]{{2}}(?!\w))?",
                score=0.9,
                hints=(*_SIGNS.split(), "a còng", "a móc", "a vòng", "a rond", "a keong", "maimuță"),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # "at" and a spoken dot
                pattern=rf"{_LOCAL} (?:at|ät|et) (?!(?:the|an?|this|that|my|our|your|it|end|"
                rf"all)\b){_DOMAIN} {_DOT} {_TLD}(?!\w)(?: {_DOT} [a-z]{{2}}(?!\w))?",
                score=0.9,
                hints=tuple(f" {dot} " for dot in _DOTS.split()),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # scripts without blanks: "hana アットマーク example ドット jp"
                pattern=rf"(?<![a-z0-9_+\-]){_TIGHT}(?:{_CJK_DOT}{_TIGHT}){{0,4}}\s?(?:골뱅이|앳|アットマーク|アット|"
                rf"艾特|圈a|小老鼠)\s?"
                rf"{_TIGHT}(?:{_CJK_DOT}{_TIGHT}){{1,3}}",
                score=0.9,
                hints=("골뱅이", "앳", "アット", "艾特", "圈a", "小老鼠"),
            ),
        ],
    )
