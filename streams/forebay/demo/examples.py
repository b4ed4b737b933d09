"""Which requests does the demo send? Those of ``examples/requests.jsonl``, in its order.

A line ``{"request_id", "raw_base64"}`` is a record of just these bytes: what a broken producer would publish. A request
whose metadata has ``after`` is sent once the request of that id was answered: that is how a cache can help it.
One whose metadata has ``twin_of`` asks the same as that request of another place: its answer must be another one.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from forebay.contract.json_lines import request_from_line
from forebay.contract.records import Request

AFTER = "after"
TWIN = "twin_of"


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One line: a request, or the bytes of a record that is none."""

    request_id: str
    request: Request | None
    raw: bytes | None

    @property
    def after(self) -> str | None:
        """Id of the request that has to be answered first."""
        return self.request.metadata.get(AFTER) if self.request else None


def read_examples(path: Path) -> list[Example]:
    """The examples in ``path``. Raises ``ValueError`` on a line that is none."""
    examples = []
    for line in path.read_text("utf-8").splitlines():
        if not line.strip():
            continue
        content = json.loads(line)
        if "raw_base64" in content:
            raw = base64.b64decode(content["raw_base64"])
            examples.append(Example(request_id=content["request_id"], request=None, raw=raw))
        else:
            request = request_from_line(line)
            examples.append(Example(request_id=request.request_id, request=request, raw=None))
    return examples


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked by HTTP; a stream is shown while it is written."""

    model: str
    question: str
    stream: bool = False
    max_tokens: int | None = None


def read_questions(path: Path) -> list[Question]:
    """Questions of a file of JSON lines, in its order."""
    return [Question(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def read_personal_data(path: Path) -> list[str]:
    """The personal data in the examples, one value a line."""
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
