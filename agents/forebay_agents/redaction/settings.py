"""What can be set about redaction?"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from forebay.settings import Others, Section
from forebay.settings.faults import meant, nearest, shown
from forebay_agents.redaction.kinds import KINDS


class Action(StrEnum):
    """What happens to a finding.

    ``pseudonymise``: a tag that the response stage turns back; ``mask``: ``****``; ``hash``: the same keyed hash for
    the same value, also across requests; ``drop``: removed; ``block``: the request is rejected; ``allow``: left.
    """

    PSEUDONYMISE = "pseudonymise"
    MASK = "mask"
    HASH = "hash"
    DROP = "drop"
    BLOCK = "block"
    ALLOW = "allow"


class Profile(StrEnum):
    """How much of what is found goes.

    ``strict``: all of it; ``balanced``: but for public knowledge that a question or a task is about (places, people of
    history and fiction, brands), in languages with lists of cues.
    """

    STRICT = "strict"
    BALANCED = "balanced"


PublicKind = Literal["places", "people", "eponyms", "brands"]
PUBLIC_KINDS: tuple[PublicKind, ...] = ("places", "people", "eponyms", "brands")
_NAMES_MODELS = ("builtin", "spacy", "gliner", "transformers", "none")
_KIND = re.compile(r"[A-Z][A-Z0-9_]{1,40}")


class Custom(BaseModel):
    """A recogniser of your own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity: str = Field(description="Entity type, in capitals: EMPLOYEE_ID.")
    regex: str = Field(
        "", description="Pattern of a finding (Python's `regex` syntax), searched without regard to case."
    )
    words: tuple[str, ...] = Field((), description="Words and phrases that are findings.")
    context: tuple[str, ...] = Field((), description="If given, one of these words must stand within 64 characters.")
    score: float = Field(0.8, gt=0, le=1, description="Score of a finding.")

    @field_validator("entity")
    @classmethod
    def _entity(cls, value: str) -> str:
        if not _KIND.fullmatch(value):
            raise ValueError("an entity type is made of capitals, digits and _")
        return value


