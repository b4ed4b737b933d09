"""Is a number what it looks like? Check digits, which make a finding certain: one random number in ten or more passes.

Each function takes the text as found, with its blanks and dashes, and ignores what is no letter or digit.
"""

import hashlib
import re
import socket
from functools import reduce
from operator import xor

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip
"""Length of an IBAN by country (SWIFT IBAN registry)."""

_LOOPBACK = 127
_NOBODYS = (bytes(16), bytes(15) + b"\1")
"""Unspecified and loopback."""
_BASE58 = {char: value for value, char in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {char: value for value, char in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_GENERATED = [
    reduce(xor, (generator for bit, generator in enumerate(_GENERATORS) if top >> bit & 1), 0) for top in range(32)
]
"""What each top of BIP 173's check adds: looked up, since whole texts can be made of such addresses."""
# Issuers' ranges (ISO/IEC 7812) with their lengths: Visa; Mastercard; Amex; Diners; JCB; Discover,
# UnionPay and RuPay; Mir.
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|"
    r"3(?:0[0-59]|[689]\d)\d{11,16}|35\d{14,17}|(?:1800|2131)\d{11}|6(?:011|4[4-9]\d|5\d\d|2\d\d|0\d\d)\d{12,15}|"
    r"8[12]\d{14,17}|220[0-4]\d{12,15}"
)
_NO_DIGIT = re.compile("[^0-9]+")
_DOUBLED = str.maketrans("0123456789", "0246813579")
"""Twice a digit, and the sum of its digits."""
_MAESTRO = re.compile(r"(?:50|5[6-8]|6\d)\d{10,17}")


def digits(text: str) -> str:
    """The decimal digits of ``text``."""
    return _NO_DIGIT.sub("", text)


def luhn(text: str) -> bool:
    """ISO/IEC 7812 check digit."""
    number = digits(text)
    return sum(map(int, number[-1::-2] + number[-2::-2].translate(_DOUBLED))) % 10 == 0


def card(text: str) -> bool:
    """A payment card: an issuer's range and length, Luhn.

    Thirteen digits that are also an article's (EAN-13) prove nothing: no card has had so few since the 1990s, and one
    of ten German articles (400 to 440) would be one of Visa's.
    """
    number = digits(text)
    if _CARD.fullmatch(number) is None or len(set(number)) == 1 or not luhn(number):
        return False
    return len(number) != 13 or not ean(number)


def maestro(text: str) -> bool:
    """A debit card of 12 to 19 digits: so wide a range that a word must say that it is a card."""
    number = digits(text)
    return _MAESTRO.fullmatch(number) is not None and len(set(number)) > 1 and luhn(number)


def ean(number: str) -> bool:
    """Check digit of an article number (GTIN) of 13 digits."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(number)) % 10 == 0


def iban(text: str) -> bool:
    """ISO 13616: the country's length, and 97 divides the rearranged number with remainder 1."""
    compact = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    if len(compact) != IBAN_LENGTHS.get(compact[:2]) or not compact[2:4].isdigit():
        return False
    return _divides(compact)


def iban_of_any_length(text: str) -> bool:
    """As :func:`iban`, of a country that is not known, or with a part missing; the last word may be none of it."""
    return any(
        len(compact) >= 15 and _divides(compact)
        for compact in (part.replace(" ", "").upper() for part in (text, text.rpartition(" ")[0]))
    )


def _divides(compact: str) -> bool:
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def aba(text: str) -> bool:
    """US routing number: weights 3, 7, 1 and a Federal Reserve district."""
    number = digits(text)
    if len(number) != 9 or not (number[:2] <= "12" or "21" <= number[:2] <= "32" or "61" <= number[:2] <= "72"):
        return False
    return number != "0" * 9 and sum(int(d) * w for d, w in zip(number, (3, 7, 1) * 3, strict=True)) % 10 == 0


def nhs(text: str) -> bool:
    """UK NHS number: modulus 11."""
    number = digits(text)
    if len(number) != 10 or len(set(number)) == 1:
        return False
    check = 11 - sum(int(d) * w for d, w in zip(number[:9], range(10, 1, -1), strict=True)) % 11
    return check % 11 == int(number[9]) and check != 10


def base58check(text: str) -> bool:
    """Bitcoin and kin: base 58 with four bytes of double SHA-256."""
    value = 0
    for char in text:
        if char not in _BASE58:
            return False
        value = value * 58 + _BASE58[char]
    if value >= 1 << 200:
        return False
    data = value.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def bech32(text: str) -> bool:
    """Bitcoin witness addresses (BIP 173, BIP 350)."""
    low = text.lower()
    prefix, _, body = low.rpartition("1")
    if not prefix or len(body) < 6 or any(char not in _BECH32 for char in body):
        return False
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_BECH32[c] for c in body]
    check = 1
    for value in values:
        check = (check & 0x1FFFFFF) << 5 ^ value ^ _GENERATED[check >> 25]
    return check in (1, 0x2BC830A3)


def ip(text: str) -> bool:
    """An address that can be somebody's: neither loopback nor unspecified."""
    address = text.partition("/")[0].partition("%")[0]
    try:
        # Not the module ipaddress, which takes 10 µs to refuse one: whole texts can be made of them.
        packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return False
    return any(packed) and packed[0] != _LOOPBACK if len(packed) == 4 else packed not in _NOBODYS


def imei(text: str) -> bool:
    """Device number: 15 digits, Luhn."""
    return len(digits(text)) == 15 and luhn(text)
