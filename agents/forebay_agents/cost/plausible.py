"""Which ledger entries go into the sums? Those that a call can have made.

Whoever may write to ``usage`` may write anything. One entry of 2^63 nano-dollars makes its row a number that no record
takes: every later entry of that user would become a dead letter, month after month. One with ids of a megabyte fits
into ``usage`` and not into the changelogs. So such an entry is refused before it touches a sum.
"""

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


def check(entry: UsageEvent) -> None:
    """Raises ``Permanent("implausible_entry")``, with the name of the field."""
    money = ("cost_nanousd", "reserved_nanousd", "saved_nanousd")
    written = ("cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens")
    tokens = ("prompt_tokens", "completion_tokens", "cached_prompt_tokens", *written)
    limits = dict.fromkeys(money, _MOST_NANOUSD) | dict.fromkeys(tokens, _MOST_TOKENS)
    limits |= dict.fromkeys(("started_at", "finished_at", "booked_at"), _MOST_MS)
    for name, most in limits.items():
        if not 0 <= (getattr(entry, name) or 0) <= most:
            raise Permanent(CODE, f"{name} is a number that no call has")
    for name in ("saved_tier_nanousd", "saved_compression_nanousd"):
        if abs(getattr(entry, name)) > _MOST_NANOUSD:
            raise Permanent(CODE, f"{name} is a number that no call has")
    texts = (entry.attempt_id, entry.request_id, entry.tenant_id, entry.user_id, entry.tier, entry.model)
    more = (entry.deployment, entry.error_code or "", entry.service_tier, entry.price, entry.task or "")
    labels = (*entry.labels, *entry.labels.values())
    if sum(len(text.encode()) for text in (*texts, *more, *labels)) > _MOST_TEXT:
        raise Permanent(CODE, f"its ids and names are longer than {_MOST_TEXT:,} bytes")
