"""What of a dead letter may be seen as it is? Its record, unless it is sealed, withheld or cannot be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forebay.avro.codec import Codec, UndecodableError
from forebay.contract import headers as h
from forebay.operations.dead_letters.letters import DeadLetter
from forebay.operations.dead_letters.originals import is_withheld
from forebay.privacy.outbound import WITHHELD


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One letter with its record.

    Attributes:
        record: the record, where it can be read; it holds no personal data that the guard knows.
        hidden: why it is not here: ``sealed``, ``withheld: …``, or the code of what is wrong with it.
    """

    letter: DeadLetter
    record: Any = None
    hidden: str = ""


def shown(letter: DeadLetter, codecs: Mapping[str, Codec[Any]]) -> Shown:
    """``letter`` with its record; ``codecs`` by logical topic."""
    if h.SEALED in letter.source.headers:
        return Shown(letter=letter, hidden="sealed")
    if is_withheld(letter):
        kinds = h.text(letter.source.headers, WITHHELD)
        return Shown(letter=letter, hidden=f"withheld: {kinds} in it; see {letter.origin_topic}")
    codec = codecs.get(letter.origin_topic)
    if codec is None:
        return Shown(letter=letter)
    try:
        return Shown(letter=letter, record=codec.decode(letter.source.value))
    except UndecodableError as error:
        return Shown(letter=letter, hidden=f"{error.code}: {error}")
