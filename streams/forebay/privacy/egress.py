"""Is personal data about to leave? The second check, which does not know how the first one works.

It runs right before a call of a provider and before every write to cache, dead letters, evaluation and review. It
looks for identifiers that prove themselves (check digits, fixed prefixes, forms that are nothing else) and for what
this request's pseudonyms stand for. It shares no pattern with the redaction stage; what it knows is a part of what that
stage must find, so on redacted text it is silent (tests hold both to it).

How a caller uses it, once per worker and then per record::

    guard = EgressGuard(settings[EgressSettings])
    ...
    mapping = await vault.load(request.vault_ref, owner, request_id) if request.vault_ref else PseudonymMap()
    guard.enforce((message.content for message in request.messages), mapping.originals, sink="provider")

``enforce`` counts ``forebay_egress_blocked_total`` and raises ``Permanent("pii_egress")``, so the stage dead-letters
the record: fail closed. ``check`` only says what was found, by kind, never by value. A caller that has no right to the
vault passes no originals; identifiers are still caught. Answers of a model may hold numbers that it made up: a cache
that would rather not keep such an answer than dead-letter it uses ``check``.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from forebay.contract.failures import Permanent
from forebay.observability.metrics import METRICS, Metrics
from forebay.privacy.encoded_forms import plain_forms
from forebay.privacy.identifiers import IDENTIFIERS, kinds_in
from forebay.privacy.occurrences import Occurrences, telling
from forebay.privacy.pseudonyms import TAG
from forebay.settings import EgressSettings

ORIGINAL = "ORIGINAL"
"""Kind of a finding that is what one of the request's pseudonyms stands for."""
_GAP = " \0 "
"""Takes the place of what is harmless: no identifier goes on across it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """``count`` values of ``kind`` would have left."""

    kind: str
    count: int


class EgressGuard:
    """The check.

    Args:
        settings: what may leave all the same.
    """

    def __init__(self, settings: EgressSettings | None = None, metrics: Metrics = METRICS) -> None:
        chosen = settings or EgressSettings()
        self._kinds = frozenset(IDENTIFIERS) - frozenset(chosen.allow_kinds)
        self._originals = ORIGINAL not in chosen.allow_kinds
        self._allowed = [
            re.compile(re.escape(value), re.IGNORECASE)
            for value in sorted(filter(None, chosen.allow), key=len, reverse=True)
        ]
        self._blocked = metrics.egress_blocked

    def check(self, texts: Iterable[str], originals: Mapping[str, str] | Collection[str] = ()) -> list[Finding]:
        """What of ``texts`` must not leave, by kind.

        Args:
            texts: everything that is about to leave.
            originals: of this request; as a mapping from their pseudonyms, which then are known to be harmless.
        """
        if isinstance(originals, Mapping):
            values: Collection[str] = originals.values()
            # Stand-ins look like personal data, and are none.
            harmless = Occurrences([key for key in originals if not TAG.fullmatch(key)])
        else:
            values, harmless = originals, _NOTHING
        known = Occurrences([value for value in values if self._originals and telling(value)])
        found: Counter[str] = Counter()
        for text in texts:
            cleared = _cleared(text, self._allowed, harmless)
            for form in plain_forms(cleared):
                found.update(kinds_in(form, self._kinds))
            found[ORIGINAL] += sum(1 for _ in known.find(cleared))
        return [Finding(kind=kind, count=count) for kind, count in sorted(found.items()) if count]

    def seen(
        self, texts: Iterable[str], originals: Mapping[str, str] | Collection[str] = (), *, sink: str
    ) -> list[Finding]:
        """As :meth:`check`, but counts what was found as blocked."""
        found = self.check(texts, originals)
        for finding in found:
            self._blocked.labels(sink, finding.kind).inc(finding.count)
        return found

    def enforce(self, texts: Iterable[str], originals: Mapping[str, str] | Collection[str] = (), *, sink: str) -> None:
        """As :meth:`check`, but raises.

        Args:
            sink: where the texts are going: provider, cache, dlq, or a name of :data:`forebay.privacy.outbound.SINKS`.

        Raises:
            Permanent: ``pii_egress``; the message names kinds, never values.
        """
        found = self.seen(texts, originals, sink=sink)
        if not found:
            return
        kinds = ", ".join(finding.kind for finding in found)
        raise Permanent("pii_egress", f"personal data was about to go to {sink}: {kinds}")


def _cleared(text: str, allowed: Sequence[re.Pattern[str]], harmless: Occurrences) -> str:
    """``text`` without pseudonyms and what else is known to be harmless."""
    cleared = TAG.sub(_GAP, text)
    for pattern in allowed:
        cleared = pattern.sub(_GAP, cleared)
    pieces: list[str] = []
    at = 0
    for start, end in harmless.find(cleared):
        pieces += (cleared[at:start], _GAP)
        at = end
    return "".join([*pieces, cleared[at:]])


_NOTHING = Occurrences(())
