"""Where do the keys of proofs come from? Files that the settings name; on one machine alone, a file of its own.

A stage that has none does not start, unless all brokers are on this machine and reached without TLS: whoever could
write to them there could read any file of ours too. Then the stages of this user share a secret in the system's folder
for temporary files, which also makes the key of the only operator.
"""

import base64
import os
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkstemp

from forebay.settings import ConfigurationError, DeadLetterSettings, KafkaSettings, RetrySettings, Settings
from forebay.trust.proofs import KEY_BYTES, OPERATOR, OperatorKey, Operators, RetryProofs, derived

_HERE = ("127.", "localhost:", "[::1]:", "::1")
_LOCAL_OPERATOR = "local"


def retry_proofs(stage: str, settings: Settings) -> RetryProofs:
    """The proofs of ``stage``.

    Raises:
        ConfigurationError: it has no secret, or one that cannot be used; messages never contain it.
    """
    chosen = settings[RetrySettings]
    if given := chosen.secret.get_secret_value().replace(",", " ").split():
        return RetryProofs(stage, [decoded(one, "retry.secret") for one in given])
    if chosen.secret_file:
        path = Path(chosen.secret_file.replace("{stage}", stage))
        return RetryProofs(stage, [decoded(line, str(path)) for line in lines_of(path)])
    if not _alone(settings):
        raise ConfigurationError(
            f"stage {stage} has no secret by which it knows its own retries again: name a file in retry.secret_file "
            "(docs/how-to/production.md)"
        )
    return RetryProofs(stage, [_shared()])


def operators(settings: Settings) -> Operators:
    """Those whose replays are believed. Raises :class:`ConfigurationError`."""
    known = settings[DeadLetterSettings].operators
    if not known and _alone(settings):
        key = _local_operator()
        known = {key.name: key.public}
    keys = {}
    for name, public in known.items():
        if not OPERATOR.fullmatch(name):
            raise ConfigurationError(f"dlq.operators: {name!r} is no name: letters, digits, - and _, at most 64")
        keys[name] = decoded(public, f"dlq.operators: the key of {name}")
    try:
        return Operators(keys)
    except ValueError:
        raise ConfigurationError("dlq.operators: a key is no Ed25519 public key in base64") from None


def operator_key(settings: Settings) -> OperatorKey:
    """The key that replays are signed with. Raises :class:`ConfigurationError`."""
    chosen = settings[DeadLetterSettings].signing_key_file
    if chosen:
        [line, *_] = lines_of(Path(chosen))
        name, colon, private = line.partition(":")
        if not colon or not OPERATOR.fullmatch(name):
            raise ConfigurationError(f"{chosen} is not of the form NAME:BASE64; `forebay dlq key` makes one")
        return OperatorKey(name, decoded(private, chosen))
    if not _alone(settings):
        raise ConfigurationError(
            "stages believe a replay only if an operator signed it: name your key in dlq.signing_key_file "
            "(`forebay dlq key NAME FILE` makes one)"
        )
    return _local_operator()


def new_secret() -> str:
    """A line for ``retry.secret_file``."""
    return f"{base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n"


def new_operator_key(name: str) -> str:
    """A line for ``dlq.signing_key_file``. Raises :class:`ConfigurationError`."""
    if not OPERATOR.fullmatch(name):
        raise ConfigurationError("a name has letters, digits, - and _, at most 64")
    return f"{name}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n"


def public_key(line: str) -> tuple[str, str]:
    """Name and public key of a line that :func:`new_operator_key` made, for ``dlq.operators``."""
    name, _, private = line.strip().partition(":")
    return name, OperatorKey(name, base64.b64decode(private)).public


def _alone(settings: Settings) -> bool:
    """Whether all brokers are on this machine, and reached in the clear."""
    kafka = settings[KafkaSettings]
    places = [place.strip() for place in kafka.bootstrap.split(",")]
    return kafka.security_protocol == "PLAINTEXT" and all(place.startswith(_HERE) for place in places)


def _local_operator() -> OperatorKey:
    return OperatorKey(_LOCAL_OPERATOR, derived(_shared(), "forebay/operator"))


def _shared() -> bytes:
    """The secret of this user on this machine; made by whoever needs it first."""
    folder = Path(gettempdir()) / f"forebay-{os.getuid()}"
    path = folder / "retry.secret"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = mkstemp(dir=folder, prefix=".retry.")  # with mode 0600
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(new_secret())
        with suppress(FileExistsError):  # another worker was first
            os.link(name, path)
        Path(name).unlink()
    if path.stat().st_uid != os.getuid():
        raise ConfigurationError(f"{path} is another user's: name a file of yours in retry.secret_file")
    return decoded(lines_of(path)[0], str(path))


def lines_of(path: Path) -> list[str]:
    """What is in a key file, which its owner alone can read. Raises :class:`ConfigurationError`."""
    try:
        mode = path.stat().st_mode
        lines = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the key file {path} cannot be read: {type(error).__name__}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"the key file {path} is open to others: chmod 600 {path}")
    if not lines:
        raise ConfigurationError(f"the key file {path} is empty")
    return lines


def decoded(text: str, where: str) -> bytes:
    """The key that ``text`` is. Raises :class:`ConfigurationError`, which says where it stands and not what it is."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{where} is not {KEY_BYTES * 8} bits in base64")
    return key
