"""Must the encoder read what it has read before? Each request of a conversation brings the earlier turns with it.

A long text is read in windows, and one that begins as an earlier one did has the same windows: what the encoder said
of them is said again. The key is all that a window's vectors depend on, its pieces, so that the findings are the same;
short texts are one window each, which comes again only with the whole text.

What is kept cannot be turned back into words by whoever has the memory: a window is known by a digest under a key that
this process alone has, and its vectors are enciphered under the other half of that digest, which is not kept: it takes
the text itself to open them. A window is kept when it comes the second time, since most of them never do.
"""

import os
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from forebay_agents.redaction.detection.names.words import Matrix

_PLACE, _KEY = 16, 32
"""Bytes of the digest that say where a reading is, and of those that open it."""
_SEEN = 16
"""Digests of windows that came once, for each that may be kept."""


class Readings:
    """What the encoder said of windows; thread-safe.

    Args:
        most: windows that are kept, those that were asked for last; each takes at most 160 kB.
    """

    def __init__(self, most: int) -> None:
        self._secret = os.urandom(32)
        self._most = most
        self._kept: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._once: OrderedDict[bytes, None] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def digest(self, pieces: Sequence[int], wanted: Sequence[int]) -> bytes:
        """By what the reading of ``wanted`` of ``pieces`` is known and opened."""
        content = np.array([len(pieces), *pieces, *wanted], np.int32).tobytes()
        return blake2b(content, key=self._secret, digest_size=_PLACE + _KEY).digest()

    def recalled(self, digest: bytes) -> Matrix | None:
        """The vectors that were kept, (wanted, columns)."""
        place = digest[:_PLACE]
        with self._lock:
            found = self._kept.get(place)
            if found is None:
                return None
            self._kept.move_to_end(place)
        columns, sealed = found
        return np.frombuffer(_enciphered(digest[_PLACE:], sealed), np.float32).reshape(-1, columns)

    def keep(self, digest: bytes, vectors: Matrix) -> None:
        """Keep ``vectors``, if they were read before."""
        place = digest[:_PLACE]
        with self._lock:
            if place not in self._once:
                self._once[place] = None
                if len(self._once) > _SEEN * self._most:
                    self._once.popitem(last=False)
                return
            del self._once[place]
        sealed = vectors.shape[1], _enciphered(digest[_PLACE:], np.ascontiguousarray(vectors).tobytes())
        with self._lock:
            self._kept[place] = sealed
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _enciphered(key: bytes, data: bytes) -> bytes:
    """AES in counter mode, to seal and to open. A key belongs to one content, so its counter may begin at nought."""
    return Cipher(AES256(key), CTR(bytes(16))).encryptor().update(data)
