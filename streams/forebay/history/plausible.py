"""Which ledger entries go into the sums? Those that a call can have made.

Whoever may write to ``usage`` may write anything. One entry of 2^63 nano-dollars makes its row a number that no record
takes: every later entry of that user would become a dead letter, month after month. One with ids of a megabyte fits
into ``usage`` and not into the changelogs. So such an entry is refused before it touches a sum.
"""

from operator import attrgetter

from forebay.contract.failures import Permanent
from forebay.contract.records import UsageEvent

CODE = "implausible_entry"

_MOST_NANOUSD = 10**17
"""Of one call: a hundred million dollars. Sums hold a hundred of them, and stay at their largest number then."""
_MOST_TOKENS = 10**10
_MOST_MS = 253_402_300_799_999
"""The end of the year 9999, behind which there are no dates."""
_MOST_TEXT = 50_000
"""Bytes of all ids and names together: a row repeats some of them in its key; a changelog takes a megabyte."""


_WRITTEN = ("cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens")
_LIMITS = {
    **dict.fromkeys(("cost_nanousd", "reserved_nanousd", "saved_nanousd"), (0, _MOST_NANOUSD)),
    **dict.fromkeys(("saved_tier_nanousd", "saved_compression_nanousd"), (-_MOST_NANOUSD, _MOST_NANOUSD)),
    **dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_prompt_tokens", *_WRITTEN), (0, _MOST_TOKENS)),
    **dict.fromkeys(("started_at", "finished_at", "booked_at"), (0, _MOST_MS)),
}
_NUMBERS = attrgetter(*_LIMITS)
_TEXTS = attrgetter(
    "attempt_id", "request_id", "tenant_id", "user_id", "tier", "model", "deployment", "error_code", "service_tier",
    "price", "task",
)  # fmt: skip
_BYTES_A_CHARACTER = 4


def plausible(entry: UsageEvent) -> bool:
    """Whether :func:`check` lets an entry pass."""
    try:
        check(entry)
    except Permanent:
        return False
    return True


def check(entry: UsageEvent) -> None:
    """Raises ``Permanent("implausible_entry")``, with the name of the field."""
    for number, (name, (least, most)) in zip(_NUMBERS(entry), _LIMITS.items(), strict=True):
        if number and not least <= number <= most:
            raise Permanent(CODE, f"{name} is a number that no call has")
    texts = [text for text in _TEXTS(entry) if text]
    if entry.labels:
        texts += [*entry.labels, *entry.labels.values()]
    if _BYTES_A_CHARACTER * sum(map(len, texts)) <= _MOST_TEXT:
        return  # nearly all: nothing has to be encoded
    if sum(len(text.encode()) for text in texts) > _MOST_TEXT:
        raise Permanent(CODE, f"its ids and names are longer than {_MOST_TEXT:,} bytes")
