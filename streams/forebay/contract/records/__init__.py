"""What flows through the topics: one frozen dataclass for each Avro schema in ``schemas/``.

The schema files are the contract with other languages; a test proves that these classes equal them field by field,
type by type and default by default. Times are milliseconds since the epoch in UTC, money is nano-dollars
(1e-9 US dollars), ids are UUIDv7 strings.
"""

from forebay.contract.records.alerting import Alert, AlertState, Notification, Severity, Silence
from forebay.contract.records.conversation import (
    CacheMode,
    CachePolicy,
    Message,
    MessageRole,
    Params,
    RedactedRequest,
    Request,
)
from forebay.contract.records.history import Outcome
from forebay.contract.records.keys import ApiKey, KeyRole
from forebay.contract.records.money import CallPurpose, Spend, UsageEvent, UsageStatus, WindowKind
from forebay.contract.records.operations import AuditEvent, DeadLetterAction, DeadLetterState
from forebay.contract.records.outcome import (
    AnswerSource,
    Attempt,
    Completion,
    Delta,
    Error,
    Response,
    ResponseStatus,
    without_ref,
)
from forebay.contract.records.quality import (
    CacheCheck,
    Correction,
    CorrectionAction,
    Evaluation,
    Feedback,
    FeedbackRating,
    ReviewReason,
    ReviewTask,
)

Record = (
    Request
    | RedactedRequest
    | Completion
    | Response
    | UsageEvent
    | Spend
    | Evaluation
    | Alert
    | Notification
    | Silence
    | ReviewTask
    | Feedback
    | Correction
    | CacheCheck
    | DeadLetterState
    | AuditEvent
    | ApiKey
    | Delta
    | Outcome
)
"""Any record that is the value of a topic."""

__all__ = [
    "Alert",
    "AlertState",
    "AnswerSource",
    "ApiKey",
    "Attempt",
    "AuditEvent",
    "CacheCheck",
    "CacheMode",
    "CachePolicy",
    "CallPurpose",
    "Completion",
    "Correction",
    "CorrectionAction",
    "DeadLetterAction",
    "DeadLetterState",
    "Delta",
    "Error",
    "Evaluation",
    "Feedback",
    "FeedbackRating",
    "KeyRole",
    "Message",
    "MessageRole",
    "Notification",
    "Outcome",
    "Params",
    "Record",
    "RedactedRequest",
    "Request",
    "Response",
    "ResponseStatus",
    "ReviewReason",
    "ReviewTask",
    "Severity",
    "Silence",
    "Spend",
    "UsageEvent",
    "UsageStatus",
    "WindowKind",
    "without_ref",
]
