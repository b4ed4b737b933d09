"""Does a text look like a secret, or like what people say of secrets?"""

import re

_PLACEHOLDER = re.compile(
    r"(?i)(?:x{3,}|\*{3,}|\.{3,}|<.*|\$\{.*|\{\{.*|%\(.*|your.*|example|changeme|none|null|true|false|string|required|"
    r"reset|incorrect|invalid|wrong|expired|forgotten|protected|manager|policy|field|hash(?:ed)?|here|the|not|and|is|"
    r"in|to|"
    r"for|was|has|will|must|should|can|cannot|won'?t|doesn'?t|please|again|correct|too|now|when|because|that|this|it|"
    r"os\.\w+.*|"
    r"env.*|process\.env.*|getpass.*|input.*|self\..*|settings\..*|config.*|request\..*|args\..*|username|password)"
)

_METHOD = re.compile(
    r"(?i)(?:sha|md\d|oauth|base\d|utf|aes|rsa|pbkdf|https?:|rfc|ntlm|argon|bcrypt|cve|kb\d|error|nist|iso|\$\{|\{\{|"
    r"%\w)"
)
"""What is said of passwords, and is none."""


def secret(text: str) -> bool | None:
    """No placeholder, and not one character again and again."""
    return False if _PLACEHOLDER.fullmatch(text) or len(set(text)) < 3 else None


def strong(text: str) -> bool | None:
    """A password in a sentence: it does not look like a word."""
    if secret(text) is False:
        return False
    kinds = sum(any(test(char) for char in text) for test in (str.isdigit, str.isupper, str.islower)) + (
        not text.isalnum()
    )
    return None if kinds >= 2 and not text.isalpha() else False


def phrase(text: str) -> bool | None:
    """As :func:`secret`; of several words a digit or a sign must be in one, or it is a sentence about passwords."""
    if " " in text and (len(text.split()) > _WORDS or not any(map(_UNUSUAL.__contains__, text))):
        return False
    return secret(text)


_WORDS = 6
_UNUSUAL = frozenset("0123456789#$%&*+=@^_~|!")


def bare(text: str) -> bool | None:
    """A password with nothing between it and the word: letters, digits, and a sign or a long number among them."""
    if strong(text) is False or _METHOD.match(text) or not any(map(str.isdigit, text)):
        return False
    signs = any(char in "!@#$%^&*?~+=_" for char in text.rstrip("!?*"))
    return None if any(map(str.isalpha, text)) and (signs or sum(map(str.isdigit, text)) >= 4) else False
