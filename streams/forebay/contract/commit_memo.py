"""What does a commit say beside its offset? Of which topic it is, and when it was; in metadata that the brokers keep.

An offset alone says little once its topic was deleted and made again, or its log was cut.
"""

from dataclasses import dataclass

_MARK = "forebay1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Memo:
    """What a commit says beside the offset: the topic's id, empty when nobody could tell, and when it was, in ms."""

    topic_id: str = ""
    at_ms: int = 0

    def encode(self) -> str:
        """As metadata of a commit."""
        return f"{_MARK} {self.topic_id or '-'} {self.at_ms}"

    @classmethod
    def decode(cls, text: str | None) -> "Memo":
        """From metadata; an empty memo where they are not ours."""
        mark, _, rest = (text or "").partition(" ")
        topic_id, _, at_ms = rest.partition(" ")
        if mark != _MARK or not at_ms.isdecimal():
            return cls()
        return cls(topic_id="" if topic_id == "-" else topic_id, at_ms=int(at_ms))
