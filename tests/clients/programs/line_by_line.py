"""How is a client driven? A line of JSON in, a line of JSON out; the same for all of them, in every language.

In: ``do`` (an act), ``model``, ``key``, ``prompt``, ``headers``. Out: what the act found, or ``{"error": {"kind",
"status", "code", "said"}}`` as the client's own exception has them. ``OPENAI_BASE_URL`` says where the door is.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

BASE_URL = os.environ.get("OPENAI_BASE_URL", "")
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
    },
}
"""The tool that all offer."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is to be asked."""

    prompt: str = ""
    model: str = "small"
    key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[Any]:
        return [{"role": "user", "content": self.prompt}]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def serve(acts: Mapping[str, Callable[[Ask], Any]]) -> None:
    """Answer lines until there are no more; what else a client says is no answer."""
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"acts": sorted(acts)}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told = acts[asked.pop("do")](Ask(**asked))
        except Exception as error:  # noqa: BLE001 - whatever a client raises is what is asked for
            traceback.print_exc()
            told = {"error": _told(error)}
        print(json.dumps(told), file=answers, flush=True)


def _told(error: BaseException) -> dict[str, Any]:
    """Status and code stand in the exception, or in the one that it was made of."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)

    def of(name: str) -> Any:
        found = [getattr(one, name, None) for one in causes]
        return next((one for one in found if isinstance(one, int | str)), None)

    return {"kind": type(error).__name__, "status": of("status_code"), "code": of("code"), "said": str(error)[:2_000]}
