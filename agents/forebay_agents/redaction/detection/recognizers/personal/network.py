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


_VERSION = re.compile(
    r"(?:versi|\bver\b|release|\bsection|\bbuild\b|kernel|chapter|firmware|\bclause|package|\bv\b|assembly|upgrad|"
    r"updat|\bbump|\bpatch|install|downgrad|verzi|wersj|sürüm|верси|версі|phiên bản|バージョン|版本|버전|"
    r"الإصدار|גרסה|"
    r"aktualisier|mise à jour|actualiz|aggiorn|atualiz|\brpm\b|\bdeb\b|\bpip\b|\bnpm\b|\bjar\b|§)"
    r"[^\n]{0,40}\Z"
)
"""A word for versions and sections, not far before."""
_ADDRESSED = re.compile(
    r"\b(?:ip|ips|host|hosts|server|servers|address|ping|dns|gateway|node|proxy|machine|at|on|onto|via|ssh|"
    r"with)\W{0,3}\Z"
)
"""What stands right before an address, in whatever sentence."""
_PINNED = re.compile(r"(?:[=<>~!]=|[<>^~]|(?<![\w/])[A-Z]\w{1,20}/)[ \"']?\Z")
"""``foo==1.2.3.4``, ``>=2.0.0.1``, ``Chrome/120.0.99.109``."""
_PINS = frozenset("=<>^~/")
"""One of these is among the last two characters of each of them."""
_OTHERS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?:['’]\w{1,4})?[ ,/–→>\-]{1,3}(?:\w{1,6} ){0,2}\Z")
"""Another number of the kind before it, of which it may be one of a list: "from version 2.0.0.14 to 2.0.0.15"."""
_BACK = 56
_IN_VERSION = listed(
    "v release section build kernel chapter firmware clause package assembly grad updat bump patch install wersj "
    "sürüm верси версі phiên バージョン 版本 버전 الإصدار גרסה aktualisier mise actualiz aggiorn atualiz rpm deb pip "
    "npm jar §"
)
"""One of these is in every word for a version: without it the search for the words, 30 us, is spared."""


def _no_version(text: str, start: int, end: int) -> bool:
    """Whether four numbers with dots between them are no version: no word for one before, or one for an address."""
    before = text[max(0, start - _BACK) : start]
    if not _PINS.isdisjoint(before[-2:]) and _PINNED.search(before):
        return False
    before = before.lower()
    if not any(word in before for word in _IN_VERSION):
        return True
    while listed_before := _OTHERS.search(before):
        before = before[: listed_before.start()]
    return not _VERSION.search(before) or _ADDRESSED.search(before) is not None


_SLICED = re.compile(r"[\w\])]\[[^\[\]\n]{0,40}\Z")
"""``names[1::2]``: what is indexed stands before the bracket."""
_TELLING_GROUPS = 4


def _ip6(text: str) -> bool:
    """Several groups, or one of three digits and more: ``a::b`` is a name in C++, ``1::2`` a slice."""
    groups = [group for group in text.split("%")[0].split("/")[0].split(":") if group]
    telling = len(groups) >= _TELLING_GROUPS or any(len(group) > 2 and any(map(str.isdigit, group)) for group in groups)
    return text.count(":") >= 2 and (telling or text.startswith(_PREFIXES)) and checksums.ip(text)


_PREFIXES = ("fe80:", "fc00:", "fd00:", "ff02:")


def _no_slice(text: str, start: int, end: int) -> bool:
    low = max(0, start - 42)
    return text.find("[", low, start) < 0 or not _SLICED.search(text, low, start)


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
                pattern=r"(?<![\w.\-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|\[\.\]|\(\.\))){3}(?:25[0-5]|2[0-4]\d|"
                r"1?\d?\d)"
                r"(?:/\d{1,2})?(?![\w\-]|\.\d)",
                check=lambda text: checksums.ip(re.sub(r"[\[\]()]", "", text)),
                around=_no_version,
                digits=4,
                shapes=("9.9", "9[.]9", "9(.)9"),
            ),
            Rule(
                kind="IP_ADDRESS",
                pattern=r"(?<![\w:.])(?=[0-9a-f]{0,4}:)[0-9a-f:]{3,39}(?:(?:\d{1,3}\.){3}\d{1,3})?(?:%\w{1,12})?(?:/\d{1,3})?(?![\w:])",
                check=_ip6,
                around=_no_slice,
                hints=(":",),
            ),
            Rule(
                kind="MAC_ADDRESS",
                # One scan: as three alternatives it took three times as long.
                pattern=r"(?<!\w)[0-9a-f]{2}(?:(?<![:\-]..)(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5})(?![\w:\-])|"
                r"[0-9a-f]{2}(?<!\.....)\.[0-9a-f]{4}\.[0-9a-f]{4}(?![\w.]))",
                score=0.95,
                check=lambda text: None if len(set(text.lower())) > 2 else False,
                shapes=("ww:ww:ww", "ww-ww-ww", "wwww.wwww.wwww"),
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
