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
_QUOTES, _BRACED = "\"'<>", r"\[\]{}|\\^`"
_STOPS = ".,;:!?)"


def _rest(without: str) -> str:
    """Pattern of what goes on until a blank or one of ``without``, but for the marks at its end: "(see https://a.b/)."

    Each mark is taken with what follows it. A search for the end from every place costs its length each time.
    """
    return rf"(?:[{_STOPS}]{{0,30}}+[^{_BLANK}{without}{_STOPS}]{{1,250}}+){{1,500}}"


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
_NO_BRACKETS = dict.fromkeys(map(ord, "[]()"))
_LONGEST_PIN = 26
"""Characters of the longest program's name with what follows it, and one before it."""
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
    if not _PINS.isdisjoint(before[-2:]) and _PINNED.search(before[-_LONGEST_PIN:]):
        return False
    before = before.lower()
    for word in _IN_VERSION:
        if word in before:
            break
    else:
        return True
    while listed_before := _OTHERS.search(before):
        before = before[: listed_before.start()]
    return not _VERSION.search(before) or _ADDRESSED.search(before) is not None


def _ip4(text: str) -> bool:
    """Also as it is written where nothing shall make a link of it: ``192[.]0[.]2[.]1``."""
    return checksums.ip(text.translate(_NO_BRACKETS))


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
                pattern=r"\b[a-z][a-z0-9+.\-]{1,20}+://[^\s/:@\"'<>]{1,128}+:[^\s/@\"'<>]{1,128}+@"
                rf"{_rest(_QUOTES)}",
                score=1.0,
                reach=2200,
                hints=("://",),
            ),
            Rule(
                kind="URL",
                pattern=r"\b(?:https?|ftp|sftp|file|wss?)://"
                rf"{_rest(_QUOTES + _BRACED)}",
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
                check=_ip4,
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
