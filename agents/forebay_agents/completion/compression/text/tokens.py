"""How many tokens is a text? OpenAI's cl100k vocabulary, offline and in 0.4 s, else an estimate.

litellm ships the vocabulary, but importing litellm takes seconds: only its folder is used. Another model's tokenizer
counts differently, yet the *share* that is kept hardly changes; budgets are checked in words and characters as well.
"""

import importlib.util
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from forebay_agents.completion.compression.text.units import CJK

Counter = Callable[[str], int]

_CL100K = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"  # SHA-1 of the vocabulary's address: tiktoken's cache key
_IN_CJK = re.compile(f"[{CJK}]")
_WORD = re.compile(f"[{CJK}]|[^\\s{CJK}]+")
_PIECE = re.compile(r"[^\W\d_]+|\d{1,3}|[^\w\s]|_+")
_PIECE_OF_ANY_SCRIPT = re.compile(rf"[{CJK}]|(?:(?![{CJK}])[^\W\d_])+|\d{{1,3}}|[^\w\s]|_+")


@cache
def counter() -> Counter:
    """The best counter that needs no network."""
    return _tiktoken() or estimate


def measures(text: str) -> tuple[int, ...]:
    """Tokens, then what other counters may call so: words, characters, words and marks, and :func:`estimate`."""
    pieces = _pieces(text)
    words = len(_WORD.findall(text) if _IN_CJK.search(text) else text.split())
    return counter()(text), words, len(text), len(pieces), _estimate(pieces)


def estimate(text: str) -> int:
    """Without a vocabulary: a token for each six letters of a word, three digits, or mark."""
    return _estimate(_pieces(text))


def _pieces(text: str) -> list[str]:
    pieces: list[str] = (_PIECE_OF_ANY_SCRIPT if _IN_CJK.search(text) else _PIECE).findall(text)
    return pieces


def _estimate(pieces: list[str]) -> int:
    return sum((len(piece) + 5) // 6 for piece in pieces)


def _tiktoken() -> Counter | None:
    litellm = importlib.util.find_spec("litellm")
    if litellm is None or not litellm.submodule_search_locations:
        return None
    folder = Path(litellm.submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
    if not (folder / _CL100K).exists():  # tiktoken would download it
        return None
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    import tiktoken

    encoding = tiktoken.get_encoding("cl100k_base")
    return lambda text: len(encoding.encode_ordinary(text))
