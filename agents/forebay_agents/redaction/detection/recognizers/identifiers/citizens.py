"""Is a number one that a state of Europe gave to somebody? Check digits and dates, by the state's own rules.

Each function takes the text as found and ignores what is no letter or digit. How many random numbers of the form pass
is said where it matters: a check digit alone lets one of ten or eleven through, a date of birth one of 27 (month and
day) or of 90 and more (with a century).
"""

from collections.abc import Sequence
from datetime import date

from forebay_agents.redaction.detection.recognizers.identifiers.checksums import digits, luhn

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415",
               "7046913258")  # fmt: skip
_LATEST = date.today().year  # noqa: DTZ011 - a year is enough


def weighted(number: str, weights: Sequence[int]) -> int:
    """Sum of the first digits of ``number``, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def day(month: str, of_month: str) -> bool:
    """Whether there is such a day in some year."""
    return 1 <= int(month) <= 12 and 1 <= int(of_month) <= _DAYS[int(month) - 1]


def birthday(year: str, month: str, of_month: str) -> bool:
    """As :func:`day`, of a four-digit year in which somebody alive may be born."""
    return 1900 <= int(year) <= _LATEST and day(month, of_month)


def sweden(text: str) -> bool:
    """Personnummer and samordningsnummer (day + 60): date and Luhn. One of 270."""
    number = digits(text)[-10:]
    of_month = int(number[4:6])
    return luhn(number) and day(number[2:4], str(of_month - 60 if of_month > 60 else of_month))


def sweden_long(text: str) -> bool:
    """The same with its century. One of 2,500."""
    return text[:2] in ("19", "20") and sweden(text)


def denmark(text: str) -> bool:
    """CPR until 2007: date and modulus 11. One of 300; later numbers need a label."""
    number = digits(text)
    return day(number[2:4], number[:2]) and weighted(number, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def iceland(text: str) -> bool:
    """Kennitala: date, modulus 11, and the century as last digit. One of 1,000."""
    number = digits(text)
    return (
        day(number[2:4], number[:2]) and number[9] in "890" and weighted(number, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def finland(text: str) -> bool:
    """Henkilötunnus: date and modulus 31. One of 800."""
    number = digits(text[:6] + text[7:10])
    return day(number[2:4], number[:2]) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number) % 31] == text[10].upper()


def norway(text: str) -> bool:
    """Fødselsnummer and D-nummer (day + 40): date and two check digits. One of 3,000."""
    number = digits(text)
    of_month = int(number[:2])
    return (
        day(number[2:4], str(of_month - 40 if of_month > 40 else of_month))
        and weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def baltic(text: str) -> bool:
    """Isikukood and asmens kodas: century, date, modulus 11 in two passes. One of 450."""
    if text[0] not in "123456" or not day(text[3:5], text[5:7]):
        return False
    check = weighted(text, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(text, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return check == int(text[10])


def latvia(text: str) -> bool:
    """Personas kods until 2017: date, century, modulus 11. One of 900."""
    number = digits(text)
    check = (1101 - weighted(number, (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 % 10
    return day(number[2:4], number[:2]) and number[6] in "012" and check == int(number[10])


def poland(text: str) -> bool:
    """PESEL of the years 1900 to 2099: date and modulus 10. One of 140."""
    month = int(text[2:4])
    return day(str(month - 20 if month > 20 else month), text[4:6]) and (
        weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0
    )


def czechia(text: str) -> bool:
    """Rodné číslo from 1954: date (women month + 50), divisible by 11. One of 130, in a form of its own."""
    number = digits(text)
    month = int(number[2:4])
    month -= 50 if month > 50 else 0
    return day(str(month - 20 if month > 20 else month), number[4:6]) and (len(number) == 9 or int(number) % 11 == 0)


def romania(text: str) -> bool:
    """CNP: sex and century, date, county, modulus 11. One of 600. Born 1916 to 1918 is a time stamp."""
    return (
        text[0] in "12345678"
        and text[:2] != "17"
        and text[:2] not in ("16", "18")
        and day(text[3:5], text[5:7])
        and (1 <= int(text[7:9]) <= 48 or text[7:9] in ("51", "52", "70"))
        and weighted(text, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11 % 10 == int(text[12])
    )


def yugoslavia(text: str) -> bool:
    """JMBG, EMŠO, ЕМБГ: day, month, three digits of a year, modulus 11. One of 3,000."""
    check = (11 - weighted(text, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11
    year = int(text[4:7])
    return day(text[2:4], text[:2]) and (year >= 900 or year <= _LATEST - 2000) and check == int(text[12])


def greece(text: str) -> bool:
    """AMKA: date and Luhn. One of 270."""
    return day(text[2:4], text[:2]) and luhn(text)


def belgium(text: str) -> bool:
    """Rijksregisternummer: date and modulus 97, for births from 2000 with a 2 in front. One of 1,300."""
    number = digits(text)
    base, check = int(number[:9]), int(number[9:])
    return day(number[2:4], number[4:6]) and check in (97 - base % 97, 97 - (2_000_000_000 + base) % 97)


def france(text: str) -> bool:
    """NIR with its key: sex, month, modulus 97 (Corsica's letters stand for numbers). One of 500."""
    compact = "".join(char for char in text.upper() if char.isalnum())
    number = compact.replace("2A", "19").replace("2B", "18") if not compact.isdigit() else compact
    month = int(number[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and int(number[13:]) == 97 - int(number[:13]) % 97


def austria(text: str) -> bool:
    """Sozialversicherungsnummer, written as 4 + 6 digits: date and modulus 11. One of 300."""
    number = digits(text)
    check = weighted(number[:3] + number[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
    return number[0] != "0" and day(number[6:8], number[4:6]) and check == int(number[3])


def luxembourg(text: str) -> bool:
    """Matricule: date, Luhn and Verhoeff. One of 25,000."""
    return birthday(text[:4], text[4:6], text[6:8]) and luhn(text[:12]) and verhoeff(text[:11] + text[12])


def verhoeff(text: str) -> bool:
    """Verhoeff's check digit (Aadhaar): one of ten."""
    check = 0
    for place, char in enumerate(reversed(digits(text))):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[place % 8][int(char)])])
    return check == 0
