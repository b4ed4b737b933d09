"""Is this answer judged? Decided by its request's id alone, so that redelivery and every worker decide alike."""

import hashlib

_SPACE = 2**64


def sampled(request_id: str, rate: float) -> bool:
    """Whether the request falls into the sample of ``rate`` (0 to 1)."""
    digest = hashlib.blake2b(request_id.encode(), digest_size=8, person=b"forebay-sample").digest()
    return int.from_bytes(digest, "big") < rate * _SPACE


def outside(key: bytes, rate: float) -> bool:
    """Whether ``key``, which is a request's id, says that its request is not in the sample."""
    try:
        return not sampled(key.decode(), rate)
    except UnicodeDecodeError:
        return False  # whoever wrote that is no stage: the record itself is looked at
