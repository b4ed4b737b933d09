"""Passwords in pairs (``password=…``) and in sentences ("the password is …")."""

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer
from forebay_agents.redaction.detection.recognizers.secrets.strength import bare, phrase, secret, strong

_NAMES = (
    r"password|passwd|passphrase|passcode|pwd|passwort|kennwort|contraseñ?na|mot_?de_?passe|wachtwoord|senha|secret|"
    r"api[_\- ]?key|access[_\- ]?key(?:[_\- ]?id)?|secret[_\- ]?(?:access[_\- ]?)?key|client[_\- ]?secret|"
    r"(?:auth|access|refresh|api|bot|deploy|personal)[_\- ]?token|private[_\- ]?key|session[_\- ]?id"
)
_UNLIKE_WORDS = frozenset("0123456789#$%&*+=@^~!")


def passwords() -> RuleRecognizer:
    """Recogniser of passwords."""
    return RuleRecognizer(
        "passwords",
        [
            Rule(
                kind="PASSWORD",
                # What stands in front does not matter: PGPASSWORD, db.password, adminPassword.
                pattern=rf"(?:{_NAMES})[\"']?\s{{0,3}}(?::=|=>|[:=])\s{{0,3}}(?:N(?='))?(?:[\"']|\{{(?!\{{))?(?P<v>"
                r"(?<=\")[^\"\n]{4,256}(?=\")|(?<=')[^'\n]{4,256}(?=')|(?<=\{)[^{}\n]{4,128}(?=\})|"
                r"(?:[^\s\"',;&<>]|&(?!\w{1,40}=)){4,256})",
                score=0.9,
                check=phrase,
                hints=("pass", "pwd", "kennwort", "contrase", "wachtw", "senha", "secret", "key", "token", "session"),
            ),
            Rule(
                kind="PASSWORD",
                pattern=r"\b(?:pass?w(?:or|ro|r|o)?d|passwd|passphrase|passcode|pin(?: code)?|pwd)\b(?: (?:is|was|to|"
                r"changed to|"
                r"set to|should be|now))+\s{0,2}"
                r"[\"'`]?(?P<v>\d{4,64}(?=[.!?;:)]{0,3}(?:\s|\Z))|[^\s\"'`,]{4,64})",
                score=0.8,
                check=_stated,
                hints=("pas", "pin", "pwd"),  # "pasword", as people write it
            ),
            Rule(
                kind="PASSWORD",  # without a colon: "password Maple!Otter-2291"
                pattern=r"\b(?:password|passwort|passwd|passphrase|passcode|pwd|"
                r"pw)\s{1,2}[\"'`(]?(?P<v>[^\s\"'`,;()<>]{6,64})",
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
                kind="PASSWORD",
                pattern=r"\bpin\b(?: (?:code|number))?\s{0,2}(?:is|:|=)\s{0,2}(?P<v>\d{4,8})\b",
                score=0.8,
                hints=("pin",),
                digits=4,
            ),
            Rule(
                kind="PASSWORD",  # variables: DB_PASS=…, NPM_TOKEN=…, SMTP_AUTH=…
                pattern=r"(?<![A-Za-z0-9])[A-Z][A-Z0-9_]{0,40}_?(?:PASS|PW|PSK|PWD|TOKEN|SECRET|AUTH|KEY|PAT|"
                r"CREDENTIALS?|SALT|"
                r"PEPPER|DSN)\s{0,2}[:=]\s{0,2}[\"']?(?P<v>(?<=\")[^\"\n]{5,256}(?=\")|(?<=')[^'\n]{5,256}(?=')|"
                r"[^\s\"',;&<>]{5,256})",
                score=0.8,
                check=_variable,
                hints=("pass", "pw", "psk", "token", "secret", "auth", "key", "pat", "cred", "salt", "pepper", "dsn"),
                flags=0,
            ),
            Rule(
                kind="PASSWORD",  # <add key="DbPassword" value="…"/>, {"name": "DB_PASSWORD", "value": "…"}
                pattern=rf"(?:name|key|"
                rf"id)[\"']?\s{{0,2}}[=:]\s{{0,2}}[\"'][\w.\-]{{0,40}}?(?:{_NAMES})[\w.\-]{{0,12}}[\"'],?\s{{1,4}}"
                r"[\"']?value[\"']?\s{0,2}[=:]\s{0,2}[\"']?(?P<v>[^\"'\n<>]{4,256})",
                score=0.9,
                check=phrase,
                hints=("value",),
            ),
            Rule(
                kind="PASSWORD",  # <password>…</password>
                pattern=rf"<[\w:.\-]{{0,40}}?(?:{_NAMES})[\w.\-]{{0,12}}>\s{{0,4}}(?P<v>[^\s<>][^\n<>]{{2,255}})</",
                score=0.9,
                check=phrase,
                hints=("</",),
            ),
            Rule(
                kind="PASSWORD",  # HCL: variable "db_password" { default = "…" }
                pattern=rf"[\"'][\w.\-]{{0,40}}?(?:{_NAMES})[\w.\-]{{0,12}}[\"']\s{{0,3}}\{{[^{{}}]{{0,200}}?\bdefault\s{{0,4}}=\s{{0,4}}"
                r"[\"'](?P<v>[^\"'\n]{4,256})",
                score=0.9,
                check=phrase,
                hints=("default",),
                reach=20,
            ),
        ],
    )


def _stated(text: str) -> bool | None:
    """As :func:`strong`; a number that is said to be one is one: what ends its sentence is not in it."""
    return secret(text) if text.isdigit() else strong(text)


def _variable(text: str) -> bool | None:
    """Letters and digits or signs, and no path, number, address of a machine, or list of words."""
    if phrase(text) is False or text.isalpha() or text[0] in "/.$~" or "://" in text or "(" in text:
        return False
    return None if any(map(str.isalpha, text)) and not _UNLIKE_WORDS.isdisjoint(text) else False
