"""What happens to what was found? Per entity and tenant; the most specific rule wins."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from forebay.contract.failures import Rejected
from forebay.settings import ConfigurationError
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.settings import Action, Profile, RedactionSettings

DEFAULT = "DEFAULT"
"""The entity type that stands for all others in a policy."""
DENIED = "DENIED"
"""Type of findings from deny lists."""
_HASH_BYTES = 6


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules of one tenant.

    Attributes:
        actions: entity type to action.
        allow: folded values that are never redacted.
        deny: values that always are.
        surrogates: stand-ins instead of tags.
        hash_key: key of the action ``hash``.
        profile: how much goes; looser: whether a request may ask for less; public: what may stay where not all goes.
    """

    actions: dict[str, Action] = field(default_factory=dict)
    allow: frozenset[str] = frozenset()
    deny: tuple[str, ...] = ()
    surrogates: bool = False
    hash_key: bytes = b""
    profile: Profile = Profile.STRICT
    looser: bool = False
    public: tuple[str, ...] = ()

    def profile_of(self, asked: str | None) -> Profile:
        """The profile of a request that asks for ``asked``: a stricter one always, a looser one where it is allowed."""
        if asked is None or asked == self.profile:
            return self.profile
        return Profile.BALANCED if asked == Profile.BALANCED and self.looser else Profile.STRICT

    def action(self, kind: str) -> Action:
        """What happens to findings of ``kind``."""
        return self.actions.get(kind) or self.actions.get(DEFAULT) or Action.PSEUDONYMISE

    def kept(self, text: str, spans: Iterable[Span]) -> list[Span]:
        """Spans that the policy does not let through."""
        kept = [span for span in spans if self.action(span.kind) is not Action.ALLOW]
        return [span for span in kept if folded(text[span.start : span.end]) not in self.allow] if self.allow else kept

    def denied(self, text: str) -> list[Span]:
        """Where the values stand that always go."""
        found = []
        low = text.lower() if self.deny else ""
        for value in self.deny:
            wanted = folded(value)
            at = low.find(wanted) if wanted else -1
            while at >= 0:
                found.append(Span(start=at, end=at + len(wanted), kind=DENIED, score=1.0))
                at = low.find(wanted, at + len(wanted))
        return found

    def blocked(self, spans: Sequence[Sequence[Span]]) -> list[str]:
        """Entity types for which the request must be rejected."""
        kinds = {span.kind for part in spans for span in part}
        return sorted(kind for kind in kinds if self.action(kind) is Action.BLOCK)

    def refuse(self, spans: Sequence[Sequence[Span]]) -> None:
        """Raise ``Rejected("pii_blocked")`` if one of ``spans`` must not be in a request."""
        blocked = self.blocked(spans)
        if blocked:
            raise Rejected("pii_blocked", f"the request holds data that is not accepted: {', '.join(blocked)}")

    def replaced(self, kind: str, value: str) -> str | None:
        """What stands for ``value`` for good; ``None`` when it gets a pseudonym."""
        match self.action(kind):
            case Action.MASK:
                return "****"
            case Action.DROP:
                return ""
            case Action.HASH:
                code = hmac.new(self.hash_key, folded(value).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
                return f"{kind}#{code[:_HASH_BYTES].hex()}"
        return None


def folded(value: str) -> str:
    """A value as lists compare it."""
    return " ".join(value.casefold().split())


def policies(settings: RedactionSettings) -> "Policies":
    """The rules of all tenants. Raises :class:`ConfigurationError` when ``hash`` is asked for without a key."""
    return Policies(settings)


class Policies:
    """Finds a tenant's rules.

    Args:
        settings: where they are written down.
    """

    def __init__(self, settings: RedactionSettings) -> None:
        key = settings.hash_key.get_secret_value().encode()
        general = Policy(
            actions=dict(settings.policy),
            allow=frozenset(map(folded, settings.allow)),
            deny=settings.deny,
            surrogates=settings.surrogates,
            hash_key=key,
            profile=settings.profile,
            public=settings.public,
        )
        self._general = general
        self._tenants = {
            tenant: Policy(
                actions=general.actions | rules.policy,
                allow=general.allow | frozenset(map(folded, rules.allow)),
                deny=general.deny + rules.deny,
                surrogates=general.surrogates if rules.surrogates is None else rules.surrogates,
                hash_key=key,
                profile=rules.profile or general.profile,
                looser=rules.looser_requests,
                public=general.public,
            )
            for tenant, rules in settings.tenants.items()
        }
        for policy in (general, *self._tenants.values()):
            if Action.HASH in policy.actions.values() and not key:
                raise ConfigurationError("the action hash needs redaction.hash_key (FOREBAY_REDACTION_HASH_KEY)")

    def of(self, tenant_id: str) -> Policy:
        """The rules of ``tenant_id``."""
        return self._tenants.get(tenant_id, self._general)
