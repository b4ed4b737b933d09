"""Which argument of a command is a password? ``mysql -p…``, ``curl -u user:…``, ``IDENTIFIED BY …``, ``sudo -S``.

In a shell nothing says "password" before it: the program and its option do. So each rule begins with programs whose
option is known, and takes what stands there, if it is no variable and no placeholder.
"""

import re

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer
from forebay_agents.redaction.detection.recognizers.secrets.strength import secret

_KIND = "PASSWORD"
_SCORE = 0.95
_V = r"[\"']?(?P<v>(?<=\")[^\"\n]{3,128}(?=\")|(?<=')[^'\n]{3,128}(?=')|(?<![\"'])(?![\-$%<>])[^\s\"'|;<>()]{3,128})"
"""A quoted argument, or one without blanks; no other option, no variable."""
_FAR = r"[^\n|;]{0,160}?"
"""The rest of a command up to an option."""
_MYSQL = r"(?:mysql(?:dump|admin|import|check|sh|pump|slap|_upgrade|binlog)?|mariadb(?:-\w{2,12})?|7z[arz]?|rar|unrar)"
_SMALL_P = (
    r"(?:sshpass|mongo(?:sh|dump|restore|export|import|stat|top)?|cqlsh|usql|twine|useradd|usermod|influx|cadaver|"
    r"(?:docker|podman|nerdctl|buildah|skopeo|crane|registry|oc|az|cf|ibmcloud|eb|gh|npm|acr)\s(?:[\w\-]{1,20}\s){0,2}"
    r"(?:login|auth))"
)
_LARGE_P = r"(?:sqlcmd|bcp|osql|isql|tsql|unzip|zip|ipmitool|zipcloak|ncrack)"
_LDAP = r"(?:ldap(?:search|modify|add|delete|passwd|whoami|compare|modrdn))"
_REDIS = r"(?:(?:redis|valkey|keydb)-(?:cli|benchmark))"
_FED = (
    r"(?:sudo\s(?:-\w{1,8}\s){0,3}?-\w{0,4}S|chpasswd|passwd\s--stdin|cryptsetup|kinit|su\b|openssl|gpg\d?|"
    r"[a-z]{2,12}\s[^\n|;]{0,120}?(?:--password-stdin|--passphrase-fd|--stdin|--with-token))"
)
_NO_VALUE = re.compile(
    r"(?i)(?:is|are|was|option|options|flag|flags|argument|arguments|parameter|prompt|file|stdin|and|or|to|with|for|"
    r"from|"
    r"instead|only|on|in|the|if|when|should|does|not|as|via|works?|help|pass(?:word|wd|phrase)?|secret|token|"
    r"\w{0,12}user(?:name)?|"
    r"pass:?)[.,:;?!]{0,2}"
)
"""What stands behind an option in prose."""


def _argument(text: str) -> bool | None:
    """No placeholder, no word of a sentence about the option."""
    return False if _NO_VALUE.fullmatch(text) else secret(text)


def _rule(pattern: str, *hints: str, needs: str = "", flags: int = 0) -> Rule:
    return Rule(
        kind=_KIND, pattern=pattern, score=_SCORE, check=_argument, hints=hints, needs=needs, flags=flags, reach=360
    )


