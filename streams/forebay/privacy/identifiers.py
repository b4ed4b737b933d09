"""Which identifiers prove themselves? Those with check digits, and those whose form is nothing else.

For the last check (:mod:`forebay.privacy.egress`): few false alarms matter more here than the last hit, since a hit
stops a request. Context and doubtful forms are the redaction stage's business.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator

_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_B32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


_ISSUERS = (
    (4000, 4999, (13, 16, 19)), (5100, 5599, (16,)), (2221, 2720, (16,)), (3400, 3499, (15,)), (3700, 3799, (15,)),
    (3000, 3059, (14,)), (3600, 3699, (14,)), (3800, 3899, (14,)), (3528, 3589, (16,)), (6011, 6011, (16,)),
    (6200, 6299, (16, 17, 18, 19)), (6440, 6599, (16,)), (2200, 2204, (16,)),
)  # fmt: skip
"""First and last four digits of each range, and how many digits its cards have."""


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def _card(text: str) -> bool:
    """ISO/IEC 7812: digits of an issuer's range, as many as it issues, check digit by Luhn.

    Debit cards of the ranges 50, 56 to 58 and most of 6 are not known by their numbers; thirteen digits that are an
    article's too are no card's.
    """
    number = _digits(text)
    if not 13 <= len(number) <= 19 or len(set(number)) == 1:
        return False
    prefix = int(number[:4])
    for low, high, lengths in _ISSUERS:
        if low <= prefix <= high and len(number) in lengths:
            break
    else:
        return False
    if len(number) == 13 and (sum(map(int, number[0::2])) + 3 * sum(map(int, number[1::2]))) % 10 == 0:
        return False
    return sum(map(int, number[::-2] + number[-2::-2].translate(_TWICE))) % 10 == 0


_TWICE = {ord(str(digit)): str(sum(divmod(2 * digit, 10))) for digit in range(10)}
"""A digit to the sum of the digits of twice as much."""


def _iban(text: str) -> bool:
    """ISO 13616: 97 divides with remainder 1; a short word behind it may have been taken for its end."""
    return _divides(text) or _divides(text.rpartition(" ")[0])


def _divides(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    return len(compact) >= 15 and int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def _ssn(text: str) -> bool:
    """US Social Security: areas, groups and serials that are not issued do not count."""
    area, group, serial = re.split(r"[-.\s]+", text)
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _base58(text: str) -> bool:
    """Four bytes of double SHA-256 at the end (Bitcoin and kin)."""
    value = 0
    for char in text:
        value = value * 58 + _B58.index(char)
    if value >= 1 << 200:
        return False
    data = value.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def _bech32(text: str) -> bool:
    """BIP 173 and BIP 350."""
    prefix, _, body = text.lower().rpartition("1")
    if any(char not in _B32 for char in body):
        return False
    low = [ord(char) & 31 for char in prefix]
    state = 1
    for value in [*(ord(char) >> 5 for char in prefix), 0, *low, *(_B32.index(char) for char in body)]:
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= term if top >> bit & 1 else 0
    return state in (1, 0x2BC830A3)


def _phone(text: str) -> bool:
    """Seven to fifteen digits (ITU-T E.164), not all the same."""
    numbers = _digits(text)
    return 8 <= len(numbers) <= 15 and len(set(numbers)) > 1


def _any(_: str) -> bool:
    return True


def _varied(text: str) -> bool:
    """Not a placeholder such as ``sk-xxxxxxxx``."""
    return len(set(text[6:])) > 5


_KEY = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{20,80}|"
    r"(?:sk|rk)_live_[A-Za-z0-9]{20,90}|sk-(?:proj-|ant-)?[A-Za-z0-9_-]{24,160}|AIza[0-9A-Za-z_-]{35}|glpat-[\w-]{20}"
)

_NINO = r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
_FORMS: dict[str, tuple[str, str, int, Callable[[str], bool]]] = {
    "CREDIT_CARD": ("0", r"(?<![\w.,-])(?<!\d )\d(?:[ .-]?\d){12,18}(?![\w])", 0, _card),
    "CREDIT_CARD ": ("0", r"(?:(?<=[A-Za-z_.,-])|(?<=\d ))(?=(\d{4}([ -])\d{4}\2\d{4}\2\d{4})(?!\d))", 0, _card),
    "IBAN_CODE": ("0", r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?!\w)", 0,
                  _iban),
    "US_SSN": ("0", r"(?<![\w.-])(?:\d{3}-\d\d-|\d{3}\.\d\d\.|(?<!\d )\d{3} \d\d )\d{4}(?![\w-]|\.\d| \d)", 0, _ssn),
    "EMAIL_ADDRESS": ("@", r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,18}\b", 0,
                      _any),
    "PHONE_NUMBER": ("0", r"(?<![\w+])\+[1-9]\d{0,2}(?:[ -]\(?\d{2,8}\)?){2,4}(?![\w-])", 0, _phone),
    "MAC_ADDRESS": (":", r"(?<![\w:-])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![\w:-])", re.IGNORECASE,
                    lambda text: len(set(text)) > 4),
    "UK_NINO": ("0", rf"(?<![A-Z0-9]){_NINO} ?(?:\d\d ?){{3}}[A-D](?!\w)", 0, _any),
    "CRYPTO": ("", r"(?<![A-Za-z0-9])[13][1-9A-HJ-NP-Za-km-z]{25,33}(?![A-Za-z0-9])", 0, _base58),
    "CRYPTO ": ("1", r"(?<![A-Za-z0-9])bc1[02-9ac-hj-np-z]{20,71}(?![A-Za-z0-9])", re.IGNORECASE, _bech32),
    "CRYPTO  ": ("0x", r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![0-9a-fA-F])", 0, lambda t: len(set(t)) > 6),
    "API_KEY": ("", rf"(?<![A-Za-z0-9_-])(?:{_KEY})(?![A-Za-z0-9])", 0, _varied),
    "PRIVATE_KEY": ("-----BEGIN", r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----", 0, _any),
    "JWT": ("eyJ", r"(?<![\w-])eyJ[\w-]{12,4000}\.eyJ[\w-]{12,8000}\.[\w-]{16,4000}", 0, _any),
    "CONNECTION_STRING": ("://", r"\b[a-z][a-z0-9+]{1,20}://[\w.-]{1,64}:[^\s/@\"'<>]{3,128}@[\w.-]{3,200}", 0, _any),
}  # fmt: skip
"""Kind: a character or piece without which it cannot be (``0`` for a digit), its form, and its proof.

The identifier is the form's first group, if it has groups: a look-ahead sees also what begins inside another number.
"""

IDENTIFIERS = tuple(sorted({kind.strip() for kind in _FORMS}))
"""All kinds."""
_COMPILED = [
    (kind.strip(), need, re.compile(form, flags), proof) for kind, (need, form, flags, proof) in _FORMS.items()
]
_DIGIT = re.compile(r"\d")


def kinds_in(text: str, kinds: Collection[str]) -> Iterator[str]:
    """Kinds of the identifiers in ``text``, one for each of them."""
    numeric = _DIGIT.search(text) is not None
    for kind, need, form, proof in _COMPILED:
        if kind in kinds and (numeric if need == "0" else need in text):
            for match in form.finditer(text):
                if proof(match[1] if form.groups else match[0]):
                    yield kind
