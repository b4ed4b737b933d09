"""Keys and passwords: what opens a door must not leave the building. Prefixes are their makers' own."""

import re

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_PREFIXED = (
    r"(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}",
    r"gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}",
    r"gl(?:pat|ptt|rt|soat)-[A-Za-z0-9_\-]{20,64}",
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}|xapp-[A-Za-z0-9\-]{10,250}",
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{24,80}",
    r"sk-(?:proj-|svcacct-|admin-|ant-(?:api\d{2}-)?|or-v1-)?[A-Za-z0-9_\-]{20,250}",
    r"AIza[0-9A-Za-z_\-]{35}|ya29\.[0-9A-Za-z_\-]{20,1000}|GOCSPX-[A-Za-z0-9_\-]{20,40}",
    r"SG\.[A-Za-z0-9_\-]{16,32}(?:\.[A-Za-z0-9_\-]{30,64})?|key-[0-9a-f]{32}",
    r"npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_\-]{40,300}|hf_[A-Za-z0-9]{30,64}|r8_[A-Za-z0-9]{30,50}",
    r"do[opr]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0[a-z]{3}-[0-9A-Za-z_\-]{20,50}|EAAA[A-Za-z0-9_\-]{50,80}",
    r"(?:gsk|xai|pplx|nvapi|fw|tgp_v1|co)[_\-][A-Za-z0-9_\-]{32,120}",
    r"dapi[0-9a-f]{32}|hvs\.[A-Za-z0-9_\-]{24,200}|dp\.pt\.[A-Za-z0-9]{40,50}|lin_api_[A-Za-z0-9]{32,50}|ATATT3[A-Za-z0-9_\-=]{50,250}",
    r"\d{8,10}:AA[A-Za-z0-9_\-]{32,34}|[MNO][A-Za-z\d_\-]{23,26}\.[A-Za-z\d_\-]{6}\.[A-Za-z\d_\-]{27,40}",
)
_MARKS = (
    "akia", "asia", "aroa", "aida", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glp", "glrt-", "glsoat-",
    "xox", "xapp", "_live_", "_test_", "whsec_", "sk-", "aiza", "ya29", "gocspx", "sg.", "key-", "npm_", "pypi-",
    "hf_", "r8_", "_v1_", "shp", "sq0", "eaaa", "gsk", "xai", "pplx", "nvapi", "fw_", "fw-", "tgp_", "co_", "co-",
    "dapi", "hvs.", "dp.pt", "lin_", "atatt", ":aa",
)  # fmt: skip
"""One of these is in whatever ``_PREFIXED`` finds."""
_PLACEHOLDER = re.compile(
    r"(?i)(?:x{3,}|\*{3,}|\.{3,}|<.*|\$\{.*|\{\{.*|%\(.*|your.*|example|changeme|none|null|true|false|string|required|"
    r"reset|incorrect|invalid|wrong|expired|forgotten|protected|manager|policy|field|hash(?:ed)?|here|the|not|and|is|in|to|"
    r"for|was|has|will|must|should|can|cannot|won'?t|doesn'?t|please|again|correct|too|now|when|because|that|this|it|os\.\w+.*|"
    r"env.*|process\.env.*|getpass.*|input.*|self\..*|settings\..*|config.*|request\..*|args\..*|username|password)"
)

_METHOD = re.compile(
    r"(?i)(?:sha|md\d|oauth|base\d|utf|aes|rsa|pbkdf|https?:|rfc|ntlm|argon|bcrypt|cve|kb\d|error|nist|iso|\$\{|\{\{|%\w)"
)
"""What is said of passwords, and is none."""


def _secret(text: str) -> bool | None:
    return False if _PLACEHOLDER.fullmatch(text) or len(set(text)) < 3 else None


def strong(text: str) -> bool | None:
    """A password in a sentence: it does not look like a word."""
    if _secret(text) is False:
        return False
    kinds = sum(any(test(char) for char in text) for test in (str.isdigit, str.isupper, str.islower)) + (
        not text.isalnum()
    )
    return None if kinds >= 2 and not text.isalpha() else False


def bare(text: str) -> bool | None:
    """A password with nothing between it and the word: letters, digits, and a sign or a long number among them."""
    if strong(text) is False or _METHOD.match(text) or not any(map(str.isdigit, text)):
        return False
    signs = any(char in "!@#$%^&*?~+=_" for char in text.rstrip("!?*"))
    return None if any(map(str.isalpha, text)) and (signs or sum(map(str.isdigit, text)) >= 4) else False