def commands() -> RuleRecognizer:
    """Recogniser of passwords in commands and in SQL."""
    return RuleRecognizer(
        "commands",
        [
            _rule(  # curl -u user:…, http -a user:…
                r"\b(?:curl|https?|xhs?|wget|httpie|lftp|lwp-request)\s"
                rf"{_FAR}(?<=\s)(?:-[uUa]|--(?:proxy-)?user|--auth)[ =]{{0,2}}(?P<q>[\"'])?"
                r"[^\s:\"'/]{0,64}:(?P<v>(?(q)[^\"'\n]{3,128}|(?![$])[^\s\"'|;]{3,128}))",
                "curl", "http ", "https ", "xh ", "wget", "httpie", "lftp", needs=" -",
            ),
            _rule(
                rf"\b{_MYSQL}\s{_FAR}(?<=\s)-h?p(?=[^\s=]){_V}",
                "mysql", "mariadb", "7z", "rar ", needs="-p",
            ),
            _rule(
                rf"\b{_SMALL_P}\s{_FAR}(?<=\s)-p[ =]{{0,2}}{_V}",
                "sshpass", "mongo", "cqlsh", "usql", "twine", "user", "influx", "login", "auth", needs=" -p",
            ),
            _rule(rf"\b{_LARGE_P}\s{_FAR}(?<=\s)-P[ =]{{0,2}}{_V}", "sql", "bcp", "zip", "ipmitool", needs=" -p"),
            _rule(rf"\bssh-keygen\s{_FAR}(?<=\s)-[NP][ =]{{0,2}}{_V}", "ssh-keygen", needs=" -"),
            _rule(rf"\b{_LDAP}\s{_FAR}(?<=\s)-w[ =]{{0,2}}{_V}", "ldap", needs=" -w"),
            _rule(
                rf"\b{_REDIS}\s{_FAR}(?<=\s)(?:-a|--pass)[ =]{{1,2}}{_V}",
                "redis-", "valkey-", "keydb-", needs=" -",
            ),
            _rule(
                rf"(?:^|[\n>]\s?)(?:AUTH(?: [\w\-]{{1,32}}(?= \S))?|auth (?=[^\s\d]{{0,64}}\d)) {{0,2}}{_V}",
                "auth ",
            ),
            _rule(
                rf"\b(?:requirepass|masterauth|primaryauth|auth-pass \S{{1,64}}) {_V}",
                "requirepass", "masterauth", "primaryauth", "auth-pass",
            ),
            _rule(  # any program's long option; also keytool's and Java's
                r"(?<![\w\-])--?(?:[A-Za-z][\w\-]{0,24}?)?(?:password|passwd|passphrase|pass|pwd|secret|token|api-?key|"
                rf"access-?key)(?:=|\s{{1,2}}){_V}",
                "pass", "pwd", "secret", "token", "key", needs=" -", flags=re.IGNORECASE,
            ),
            _rule(rf"-pass(?:in|out)? {{1,2}}[\"']?pass:{_V}", "pass:"),
            _rule(
                r"\bIDENTIFIED\s{1,4}(?:WITH\s{1,4}[\w\"'`]{1,40}\s{1,4})?(?:BY|AS)(?:\s{1,4}PASSWORD)?\s{1,4}"
                rf"{_V}",
                "identified", flags=re.IGNORECASE,
            ),
            _rule(
                rf"\bPASSWORD\s{{0,4}}[=(]?\s{{0,4}}N?(?=[\"']){_V}", "password", needs="'", flags=re.IGNORECASE
            ),
            _rule(
                rf"\b(?:echo|printf|print)\s{{1,3}}(?:-\w{{1,3}}\s{{1,3}})?(?:[\"']%s(?:\\n)?[\"']\s)?"
                rf"{_V}[\"']?\s{{0,3}}\|\s{{0,3}}{_FED}",
                "echo ", "printf ", "print ", needs="|",
            ),
            _rule(rf"\b{_FED}[^\n|;<]{{0,120}}?<<<\s{{0,3}}{_V}", "<<<"),
            _rule(
                rf"\brabbitmqctl (?:add_user|change_password|authenticate_user) \S{{1,64}} {_V}",
                "rabbitmqctl",
            ),
            _rule(
                r"\bhtpasswd (?:-\w{1,8} ){0,4}-\w{0,6}b\w{0,6} (?:-\w{1,8} ){0,4}\S{1,128} \S{1,64} "
                rf"{_V}",
                "htpasswd",
            ),
            # A path in it may look like an escaped line break.
            _rule(rf"\bnet use [^\0]{{0,120}}?/user:\S{{1,80}} {_V}", "net use", flags=re.IGNORECASE),
            _rule(rf"(?<=\s)/p:{_V}", " /p:"),
            _rule(
                rf"\bsmb(?:client|get|map|passwd)\s{_FAR}-U\s{{0,2}}[\"']?[^\s%\"']{{1,64}}%"
                r"(?P<v>[^\s\"'|;]{3,128})",
                "smb", needs="%",
            ),
            _rule(
                r"(?:\bjdbc:oracle:\w{2,6}:|\b(?:sqlplus|sqlldr|rman(?: target)?|expdp|impdp)\s{1,2}"
                r"(?:-\w{1,4}\s{1,2}){0,3})[\"']?[\w$#]{1,30}/(?P<v>[^\s@/\"']{3,64})(?=@|[\"']?\s{0,2}(?:\n|$))",
                "jdbc:oracle", "sqlplus", "sqlldr", "rman", "expdp", "impdp", needs="/",
            ),
            _rule(rf"\bwpa_passphrase (?:\"[^\"\n]{{1,32}}\"|\S{{1,32}}) {_V}", "wpa_passphrase"),
            _rule(
                rf"\b(?:machine|default|login|account)\s{{1,4}}\S{{1,128}}\s{{1,8}}password\s{{1,4}}{_V}",
                "password",
            ),
        ],
    )  # fmt: skip