class TenantRules(BaseModel):
    """What one tenant wants otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: dict[str, Action] = Field(default_factory=dict, description="Entity type to action.")
    allow: tuple[str, ...] = Field((), description="Values that are never redacted; in addition to the general ones.")
    deny: tuple[str, ...] = Field((), description="Values that are always redacted; in addition to the general ones.")
    surrogates: bool | None = Field(None, description="See redaction.surrogates.")
    profile: Profile | None = Field(None, description="See redaction.profile.")
    looser_requests: bool = Field(
        False, description="Whether a request of the tenant may ask for a looser profile than the tenant's."
    )


class RedactionSettings(Section):
    """Redaction."""

    section: ClassVar[str] = "redaction"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_REDACTION_")

    max_messages: int = Field(1_000, ge=1, description="Most messages of a request.")
    max_chars: int = Field(2_000_000, ge=1_000, description="Most characters of all texts of a request together.")
    threads: int = Field(1, ge=1, le=64, description="Threads that look for personal data, per worker.")
    processes: int = Field(
        0, ge=0, le=64, description="Processes instead of threads; worth it from four cores on. 0: threads."
    )
    kept_requests: int = Field(
        4_096,
        ge=0,
        description="Requests of which is kept what was found (places and types under a digest, never text), per "
        "thread pool or process, for when they come again: one or two kB each. 0: none.",
    )
    kept_windows: int = Field(
        256,
        ge=0,
        description="Pieces of long texts (about 90 words) whose reading by the names model is kept, sealed under "
        "their own text, per thread pool or process, so that earlier turns and system prompts are not read anew: "
        "160 kB each at most. 0: none.",
    )
    look_ahead: int = Field(
        512,
        ge=1,
        description="Requests read ahead, per worker, so that tenants can take turns: to see past one tenant's flood.",
    )
    timeout_s: float = Field(
        180.0, gt=0, description="Longest time for one request, in seconds: a megabyte takes about 30."
    )
    seconds_per_char: float = Field(
        0.0005,
        gt=0,
        description="Longest processor time for a character, in seconds, beside 5 s for any request; beyond it the "
        "request fails closed. Ordinary text takes 0.00003.",
    )
    names: str = Field(
        "builtin",
        description="What finds people and places: builtin (or builtin:FILE, a head of your own training); "
        "spacy or spacy:PATH; gliner:MODEL or transformers:MODEL "
        "(through Presidio, which needs their packages); none.",
    )
    threshold: float = Field(
        0.45, gt=0, lt=1, description="Probability from which a word is part of a name or a place; lower finds more."
    )
    min_score: float = Field(0.4, gt=0, le=1, description="Least score of a finding of the other recognisers.")
    languages: tuple[str, ...] = Field(
        ("en", "de", "fr", "es", "it", "pt", "nl"),
        description="Languages in which names and places are looked for. The names model is best in English.",
    )
    other_languages: Literal["structured", "names", "block"] = Field(
        "names",
        description="For other languages: structured: only structured identifiers; names: look for names all the same; "
        "block: reject the request.",
    )
    profile: Profile = Field(
        Profile.BALANCED,
        description="strict: all that is found goes. balanced: public knowledge that a question or a task is about "
        "stays (the capital of Peru, Newton's law); in doubt it goes.",
    )
    public: tuple[PublicKind, ...] = Field(PUBLIC_KINDS, description="What may stay with the profile balanced.")
    policy: dict[str, Action] = Field(
        default_factory=dict,
        description="Entity type to action; pseudonymise unless given. The type DEFAULT is for all others.",
    )
    allow: tuple[str, ...] = Field((), description="Values that are never redacted, without regard to case.")
    deny: tuple[str, ...] = Field((), description="Values that are always redacted, as type DENIED.")
    custom: tuple[Custom, ...] = Field((), description="Recognisers of your own.")
    tenants: dict[str, TenantRules] = Field(default_factory=dict, description="Tenant to what it wants otherwise.")
    surrogates: bool = Field(
        False, description="Realistic stand-ins instead of tags for people, places, e-mail and phones (needs Faker)."
    )
    hash_key: SecretStr = Field(SecretStr(""), description="Key of the action hash; give it through the environment.")
    custom_timeout_ms: int = Field(
        250, ge=1, description="Longest time of one custom pattern on one text; beyond it the request fails closed."
    )

    def read_with(self, profile: Profile) -> "RedactionSettings":
        """These settings, but that all tenants have ``profile``."""
        tenants = {name: rules.model_copy(update={"profile": None}) for name, rules in self.tenants.items()}
        return self.model_copy(update={"profile": profile, "tenants": tenants})

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Entity types that nothing finds, names models that there are not, and a hash without its key."""
        yield from self._unknown_kinds(("policy",), self.policy)
        for tenant, rules in self.tenants.items():
            yield from self._unknown_kinds(("tenants", tenant, "policy"), rules.policy)
        policies = [self.policy, *(rules.policy for rules in self.tenants.values())]
        if any(Action.HASH in policy.values() for policy in policies) and not self.hash_key.get_secret_value():
            yield ("hash_key",), "the action hash needs it (FOREBAY_REDACTION_HASH_KEY)"
        chosen, _, model = self.names.partition(":")
        if chosen not in _NAMES_MODELS:
            yield ("names",), f"there is no names model {shown(chosen)}{meant(chosen, _NAMES_MODELS)}"
        if chosen == "builtin" and model and not Path(model).is_file():
            yield ("names",), f"there is no file {model}"
        for at, custom in enumerate(self.custom):
            if not custom.regex and not custom.words:
                yield ("custom", at), f"{custom.entity} needs a regex or words"

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """What is not redacted since a setting says so."""
        if self.names == "none":
            yield "names", "people and places are not looked for: no redaction of names"
        yield from self._let_through("policy", "", self.policy)
        for tenant, rules in self.tenants.items():
            yield from self._let_through("tenants", f" of {shown(tenant)}", rules.policy)

    def _unknown_kinds(
        self, path: tuple[str, ...], policy: Mapping[str, Action]
    ) -> Iterator[tuple[tuple[str | int, ...], str]]:
        known = {*KINDS, *(custom.entity for custom in self.custom)}
        foreign = self.names.startswith(("gliner", "transformers"))  # whose models name what they find themselves
        for kind in policy:
            if kind not in known and not (foreign and not nearest(kind, known)):
                yield (*path, kind), f"nothing finds such an entity type{meant(kind, known)}"

    def _let_through(self, key: str, whose: str, policy: Mapping[str, Action]) -> Iterator[tuple[str, str]]:
        allowed = sorted(kind for kind, action in policy.items() if action is Action.ALLOW)
        if allowed:
            every = "personal data of all other types" if "DEFAULT" in allowed else ""
            kinds = ", ".join(filter(None, [*(kind for kind in allowed if kind != "DEFAULT"), every]))
            yield key, f"requests{whose} reach providers with {kinds}: no redaction"
