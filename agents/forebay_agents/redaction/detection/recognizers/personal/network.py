"""Machines that lead to people: addresses of the Internet and of devices."""

import re

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.recognizers.identifiers import checksums
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_TLDS = sorted(
    listed(
        "com org net edu gov mil int info biz io co ai app dev me tv eu us uk ca au nz ie de at ch fr be nl es it pt "
        "se no dk fi pl cz ru ua gr tr jp cn kr in br mx ar za shop store online site xyz blog cloud tech club ly "
        "gl gd cc"
    )
)
_BLANK = r"\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""As ``\\s``, but as a set of characters, in which the engine looks up a character in half the time."""
_BARE_TLD = f"(?:{'|'.join(_TLDS)})"


def _ip6(text: str) -> bool:
    """With a digit or several groups: ``a::b`` is a name in C++."""
    plain = text.count(":") >= 2 and (any(map(str.isdigit, text)) or text.count(":") > 3)
    return plain and checksums.ip(text)


def network() -> RuleRecognizer:
    """Recogniser of network identifiers."""
    return RuleRecognizer(
        "network",
        [
            Rule(
                kind="URL_CREDENTIALS",
                pattern=r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@\"'<>]{1,128}:[^\s/@\"'<>]{1,128}@"
                rf"(?=[^{_BLANK}\"'<>]{{1,2003}}+(?:[\s\"'<>]|$))"
                r"[^\s\"'<>]{1,2000}?(?=[.,;:!?)]{0,3}(?:[\s\"'<>]|$))",
                score=1.0,
                reach=2200,
                hints=("://",),
            ),
            Rule(
                kind="URL",
                pattern=r"\b(?:https?|ftp|sftp|file|wss?)://"
                # Whether it ends is asked first: the lazy search for the end costs ten times as much for a character.
                rf"(?=[^{_BLANK}\"'<>\[\]{{}}|\\^`]{{1,2003}}+(?:[\s\"'<>\[\]{{}}|\\^`]|$))"
                r"[^\s\"'<>\[\]{}|\\^`]{1,2000}?(?=[.,;:!?)]{0,3}(?:[\s\"'<>\[\]{}|\\^`]|$))",
                score=0.8,
                hints=("://",),
                reach=2200,
            ),
            Rule(
                kind="URL",
                pattern=r"(?<![\w@./\-])www\d?\.[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,6}(?:/[^\s\"'<>]{0,1000})?",
                score=0.7,
                hints=("www",),
                reach=1200,
            ),
            Rule(
                kind="URL",
                pattern=rf"(?<![\w@./\-])(?:[a-z0-9][a-z0-9\-]{{0,62}}\.){{1,4}}{_BARE_TLD}(?:/[^\s\"'<>,;)]{{0,1000}})?(?![\w\-@]|\.\w)",
                score=0.6,
                hints=tuple(f".{tld}" for tld in _TLDS),
                reach=1200,
            ),
            Rule(
                kind="IP_ADDRESS",
                pattern=r"(?<![\w.\-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|\[\.\]|\(\.\))){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
                r"(?:/\d{1,2})?(?![\w\-]|\.\d)",
                check=lambda text: checksums.ip(re.sub(r"[\[\]()]", "", text)),
                unless=r"version|\brelease\b|\bsection\b|\bbuild\b|kernel|chapter|firmware|\bclause\b|\bpackage\b",
                digits=4,
                before=16,
                after=0,
            ),
            Rule(
                kind="IP_ADDRESS",
                pattern=r"(?<![\w:.])(?=[0-9a-f]{0,4}:)[0-9a-f:]{3,39}(?:(?:\d{1,3}\.){3}\d{1,3})?(?:%\w{1,12})?(?:/\d{1,3})?(?![\w:])",
                check=_ip6,
                hints=("::", ":"),
            ),
            Rule(
                kind="MAC_ADDRESS",
                # One scan: as three alternatives it took three times as long.
                pattern=r"(?<!\w)[0-9a-f]{2}(?:(?<![:\-]..)(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5})(?![\w:\-])|"
                r"[0-9a-f]{2}(?<!\.....)\.[0-9a-f]{4}\.[0-9a-f]{4}(?![\w.]))",
                score=0.95,
                check=lambda text: None if len(set(text.lower())) > 2 else False,
            ),
            Rule(
                kind="MAC_ADDRESS",
                pattern=r"(?<![\w:\-])(?=[0-9a-f]{0,11}\d)[0-9a-f]{12}(?![\w:\-])",
                context=r"\bmac\b|hwaddr|ethernet",
                hints=("mac", "hwaddr", "ethernet"),
                before=24,
                after=0,
            ),
            Rule(
                kind="IMEI",
                pattern=r"(?<![\d\-])\d{2}[ \-]?\d{6}[ \-]?\d{6}[ \-]?\d(?![\d\-])",
                check=lambda text: None if checksums.imei(text) else False,
                context=r"\bimei\b|\bdevice\b|handset",
                hints=("imei", "device", "handset"),
                digits=15,
            ),
        ],
    )