def secrets() -> RuleRecognizer:
    """Recogniser of secrets."""
    return RuleRecognizer(
        "secrets",
        [
            Rule(
                kind="PRIVATE_KEY",
                pattern=r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}"
                r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?",
                score=1.0,
                hints=("-----begin",),
                reach=21_000,
            ),
            Rule(
                kind="JWT",
                pattern=r"(?<![\w\-])eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,8000}(?:\.[A-Za-z0-9_\-]{0,4000})?",
                score=1.0,
                hints=("eyj",),
                reach=16_500,
                flags=0,
            ),
            Rule(
                kind="API_KEY",
                pattern=rf"(?<![A-Za-z0-9_\-])(?:{'|'.join(_PREFIXED)})(?![A-Za-z0-9])",
                score=1.0,
                check=lambda text: None if len(set(text[6:])) > 4 else False,
                hints=_MARKS,
                run=15,
                reach=1_200,
                flags=0,
            ),
            Rule(
                kind="API_KEY",  # Twilio's; apart, since "ac" is in every third text
                pattern=r"(?<![A-Za-z0-9_\-])(?:AC|SK)[0-9a-f]{32}(?![A-Za-z0-9])",
                score=1.0,
                check=lambda text: None if len(set(text[6:])) > 4 else False,
                digits=4,
                hints=("ac", "sk"),
                run=34,
                flags=0,
            ),
            Rule(
                kind="CONNECTION_STRING",
                pattern=r"\b(?:[a-z][a-z0-9+.\-]{1,30})://[^\s/:@\"'<>]{0,128}:[^\s/@\"'<>]{1,256}@[^\s\"'<>]{1,500}",
                score=1.0,
                hints=("://",),
                check=lambda text: False if text.lower().startswith(("http://", "https://")) else None,
            ),
            Rule(
                kind="CONNECTION_STRING",
                pattern=r"(?:AccountKey|SharedAccessKey|SharedAccessSignature|sig)=(?P<v>[A-Za-z0-9+/%=]{20,200})",
                score=1.0,
                hints=("key=", "sig=", "signature="),
            ),
            Rule(
                kind="BEARER_TOKEN",
                pattern=r"\b(?:bearer|basic|token)\s{1,3}(?P<v>(?=[A-Za-z0-9._~+/=\-]{0,60}\d)[A-Za-z0-9._~+/\-]{12,4000}={0,2})",
                score=0.9,
                hints=("bearer ", "basic ", "token "),
                reach=4_100,
                check=_secret,
            ),
            Rule(
                kind="PASSWORD",
                pattern=r"(?<![A-Za-z])(?:[A-Za-z0-9]{1,24}[_\-.])?(?:password|passwd|passphrase|pwd|passcode|secret|"
                r"api[_\- ]?key|apikey|"
                r"access[_\- ]?key(?:[_\- ]?id)?|secret[_\- ]?(?:access[_\- ]?)?key|client[_\- ]?secret|"
                r"auth[_\- ]?token|access[_\- ]?token|"
                r"refresh[_\- ]?token|private[_\- ]?key|session[_\- ]?id)[\"']?\s{0,3}(?::|=|=>|"
                r":=)\s{0,3}[\"']?(?P<v>(?<=\")[^\"\s]{4,256}(?=\")|(?<=')[^'\s]{4,256}(?=')|"
                r"(?:[^\s\"',;&<>]|&(?!\w{1,40}=)){4,256})",
                score=0.9,
                check=_secret,
                hints=("pass", "pwd", "secret", "key", "token", "session"),
            ),
            Rule(
                kind="PASSWORD",
                pattern=r"\b(?:pass?w(?:or|ro|r|o)?d|passwd|passphrase|passcode|pin(?: code)?|pwd)\b(?: (?:is|was|to|"
                r"changed to|"
                r"set to|should be|now))+\s{0,2}"
                r"[\"'`]?(?P<v>[^\s\"'`,]{4,64})",
                score=0.8,
                check=strong,
                hints=("pas", "pin", "pwd"),  # "pasword", as people write it
            ),
            Rule(
                kind="PASSWORD",  # without a colon: "password Maple!Otter-2291"
                pattern=r"\b(?:password|passwort|passwd|passphrase|passcode|pwd|pw)\s{1,2}[\"'`(]?(?P<v>[^\s\"'`,;()<>]{6,64})",
                score=0.7,
                check=bare,
                hints=("pass", "pwd", "pw"),
            ),
            Rule(
                kind="PASSWORD",  # "pin 992018#"
                pattern=r"\b(?:pin|passcode|access code)\s{1,2}(?P<v>(?!(?:19|20)\d\d\b)\d{4,10}[#*]?|"
                r"\d{4}[#*])(?![\w%€$£/:\-]|[.,]\d)"
                r"(?! [a-z]{2,12}s\b)",
                score=0.7,
                hints=("pin", "code"),
                digits=4,
            ),
            Rule(
                kind="API_KEY",
                pattern=r"(?<![A-Za-z])(?:token|auth|credential|apitoken)[\"']?\s{0,2}[:=]\s{0,2}[\"']?"
                r"(?P<v>(?=[A-Za-z_\-]{0,63}\d)[A-Za-z0-9_\-.]{12,400})(?![A-Za-z0-9])",
                score=0.8,
                hints=("token", "auth", "credential"),
                check=lambda text: None if sum(map(str.isdigit, text)) >= 3 and len(set(text)) > 5 else False,
            ),
            Rule(
                kind="PASSWORD",
                pattern=r"\bpin\b(?: (?:code|number))?\s{0,2}(?:is|:|=)\s{0,2}(?P<v>\d{4,8})\b",
                score=0.8,
                hints=("pin",),
                digits=4,
            ),
            Rule(
                kind="API_KEY",
                pattern=r"(?<![A-Za-z0-9+/=_\-])(?=[A-Za-z0-9+/_\-]{0,39}\d)(?=[A-Za-z0-9+/_\-]{0,39}[A-Z])[A-Za-z0-9+/_\-]{32,64}={0,2}"
                r"(?![A-Za-z0-9+/=_\-])",
                context=r"secret|api[_ \-]?key|\btoken\b|credential|\baws\b|auth|password",
                hints=("secret", "key", "token", "credential", "aws", "auth", "password"),
                flags=0,
                after=0,
            ),
        ],
    )
