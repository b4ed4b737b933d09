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

from pydantic import ValidationError

from forebay.avro.codec import Codec, UndecodableError
from forebay.contract import headers as h
from forebay.contract.json_lines import record_from_json, to_json
from forebay.operations.dead_letters.letters import DeadLetter
from forebay.privacy.sealing import Keyring, SealError

Function = Callable[[dict[str, Any]], dict[str, Any]]


class TransformError(Exception):
    """A letter cannot be transformed; the message names it and never quotes the record."""


def load_transform(path: Path) -> Function:
    """The function ``transform`` of the Python file ``path``. Raises :class:`TransformError`."""
    spec = importlib.util.spec_from_file_location("_transform_of_the_operator", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise TransformError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise TransformError(f"{path}, line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the file of an operator does when it is loaded
        raise TransformError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from None
    function = getattr(module, "transform", None)
    if not callable(function):
        raise TransformError(f"{path} defines no function `transform(record)`")
    found: Function = function
    return found


def _line_of(error: BaseException) -> str:
    """Where in the operator's function ``error`` arose."""
    inner = error.__traceback__.tb_next if error.__traceback__ else None
    return "" if inner is None else f", line {inner.tb_lineno}"


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
        value = self._mended(letter, self._codec(letter))[2]
        context = h.text(letter.source.headers, h.SEALED)
        return value if context is None else self._keys(letter).seal(value, context)

    def diff(self, letter: DeadLetter) -> str:
        """The change as a unified diff of JSON. It may show personal data of a letter that is sealed."""
        before, after = (
            json.dumps(to_json(record), indent=1, ensure_ascii=False).splitlines(keepends=True)
            for record in self._mended(letter, self._codec(letter))[:2]
        )
        return "".join(difflib.unified_diff(before, after, f"{letter.letter_id} as it is", "as replayed"))

    def _mended(self, letter: DeadLetter, codec: Codec[Any]) -> tuple[Any, Any, bytes]:
        """The record as it is, as it is to be, and the bytes of that."""
        try:
            record = codec.decode(self._opened(letter))
        except (UndecodableError, SealError) as error:
            raise TransformError(f"{letter.letter_id}: {error}") from None
        try:
            returned = self._function(to_json(record))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the operator's function may raise anything
            # The type and the line only: its text may quote the record.
            raise TransformError(f"{letter.letter_id}: {type(error).__name__} in transform{_line_of(error)}") from None
        if not isinstance(returned, dict):
            raise TransformError(f"{letter.letter_id}: transform returned {type(returned).__name__}, not a record")
        try:
            mended = record_from_json(codec.record, returned)
            return record, mended, codec.encode(mended)
        except ValidationError as error:
            fields = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}))
            raise TransformError(f"{letter.letter_id}: what transform returned breaks the schema: {fields}") from None
        except (TypeError, ValueError, AttributeError) as error:
            kind = type(error).__name__
            raise TransformError(f"{letter.letter_id}: what transform returned does not encode: {kind}") from None

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
