"""Which error codes are there? Each with its class, what it means, and what the operator does about it.

The order is that of ``docs/reference/errors.md``.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class FailureClass(StrEnum):
    """Who has to act: nobody yet, the producer, the requester, or a developer."""

    TRANSIENT = "transient"
    CONTRACT = "contract"
    BUSINESS = "business"
    BUG = "bug"


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorCode:
    """One stable error code: its class, what it means, and what the operator does."""

    code: str
    failure_class: FailureClass
    meaning: str
    action: str


def _catalogue(*rows: tuple[str, FailureClass, str, str]) -> MappingProxyType[str, ErrorCode]:
    return MappingProxyType(
        {
            code: ErrorCode(code=code, failure_class=kind, meaning=meaning, action=action)
            for code, kind, meaning, action in rows
        }
    )


_T, _C, _B, _X = FailureClass.TRANSIENT, FailureClass.CONTRACT, FailureClass.BUSINESS, FailureClass.BUG

CODES = _catalogue(
    # -- the bytes
    ("empty_message", _C, "The record has no value.", "Find the producer by the record's headers; nothing to replay."),
    ("not_avro", _C, "The value is not in the Confluent wire format.", "Have the producer use a registry serializer."),
    ("unknown_schema", _C, "No schema has the id in the record.", "Register the producer's schema, then replay."),
    (
        "undecodable",
        _C,
        "The value does not decode as its schema says.",
        "Have the producer fixed; replay with a transform.",
    ),
    (
        "record_too_large",
        _C,
        "The record unpacks to more than its topic takes; it was not read.",
        "Have the producer shorten it. The dead letter has its place and length, and nothing to replay.",
    ),
    (
        "unreadable",
        _C,
        "A record, or the rest of its batch, is broken: its checksum, its compression or its lengths.",
        "Look at the disks if it is the checksum, else find the producer; nothing to replay.",
    ),
    (
        "unreadable_seal",
        _C,
        "A sealed record cannot be opened with the keys at hand.",
        "Restore the vault key, then replay.",
    ),
    (
        "forged_retry",
        _C,
        "A record says that it comes back, and neither its stage nor an operator sent it; or it copies a replay.",
        "Find out who wrote it; after a stage lost its secret it is its own: replay it.",
    ),
    ("forged_correction", _C, "No task in reviews asks for this correction.", "Find who wrote it; decide it again."),
    ("unknown_review", _C, "A correction came before its task was read.", "None: forged_correction if there is none."),
    ("tenant_unproven", _C, "Nothing proves whose the record is.", "Check the producer's key, topic and clock."),
    ("tenant_mismatch", _C, "The record names another tenant than its writer's.", "Find the producer."),
    ("unknown_tenant", _C, "The tenant is not in tenants.known.", "Add it and restart, or find the producer."),
    (
        "invalid_request",
        _C,
        "The request breaks a rule of the contract.",
        "The message names the field; the producer fixes it.",
    ),
    (
        "implausible_entry",
        _C,
        "An entry of the ledger has numbers, times or ids that no call has; it is in no sum.",
        "Find the producer: stages alone write to usage.",
    ),
    (
        "idempotency_conflict",
        _C,
        "The request_id was used for a request with another body.",
        "The producer makes a new id for every request; the first one's answer stands.",
    ),
    (
        "request_too_large",
        _C,
        "The request exceeds kafka.max_record_bytes.",
        "The producer shortens it, or the limit is raised.",
    ),
    (
        "not_delivered",
        _T,
        "The brokers did not take the request (told by the client, never in a response).",
        "Restore the brokers; send it again with the same request_id.",
    ),
    ("output_invalid", _X, "A stage produced a record that does not fit its schema.", "Report as a bug, then replay."),
    (
        "output_too_large",
        _C,
        "A stage's output exceeds the topic's record size.",
        "Raise the limit or shorten the request.",
    ),
    # -- the stage
    (
        "handler_timeout",
        _T,
        "A handler took longer than stage.timeout_s.",
        "Look at what it calls; raise the limit if it is right.",
    ),
    ("retries_exhausted", _T, "Every retry failed.", "Mend the cause named in the message, then replay."),
    ("deadline_exceeded", _B, "The request's own deadline passed.", "None, unless it is frequent: then add capacity."),
    ("overloaded", _T, "More is asked than can be answered before its deadline.", "Come again later; add workers."),
    (
        "expired",
        _T,
        "The request's record was gone before a stage had read it: retention, or a topic that was deleted.",
        "Find out why it was not read in time (`forebay topics unanswered`); the requester may send it again.",
    ),
    ("bug", _X, "A handler raised an unexpected exception.", "Report the type and stage, fix, then replay."),
    (
        "ended_worker",
        _X,
        "Two workers ended while the record's code was running, so it is not run again.",
        "See how they ended (memory, a crash of a library); report the record; fix, then replay.",
    ),
    ("worker_lost", _T, "A worker died during a provider call.", "None; the invoice settles the cost."),
    # -- what stages depend on
    (
        "equal_in_flight",
        _T,
        "An equal request waits for its answer longer than cache.flight_wait_s.",
        "None: it is tried again once; raise cache.flight_wait_s if it is frequent.",
    ),
    (
        "redaction_interrupted",
        _T,
        "The process that looked for personal data died.",
        "Retries do the rest; if it goes on, look for its end in the system's log (memory) or use redaction.threads.",
    ),
    (
        "redis_full",
        _T,
        "Redis takes nothing new: its memory is full.",
        "Raise maxmemory; requests wait in Kafka meanwhile, and go on by themselves.",
    ),
    (
        "claim_lost",
        _T,
        "Another worker took a request over while this one stood still; its call was not made.",
        "None: the other worker answers. If it is frequent, look for what makes workers stand still.",
    ),
    ("redis_unavailable", _T, "Redis does not answer.", "Restore Redis; retries do the rest."),
    ("registry_unavailable", _T, "The schema registry does not answer.", "Restore it; retries do the rest."),
    ("unknown_answer", _T, "Feedback came before its answer was read.", "None: unknown_request if there is none."),
    ("answer_unavailable", _T, "No broker gives the answer that feedback speaks of.", "Restore the brokers."),
    ("unknown_request", _B, "Feedback on a request that is unknown or too old.", "None."),
    (
        "vault_expired",
        _B,
        "The pseudonym mapping is gone: expired or erased.",
        "None: the answer cannot be restored any more.",
    ),
    (
        "vault_mismatch",
        _C,
        "An answer names a pseudonym mapping that was made for another request; nothing was restored.",
        "Find out who writes to completions beside the stages: no stage makes such a record.",
    ),
    # -- personal data
    ("redaction_failed", _X, "Personal data could not be looked for.", "Mend what the message names, then replay."),
    (
        "redaction_too_slow",
        _X,
        "Looking for personal data took longer than redaction.seconds_per_char allows.",
        "Report the text as one that a pattern reads slowly, or raise the limit if the machine is slow; then replay.",
    ),
    (
        "language_unsupported",
        _B,
        "The request's language is not accepted (redaction.other_languages).",
        "None, or add the language to redaction.languages.",
    ),
    ("pii_blocked", _B, "The policy does not accept data of this kind.", "The requester leaves it out."),
    (
        "pii_egress",
        _X,
        "Personal data was about to leave: the last check before a call or a write stopped it.",
        "Report what kind it was; extend the recognisers; then replay.",
    ),
    # -- models
    ("provider_rate_limited", _T, "The provider answered 429.", "Raise the provider's limit or add a deployment."),
    ("provider_timeout", _T, "The provider took too long.", "Look at the provider's status; retries do the rest."),
    (
        "provider_unavailable",
        _T,
        "The provider failed or cannot be reached.",
        "Look at its status; retries do the rest.",
    ),
    (
        "provider_not_json",
        _T,
        "The provider answered 200 with what is no answer of its API: an HTML page, or other text.",
        "Look at the deployment's api_base and at proxies on the way; retries do the rest.",
    ),
    (
        "provider_no_answer",
        _T,
        "The provider answered without a choice, or with one that has no message.",
        "Look at its status; retries do the rest.",
    ),
    (
        "provider_cut_off",
        _T,
        "The provider's answer broke off in the middle.",
        "Look at its status and at proxies on the way; retries do the rest.",
    ),
    (
        "provider_no_end",
        _T,
        "The provider's stream ended without its last chunk.",
        "Look at its status and at proxies on the way; retries do the rest.",
    ),
    (
        "hedge_lost",
        _T,
        "Another deployment answered first, and this call was given up.",
        "Nothing; lower completion.hedge_share if second calls cost too much.",
    ),
    (
        "provider_auth",
        _B,
        "The provider refused our key, or what it may do (401, 402, 403).",
        "Renew the key or its credit, then replay.",
    ),
    (
        "provider_not_found",
        _B,
        "The provider knows no such model or path (404).",
        "Mend the deployment's model or api_base, then replay.",
    ),
    (
        "provider_bad_request",
        _C,
        "The provider says the request is wrong (a 4xx that will not get better).",
        "The producer fixes the request.",
    ),
    (
        "answer_not_text",
        _B,
        "The model answered with a part that is no text; the message names its type.",
        "The requester asks for text, or the model leaves the tier.",
    ),
    (
        "context_length",
        _B,
        "The request is too long for every tier.",
        "The producer shortens it, or add a larger tier.",
    ),
    ("content_policy", _B, "The provider refused the content.", "The requester rephrases."),
    (
        "budget_exceeded",
        _B,
        "The budget of the tenant, the user or the API key is used up; the message says whose, and until when.",
        "Raise the budget, or wait for the window.",
    ),
    (
        "rate_limited",
        _T,
        "The tenant, the user or the API key asks faster than its limit.",
        "Raise the limit, or have the application slow down.",
    ),
    ("max_cost", _B, "Every tier may cost more than the request allows.", "The requester raises max_cost_nanousd."),
    (
        "unpriced_model",
        _B,
        "Nobody knows what the model costs, and a budget, the request or `models.unpriced: refuse` limits money.",
        "Write its price into models.prices; `forebay prices check` names such deployments. 0 is a price.",
    ),
    ("channel_unavailable", _T, "A channel of `notify` takes no message now.", "Look at it; retries do the rest."),
    ("channel_refused", _B, "A channel of `notify` refuses a message for good.", "Mend notify.channels, then replay."),
    ("no_tier", _B, "No tier can serve the request.", "The message says which condition excluded every tier."),
    ("low_confidence", _B, "Every tier answered, none well enough.", "Look at quality; lower the floor or add a tier."),
)
"""Every error code, in the order of ``docs/reference/errors.md``."""
