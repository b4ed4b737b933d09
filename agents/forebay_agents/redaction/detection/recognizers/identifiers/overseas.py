"""Is a number one that a state beyond Europe gave to somebody? As
:mod:`forebay_agents.redaction.detection.recognizers.identifiers.citizens`."""

from forebay_agents.redaction.detection.recognizers.identifiers.checksums import digits, luhn
from forebay_agents.redaction.detection.recognizers.identifiers.citizens import birthday, day, weighted


def china(text: str) -> bool:
    """GB 11643: region, date, ISO 7064 MOD 11-2. One of 20,000 random numbers."""
    if not birthday(text[6:10], text[10:12], text[12:14]) or text[0] not in "12345678":
        return False
    total = weighted(text, [2 ** (17 - place) % 11 for place in range(17)])
    return "10X98765432"[total % 11] == text[17].upper()


def brazil(text: str) -> bool:
    """CPF: two check digits. One of 100, in a form of its own."""
    number = digits(text)
    if len(set(number)) == 1:
        return False
    return all((weighted(number, range(count + 1, 1, -1)) * 10) % 11 % 10 == int(number[count]) for count in (9, 10))


def brazil_firm(text: str) -> bool:
    """CNPJ, which a sole trader has too: two check digits."""
    number, weights = digits(text), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return all((weighted(number[:n], weights[13 - n :]) * 10) % 11 % 10 == int(number[n]) for n in (12, 13))


def chile(text: str) -> bool:
    """RUT: modulus 11 with a K for 10."""
    number = digits(text[:-1])
    total = sum(int(char) * (2 + place % 6) for place, char in enumerate(reversed(number)))
    return "0123456789K0"[11 - total % 11] == text[-1].upper()


def argentina(text: str) -> bool:
    """CUIL and CUIT: modulus 11."""
    number = digits(text)
    return (11 - weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 % 10 == int(number[10])


def korea(text: str) -> bool:
    """RRN: date, and the sex and century behind the dash; no check digit since 2020, but a form of its own."""
    return day(text[2:4], text[4:6])


def malaysia(text: str) -> bool:
    """MyKad: date and place of birth, in a form of its own."""
    return day(text[2:4], text[4:6]) and 1 <= int(text[7:9]) <= 82 and text[7:9] not in ("17", "18", "19", "20")


def emirates(text: str) -> bool:
    """784, the year of birth, and seven digits. Luhn is not asked: made-up examples in guides fail it."""
    number = digits(text)
    return birthday(number[3:7], "1", "1") and ("-" in text or luhn(number))


def kazakhstan(text: str) -> bool:
    """IIN: date, sex and century, modulus 11. One of 700."""
    if not day(text[2:4], text[4:6]) or text[6] not in "123456":
        return False
    check = weighted(text, range(1, 12)) % 11
    if check == 10:
        check = weighted(text, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return check == int(text[11])


def south_africa(text: str) -> bool:
    """Date, citizenship 0 or 1, 8 or 9, Luhn. One of 6,000."""
    return day(text[2:4], text[4:6]) and text[10] in "012" and text[11] in "89" and luhn(text)


def singapore(text: str) -> bool:
    """NRIC and FIN: a letter by modulus 11. One of 26, in a form of its own."""
    total = weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(text[0], 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "KLJNPQRTUWX"}
    return letters[text[0]][10 - total % 11 if text[0] == "M" else total % 11] == text[8]


def hong_kong(text: str) -> bool:
    """HKID: modulus 11 over letters and digits, in a form of its own (brackets)."""
    compact = "".join(char for char in text if char.isalnum())
    values = [36] * (9 - len(compact)) + [int(char, 36) for char in compact[:-1]]
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    return (11 - total % 11) % 11 == int(compact[-1], 36)


def taiwan(text: str) -> bool:
    """A letter, 1, 2, 8 or 9, and modulus 10: one of ten, in a form of its own."""
    code = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(text[0].upper()) + 10
    return (code // 10 + 9 * (code % 10) + weighted(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def mexico(text: str) -> bool:
    """CURP and RFC: date, in a form of its own."""
    return day(text[6:8], text[8:10])


def russia(text: str) -> bool:
    """SNILS: a sum modulo 101, in a form of its own."""
    number = digits(text)
    return weighted(number, range(9, 0, -1)) % 101 % 100 == int(number[9:])


def thailand(text: str) -> bool:
    """Modulus 11, in a form of its own."""
    number = digits(text)
    return (11 - weighted(number, range(13, 1, -1)) % 11) % 10 == int(number[12])
