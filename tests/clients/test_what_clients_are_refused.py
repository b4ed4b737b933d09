"""Each client sees in its own words why it was refused: status, code, and an exception that it has for that."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from loadtest.chaos.stack import Stack
from tests.clients.conftest import Program
from tests.clients.environments import CLIENTS

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

Programs = Callable[[str], Program]
ASKING = [name for name, client in CLIENTS.items() if client.acts]
OPENAIS = ("openai-python", "openai-node", "curl")
"""They say which class of error it is, and send any header."""


def refusal(told: Any, status: int, code: str) -> str:
    """The kind of its exception, once it says what it has to."""
    error = told["error"]
    assert error["status"] == status, error
    assert code in (error["code"], *error["said"].replace("'", '"').split('"')), error
    return str(error["kind"])


@pytest.mark.parametrize("name", ASKING)
def test_a_wrong_key(programs: Programs, name: str) -> None:
    kind = refusal(programs(name)("chat", key="fb-aaaaaaaaaaaa-wrong"), 401, "invalid_api_key")
    assert name not in ("openai-python", "openai-node") or kind == "AuthenticationError"


@pytest.mark.parametrize("name", ASKING)
def test_a_model_that_is_none(programs: Programs, name: str) -> None:
    kind = refusal(programs(name)("chat", model="huge"), 404, "model_not_found")
    assert name not in ("openai-python", "openai-node") or kind == "NotFoundError"


@pytest.mark.parametrize("name", ASKING)
def test_a_value_that_cannot_be(programs: Programs, name: str) -> None:
    kind = refusal(programs(name)("bad"), 400, "invalid_value")
    assert name not in ("openai-python", "openai-node") or kind == "BadRequestError"


@pytest.mark.parametrize("name", ASKING)
def test_a_key_that_may_look_only(programs: Programs, keys: Mapping[str, str], name: str) -> None:
    kind = refusal(programs(name)("chat", key=keys["reader"]), 403, "not_allowed")
    assert name not in ("openai-python", "openai-node") or kind == "PermissionDeniedError"


@pytest.mark.parametrize("name", ASKING)
def test_a_key_that_has_ended(programs: Programs, keys: Mapping[str, str], name: str) -> None:
    refusal(programs(name)("chat", key=keys["expired"]), 401, "expired_api_key")


@pytest.mark.parametrize("name", OPENAIS)
def test_another_body_under_the_same_idempotency_key(programs: Programs, name: str) -> None:
    named = {"idempotency-key": f"same {name}"}
    assert "text" in programs(name)("chat", f"First by {name}: what is 80 + 1?", headers=named)
    kind = refusal(
        programs(name)("chat", f"Second by {name}: what is 80 + 2?", headers=named), 409, "idempotency_conflict"
    )
    assert kind in ("ConflictError", "Refused")


@pytest.mark.parametrize("name", OPENAIS)
def test_too_many_a_minute(programs: Programs, stack: Stack, new_key: Callable[..., str], name: str) -> None:
    key = new_key(requests_per_minute=1)
    told = [programs(name)("chat", f"{number} of many by {name}: what is 90 + 1?", key=key) for number in range(4)]
    kind = refusal(told[-1], 429, "rate_limit_exceeded")
    assert kind in ("RateLimitError", "Refused")


@pytest.mark.parametrize("name", OPENAIS)
def test_a_deadline_that_has_passed(programs: Programs, name: str) -> None:
    late = {"x-forebay-deadline-ms": "1"}
    kind = refusal(programs(name)("chat", f"Late by {name}: what is 90 + 2?", headers=late), 504, "deadline_exceeded")
    assert kind in ("InternalServerError", "Refused")


@pytest.mark.parametrize("name", OPENAIS)
def test_a_provider_that_refuses_the_content(programs: Programs, stack: Stack, name: str) -> None:
    stack.provider({"models": {"large": {"errors": {"content_policy": 1.0}}}})
    try:
        told = programs(name)("stream", f"Refused by {name}: what is 90 + 3?", model="large")
    finally:
        stack.provider({"models": {"large": {"errors": None}}})
    kind = refusal(told, 400, "content_filter")
    assert kind in ("BadRequestError", "Refused")
