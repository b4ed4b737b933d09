"""What does the HTTP door take, and which status has which error? From the tables that the door itself goes by."""

from itertools import groupby

from forebay.edge.asked.parsing import IGNORED, NEUTRAL, OWN, PASSED
from forebay.edge.errors import ROWS
from forebay.reference.markdown import code, page, table, wrapped

_PATHS = (
    ("POST /v1/chat/completions", "a question: JSON, or with `stream` events"),
    ("GET /v1/models", "`auto` and the tiers that the key may use"),
    ("GET /v1/models/ID", "one of them"),
    (
        "GET /v1/requests/ID?wait=S",
        """what became of a request of the key's tenant; waits up to 60 s. `in_progress` is known to the door that took
        the request; every other one has the answer as soon as it is there, so ask with `wait`. What is older than
        `edge.recent_s` is looked for in its topic from the time in its id on (of an id made of `idempotency-key`: of
        the last hour), in 20,000 records, 64 MiB or 3 s at most""",
    ),
    ("POST /v1/feedback", '`{"request_id", "rating": "up" or "down", "reason"?}`; `reason` is a code of a-z and _'),
    ("GET /healthz", "whether it lives; `/readyz` and `/metrics` are on `worker.port`"),
)
_HEADERS = (
    ("authorization", "`Bearer KEY`: who asks, and nothing else says it"),
    ("idempotency-key", """1 to 255 printable characters: the same key with the same body is the same request, at every
     door, for `completion.keep_s`; with another body it is refused. After a failure with `retry-after` it is a new
     try of that request, and what was paid is not paid again"""),
    ("prefer", "`respond-async`: 202 as soon as the brokers have it; `wait=S`: shorter patience, up to 60 s"),
    ("cache-control", "`no-cache`: answer afresh and keep that; `no-store`: leave the cache alone"),
    ("x-forebay-conversation", "id of the conversation, in which pseudonyms stay the same"),
    ("x-forebay-deadline-ms", "milliseconds after which nobody wants the answer"),
    ("x-forebay-redaction", "`strict` or `balanced`, if the key allows it"),
    ("x-forebay-stream", """`early`, with `stream`: the tier is chosen before it writes (`edge.early_accept`), so its
     answer comes live and is not escalated; what was not good enough by itself is `degraded` in the record"""),
    ("x-forebay-user", "who asks, for keys with `--user-from-header` alone"),
    ("traceparent", "goes on in the record"),
)  # fmt: skip


def http_page() -> str:
    """``docs/reference/http.md``."""
    bodies = [
        ["passed", _codes(PASSED - {"forebay"})],
        ["Forebay's own, inside `forebay`", _codes(OWN)],
        ["ignored, by design: who asks is said by the key alone", _codes(IGNORED)],
        ["refused, but for values that promise nothing", _codes(NEUTRAL)],
        ["any other field", "ignored and counted; refused with `edge.strict`"],
    ]
    told = sorted(ROWS.items(), key=lambda item: (item[1].status, item[1].kind, item[1].code or item[0]))
    errors = []
    for (status, kind, again), rows in groupby(told, key=lambda item: (item[1].status, item[1].kind, item[1].repeat)):
        names = ", ".join(code(name) + (f" (told as {code(row.code)})" if row.code else "") for name, row in rows)
        errors.append([str(status), code(kind), "" if again else code("x-should-retry: false"), names])
    return page(
        "HTTP",
        "streams/forebay/edge",
        wrapped(_INTRODUCTION),
        "## Paths",
        table(["path", "what"], [[code(path), words] for path, words in _PATHS]),
        "## Body of a question",
        table(["fields", "which"], bodies),
        "## Headers",
        table(["header", "what"], [[code(name), words] for name, words in _HEADERS]),
        wrapped(_ANSWERED),
        "## Errors",
        wrapped(_ERRORS),
        table(["status", "`type`", "", "codes"], errors),
    )


_INTRODUCTION = (
    "What `forebay worker edge` serves, in OpenAI's words. How clients are set up: "
    "[clients of OpenAI](../how-to/openai-clients.md). Paths work without `/v1` too; all else is 404 or 405 as JSON."
)
_ANSWERED = (
    "Every answer has `x-request-id`, `x-forebay-source`, `x-forebay-tier`, `x-forebay-cost-nanousd`, "
    "`x-forebay-saved-nanousd` and `x-forebay-degraded`; one that was there already `idempotent-replayed: true`. Where "
    "the key has limits, answers to questions have `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`: a minute's "
    "worth, what of it can be had at once (ten seconds' worth at most), and when it is all free again. A "
    "stream has them where its record was there before its first chunk. A stream that cannot end as its record says "
    'ends with `data: {"error": …}` and a closed connection, without `[DONE]`.'
)
_ERRORS = (
    'The body is `{"error": {"message", "type", "param", "code"}}`. What must not be repeated blindly says '
    "`x-should-retry: false`, which clients of OpenAI obey. What the codes of records mean: "
    "[error codes](errors.md)."
)


def _codes(names: object) -> str:
    assert isinstance(names, frozenset | tuple | dict)
    return ", ".join(code(name) for name in (names if isinstance(names, tuple) else sorted(names)))
