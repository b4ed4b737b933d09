"""What of a private key is left without its first or last line? Its body: lines of base64 whose beginning says so.

The first bytes of a key's DER are its version, which no certificate and no public key has there; OpenSSH's keys begin
with their maker's words. Lines without such a beginning are a key's if its last line follows, or the words before them
say so. The lines are walked over once, in Python: a pattern that looks for their end would begin at each of them.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult

_KIND = "PRIVATE_KEY"
_LINE = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{32,4096}+={0,2}(?![A-Za-z0-9+/=])")
_REST = re.compile(r"[ \t>|\"']{0,4}\r?\n[ \t>|\"']{0,12}(?=[A-Za-z0-9+/]{1,4096}+={0,2}[ \t\"']{0,4}(?:\r?\n|\Z|-))")
_TAIL = re.compile(r"[A-Za-z0-9+/]{1,4096}={0,2}")
_BEGINS = re.compile(
    r"MI[IG][A-Za-z0-9+/]{2,3}[AQgw]IB(?:AA|AD)|MIG[A-P]AgE[AB]|MC[4-9w][CA]AQAw|MH[c-f]CAQEE|MI[GHI][A-Za-z0-9]AgEBB|"
    r"MI[IG][A-Za-z0-9+/]{2,5}BgkqhkiG9w0BBQ|b3BlbnNzaC1rZXkt|MFMCAQEwBQYDK2Vw"
)
"""PKCS#1 and #8 (RSA, EC, Ed25519, encrypted), SEC1, OpenSSH."""
_END = re.compile(r"[\s\"'>]{0,12}-----END [A-Z0-9 ]{0,40}PRIVATE KEY")
_SAYS = re.compile(
    r"(?i)private[ _-]?(?:key|lines)|id_(?:rsa|dsa|ecdsa|ed25519)|key ?file|priv(?:ate)?key|secret key|"
    r"privater schlüssel|clé privée|clave privada|llave privada|chiave privata|chave privada|"
    r"закрыт\w+ ключ|приватн\w+ ключ|私钥|秘密鍵|개인 ?키"
)
_SAYS_NOT = re.compile(r"(?i)public|certificat|\bcert\b|\bcsr\b|ssh-(?:rsa|ed25519) |ecdsa-sha2|\.pub\b")
_BEFORE = 96


class PrivateKeys(EntityRecognizer):
    """Finds bodies of private keys."""

    name: str

    def __init__(self) -> None:
        super().__init__(supported_entities=[_KIND], name="private keys", supported_language="en")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        facts = getattr(nlp_artifacts, "facts", None)
        if len(text) < _SHORTEST or (facts is not None and facts.run < _SHORTEST):
            return []
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(_KIND, start, end, 1.0, recognition_metadata=metadata)
            for start, end in _blocks(text)
            if _private(text, start, end)
        ]


_SHORTEST = 12
"""Letters and digits in a row without which there is no line of a key: "/" and "+" part the others."""


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of lines of base64 in a row."""
    at = 0
    while line := _LINE.search(text, at):
        start, at = line.span()
        while (rest := _REST.match(text, at)) and (tail := _TAIL.match(text, rest.end())):
            at = tail.end()
        yield start, at


def _private(text: str, start: int, end: int) -> bool:
    if _BEGINS.match(text, start) or _END.match(text, end):
        return len(set(text[start:end])) > 12
    before = text[max(0, start - _BEFORE) : start]
    if not any(map(str.isdigit, text[start:end])) or text[start:end].islower() or text[start:end].isupper():
        return False
    return _SAYS.search(before) is not None and _SAYS_NOT.search(before) is None


def private_keys() -> PrivateKeys:
    """Recogniser of private keys without their first line."""
    return PrivateKeys()
