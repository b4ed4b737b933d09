"""An operator's transform: whatever the file does, a letter is mended or stays as it is, and the error says where."""

from pathlib import Path

import pytest

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.records import Message, RedactedRequest
from forebay.contract.wire import Delivered
from forebay.operations.dead_letters.letters import DeadLetter, letter_of
from forebay.operations.dead_letters.transform import RecordTransform, TransformError, load_transform
from forebay.settings import Settings

SETTINGS = Settings({})
CODECS = open_codecs(SETTINGS, open_registry(SETTINGS))
SECRET = "the question of a customer"


@pytest.fixture
def letter() -> DeadLetter:
    value = CODECS["requests.uncached"].encode(RedactedRequest(request_id="r", messages=(Message(content=SECRET),)))
    headers = {"forebay-origin-topic": b"requests.uncached"}
    source = Delivered(topic="dlq", partition=0, offset=0, key=b"k", value=value, headers=headers, timestamp_ms=1)
    return letter_of(source)


def _file(folder: Path, body: str) -> Path:
    path = folder / "mend.py"
    path.write_text(body)
    return path


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def transform(record:\n", "mend.py, line 1: "),
        ("raise RuntimeError('no')\n", "cannot be loaded: RuntimeError: no"),
        ("import sys; sys.exit(3)\n", "cannot be loaded: SystemExit"),
        ("transform = 5\n", "defines no function"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(TransformError, match=said):
        load_transform(_file(tmp_path, body))


def test_a_folder_and_a_missing_file_are_no_python_files(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    for name in ("folder.py", "missing.py", ""):
        with pytest.raises(TransformError, match="is no Python file"):
            load_transform(tmp_path / name)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("raise ValueError(record)", "ValueError in transform, line 2"),
        ("raise SystemExit(3)", "SystemExit in transform, line 2"),
        ("return 5", "returned int, not a record"),
        ("return None", "returned NoneType, not a record"),
        ("return record | {'deadline_ms': 'soon'}", "breaks the schema: deadline_ms"),
        ("return record | {'nonsense': 1}", "breaks the schema: nonsense"),
        ("return record | {'deadline_ms': 2 ** 70}", "does not encode: ValueError"),
        ("return record | {'user_id': chr(0xD800)}", "breaks the schema: user_id|does not encode"),
    ],
)
def test_a_record_that_cannot_be_mended_stays_as_it_is(
    tmp_path: Path, letter: DeadLetter, does: str, said: str
) -> None:
    transform = RecordTransform(load_transform(_file(tmp_path, f"def transform(record):\n    {does}\n")), CODECS, None)
    for apply in (transform, transform.diff):  # the dry run finds what the replay would
        with pytest.raises(TransformError, match=said) as refused:
            apply(letter)
        assert SECRET not in str(refused.value)


def test_a_mended_record_is_encoded_and_its_change_shown(tmp_path: Path, letter: DeadLetter) -> None:
    function = load_transform(_file(tmp_path, "def transform(record):\n    return record | {'user_id': 'u'}\n"))
    transform = RecordTransform(function, CODECS, None)
    assert CODECS["requests.uncached"].decode(transform(letter)).user_id == "u"
    assert '+ "user_id": "u"' in transform.diff(letter)
