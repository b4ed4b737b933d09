"""How is a dead letter mended before it is replayed? By a function of the operator's, checked against the schema.

The file defines ``transform(record: dict) -> dict``; it gets the decoded record and returns the mended one. A sealed
letter is opened for it and sealed again, which needs the vault's keys.
"""

import difflib
import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from streams import headers as h
from streams.codec import Codec, UndecodableError
from streams.dlq.letters import DeadLetter
from streams.json_lines import record_from_json, to_json
from streams.sealing import Keyring, SealError

Function = Callable[[dict[str, Any]], dict[str, Any]]


class TransformError(Exception):
    """A letter cannot be transformed; the message names it and never quotes the record."""


def load_transform(path: Path) -> Function:
    """The function ``transform`` of the Python file ``path``. Raises :class:`TransformError`."""
    spec = importlib.util.spec_from_file_location("forebay_transform", path)
    if spec is None or spec.loader is None or not path.exists():
        raise TransformError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, "transform", None)
    if not callable(function):
        raise TransformError(f"{path} defines no function `transform(record)`")
    found: Function = function
    return found


class RecordTransform:
    """Applies a function to the records of letters.

    Args:
        codecs: logical topic to codec.
        keyring: opens sealed letters; ``None``: they are refused.
    """

    def __init__(self, function: Function, codecs: Mapping[str, Codec[Any]], keyring: Keyring | None) -> None:
        self._function = function
        self._codecs = codecs
        self._keyring = keyring

    def __call__(self, letter: DeadLetter) -> bytes:
        """The mended record's bytes, sealed if they were. Raises :class:`TransformError`."""
        codec = self._codec(letter)
        value = codec.encode(self._mended(letter, codec)[1])
        context = h.text(letter.source.headers, h.SEALED)
        return value if context is None else self._keys(letter).seal(value, context)

    def diff(self, letter: DeadLetter) -> str:
        """The change as a unified diff of JSON. It may show personal data of a letter that is sealed."""
        before, after = (
            json.dumps(to_json(record), indent=1, ensure_ascii=False).splitlines(keepends=True)
            for record in self._mended(letter, self._codec(letter))
        )
        return "".join(difflib.unified_diff(before, after, f"{letter.letter_id} as it is", "as replayed"))

    def _mended(self, letter: DeadLetter, codec: Codec[Any]) -> tuple[Any, Any]:
        try:
            record = codec.decode(self._opened(letter))
            return record, record_from_json(codec.record, self._function(to_json(record)))
        except (UndecodableError, SealError) as error:
            raise TransformError(f"{letter.letter_id}: {error}") from None
        except Exception as error:  # noqa: BLE001 - the operator's function may raise anything; its text may quote
            raise TransformError(f"{letter.letter_id}: {type(error).__name__} in transform") from None

    def _codec(self, letter: DeadLetter) -> Codec[Any]:
        codec = self._codecs.get(letter.origin_topic)
        if codec is None:
            raise TransformError(f"{letter.letter_id}: records of {letter.origin_topic} have no schema")
        return codec

    def _opened(self, letter: DeadLetter) -> bytes | None:
        context = h.text(letter.source.headers, h.SEALED)
        value = letter.source.value
        return value if context is None or value is None else self._keys(letter).open(value, context)

    def _keys(self, letter: DeadLetter) -> Keyring:
        if self._keyring is None:
            raise TransformError(f"{letter.letter_id} is sealed and there is no vault key")
        return self._keyring
