"""Is a shorter prompt a cheaper one? Not when it breaks a prefix that the provider has cached at a discount.

Providers bill the unchanged beginning of a prompt that they have seen before at a fraction of the price (a tenth to a
half). Whoever cuts into it pays the full price for all that follows. So three ways are priced: leave everything, cut
only behind the cached prefix, cut everywhere.
"""

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptCache:
    """What the provider is believed to have cached of this prompt.

    Attributes:
        messages: that many messages, from the first, are what the provider has seen before; 0: nothing.
        discount: what a cached token costs, as a share of a fresh one (0.1 to 0.5; 1: no discount).
        least_tokens: prefixes shorter than this are not cached (1,024 with most providers).
    """

    messages: int = 0
    discount: float = 1.0
    least_tokens: int = 1024


NO_CACHE = PromptCache()


def billed(tokens: int, cached: int, cache: PromptCache) -> float:
    """Fresh tokens that a prompt of ``tokens`` tokens is billed like, when its first ``cached`` are cached."""
    if cached < cache.least_tokens:
        cached = 0
    return tokens - cached * (1 - cache.discount)


def held_out(request_id: str, share: float) -> bool:
    """Whether a request runs uncompressed, for comparison: always the same answer for the same id.

    Args:
        share: of the traffic, 0 to 1.
    """
    digest = blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"forebay.holdout").digest()
    return int.from_bytes(digest, "big") < share * 2**64
