"""What can a value of a kind look like? How many digits a number has, how many words an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What a value looks like.

    Attributes:
        least, most: letters and digits of a number.
        letters: whether letters may stand among its digits.
        words: most words, where it is no number; 0: it is a number.
        stated: whether "my … is 1234" is enough, without anybody's asking.
    """

    least: int = 3
    most: int = 24
    letters: bool = False
    words: int = 0
    stated: bool = False


DATE = "DATE_OF_BIRTH"
SHAPES: dict[str, Shape] = {
    "PIN": Shape(least=3, most=12, stated=True),
    "ONE_TIME_CODE": Shape(least=3, most=12, letters=True, stated=True),
    "CVV": Shape(least=3, most=4, stated=True),
    "CREDIT_CARD": Shape(letters=True, stated=True),
    "US_BANK_NUMBER": Shape(most=34, letters=True, stated=True),
    "ACCOUNT_ID": Shape(letters=True),
    "ORDER_NUMBER": Shape(letters=True),
    "US_SSN": Shape(most=13, stated=True),
    "NATIONAL_ID": Shape(letters=True),
    "US_PASSPORT": Shape(letters=True),
    "US_DRIVER_LICENSE": Shape(letters=True),
    "LICENSE_PLATE": Shape(most=10, letters=True),
    "MEDICAL_RECORD": Shape(letters=True),
    "PHONE_NUMBER": Shape(least=5, most=16),
    DATE: Shape(least=2, most=8),
    "PASSWORD": Shape(letters=True, words=4),
    "USERNAME": Shape(letters=True, words=2),
    "EMAIL_ADDRESS": Shape(letters=True, words=12),
    "SECURITY_ANSWER": Shape(words=7),
    "PERSON": Shape(words=4),
    "LOCATION": Shape(letters=True, words=16),
}
"""Of every kind that a question may ask for."""
