"""What does the simulated provider do? Its script: one validated tree, that the admin endpoint can change live.

Times are milliseconds where the name ends in ``_ms`` and seconds where it ends in ``_s``; prices are nano-dollars a
token; shares are probabilities. docs/reference/simulator.md explains every key.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NamedFault = Literal["context_length", "content_policy", "hang", "refuse", "disconnect", "cut", "malformed"]
FaultKind = Annotated[str, StringConstraints(pattern=r"^[45]\d\d$")] | NamedFault
"""A number: refused with that status. ``hang``: accepts and never answers; ``refuse``: closes the connection before
a byte; ``disconnect``: closes it in the middle of the answer; ``cut``: ends a stream there as if that were its end
(``disconnect`` where nothing streams); ``malformed``: answers 200 with broken JSON."""

BillRule = Literal["generated", "always", "never"]
"""Whether a call that did not reach its client is paid: only if generation had begun, always, or never."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tail(_Part):
    """A share of the calls takes ``ms`` longer."""

    share: float = Field(0.0, ge=0, le=1)
    ms: float = Field(0.0, ge=0)


class Latency(_Part):
    """Time to the first token, pace of the others, and stalls in the middle of an answer.

    ``fixed`` takes ``first_token_ms`` each time; ``lognormal`` has it as its median, with ``sigma`` the standard
    deviation of the logarithm. ``tokens_per_s`` 0: all tokens at once.
    """

    kind: Literal["fixed", "lognormal"] = "fixed"
    first_token_ms: float = Field(0.0, ge=0)
    sigma: float = Field(0.5, ge=0)
    tail: Tail = Tail()
    tokens_per_s: float = Field(0.0, ge=0)
    stall: Tail = Tail()


class Quality(_Part):
    """Probability of a right answer: ``floor + (ceiling - floor) * sigmoid(slope * (skill - difficulty))``.

    ``correlation`` is how much of the luck belongs to the prompt and not to the model: at 1, what a weak model gets
    right, an equally skilled one gets right too. The logarithm of the probability of the answer's tokens is drawn
    around ``-exp(log_doubt)`` with ``doubt_sigma``: apart for right and wrong answers, but overlapping.
    """

    skill: float = 0.7
    slope: float = 8.0
    floor: float = Field(0.0, ge=0, le=1)
    ceiling: float = Field(1.0, ge=0, le=1)
    correlation: float = Field(0.3, ge=0, le=1)
    log_doubt_right: float = -2.3
    log_doubt_wrong: float = -0.7
    doubt_sigma: float = Field(0.7, ge=0)
    hedged_wrong: float = Field(0.15, ge=0, le=1, description="share of wrong answers that say so")
    broken_json: float = Field(0.0, ge=0, le=1, description="share of structured answers that are not valid")


class Limits(_Part):
    """What the provider enforces with 429; 0 is no limit."""

    rpm: int = Field(0, ge=0)
    tpm: int = Field(0, ge=0)
    concurrency: int = Field(0, ge=0)
    context_tokens: int = Field(0, ge=0, description="longest prompt plus answer; 400 context_length_exceeded above")


class Shape(_Part):
    """What is odd about the answers of a model: JSON texts that stand, word for word, in the place of its own values.

    ``usage``: several are sent in so many chunks of a stream, the last alone in a whole answer; an empty list: nothing
    is counted.
    """

    body: str | None = Field(None, description="all of the response, with status 200")
    choices: str | None = None
    message: str | None = Field(None, description="in a stream, each delta with text")
    content: str | None = Field(None, description="in a stream, of each delta with text")
    finish: str | None = Field(None, description="finish_reason")
    usage: tuple[str, ...] | None = None
    usage_at: Literal["start", "each", "end"] = "end"
    no_end: bool = Field(False, description="a stream stops behind its text, without a finish reason")
    broken_end: bool = Field(False, description="the connection breaks behind the finish reason of a stream")


class Model(_Part):
    """One model; ``instant`` answers with prepared bytes and ignores latency, quality, errors and limits."""

    input_nanousd: int = Field(150, ge=0)
    output_nanousd: int = Field(600, ge=0)
    latency: Latency = Latency()
    errors: Mapping[FaultKind, float] = Field(default_factory=dict)
    retry_after_s: float = Field(1.0, ge=0)
    quality: Quality = Quality()
    answer_tokens: int = Field(24, ge=1, description="median length of an answer")
    answer_sigma: float = Field(0.3, ge=0)
    repeats: bool = Field(False, description="begin an answer with the whole prompt")
    token_chars: int = Field(0, ge=0, description="characters of a token; 0: tokens are words")
    limits: Limits = Limits()
    shape: Shape = Shape()
    instant: bool = False


class Outage(_Part):
    """``models`` (``*``: all) fail with ``kind``, between two times since the start or the last reset."""

    from_s: float = Field(0.0, ge=0)
    to_s: float = Field(..., ge=0)
    kind: FaultKind = "503"
    models: tuple[str, ...] = ("*",)
    share: float = Field(1.0, ge=0, le=1)


class Script(_Part):
    """Everything. ``models``: by the name that requests carry; ``*`` stands for every other name."""

    seed: int = 0
    models: Mapping[str, Model] = Field(default_factory=lambda: {"*": Model()})
    outages: tuple[Outage, ...] = ()
    bill_client_gone: BillRule = "generated"
    bill_disconnect: BillRule = "generated"
    hang_s: float = Field(600.0, ge=0)
    default_difficulty: float = 0.3
    chunk_tokens: int = Field(4, ge=1, description="tokens in one chunk of a stream")

    def model(self, name: str) -> Model | None:
        """The script of model ``name``; ``None`` if there is none and no ``*``."""
        return self.models.get(name) or self.models.get("*")

    def outage(self, model: str, elapsed_s: float) -> Outage | None:
        """The first outage that covers ``model`` at ``elapsed_s``."""
        for outage in self.outages:
            if outage.from_s <= elapsed_s < outage.to_s and ("*" in outage.models or model in outage.models):
                return outage
        return None


PROFILES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "instant": {"models": {"*": {"instant": True}}},
    "tiers": {
        "models": {
            "small": {
                "input_nanousd": 50,
                "output_nanousd": 200,
                "latency": {"kind": "lognormal", "first_token_ms": 80, "sigma": 0.4, "tokens_per_s": 400},
                "quality": {"skill": 0.45},
            },
            "medium": {
                "input_nanousd": 400,
                "output_nanousd": 1_600,
                "latency": {"kind": "lognormal", "first_token_ms": 200, "sigma": 0.4, "tokens_per_s": 200},
                "quality": {"skill": 0.7},
            },
            "large": {
                "input_nanousd": 2_500,
                "output_nanousd": 10_000,
                "latency": {
                    "kind": "lognormal",
                    "first_token_ms": 500,
                    "sigma": 0.5,
                    "tail": {"share": 0.01, "ms": 4_000},
                    "tokens_per_s": 80,
                },
                "quality": {"skill": 1.0},
            },
        }
    },
}
"""Scripts to start from: no misbehaviour; as little CPU a call as possible; three tiers that differ."""


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7396): objects are merged, ``None`` removes a key, all else replaces."""
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            old = result.get(key)
            result[key] = merged(old if isinstance(old, Mapping) else {}, value)
        else:
            result[key] = value
    return result
