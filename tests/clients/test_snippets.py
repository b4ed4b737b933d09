"""The programs of the documentation answer as they stand there, each with the client that it imports."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.chaos.stack import Stack
from tests.clients.environments import CLIENTS, command
from tests.unit.docs.pages import ROOT, Block, blocks

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

BLOCKS = [
    block
    for block in blocks("python", "js", "sh", pages=[ROOT / "README.md", ROOT / "docs/how-to/openai-clients.md"])
    if ("curl $OPENAI_BASE_URL" if block.language == "sh" else "openai") in block.text
]
IMPORTS = {
    "instructor": "instructor",
    "litellm": "litellm",
    "langchain_openai": "langchain",
    "pydantic_ai": "pydantic-ai",
    "llama_index": "llama-index",
    "@ai-sdk": "vercel-ai",
    'from "openai"': "openai-node",
    "from openai": "openai-python",
    "curl": "curl",
}
"""The first that stands in a program says by which client it asks."""


def client_of(block: Block) -> str:
    return next(client for mark, client in IMPORTS.items() if mark in block.text)


def test_all_clients_have_a_program() -> None:
    found = {client_of(block) for block in BLOCKS}
    assert found == {name for name, client in CLIENTS.items() if client.acts}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{client_of(block)}-{block.line}")
def test_a_program_answers(block: Block, stack: Stack, tmp_path: Path) -> None:
    url, key = stack.door()
    start, program = command(CLIENTS[client_of(block)]), Path(command(CLIENTS[client_of(block)])[1])
    text = block.text
    if block.language == "js":
        place = program.with_name(f"snippet-{block.line}.mjs")  # modules are looked for from there
    else:
        place = tmp_path / f"snippet.{block.language}"
    if block.language == "sh":
        start = ["bash", "-eu"]
        text = "\n".join(line for line in text.splitlines() if not line.startswith(("export ", "forebay ", "echo ")))
        text = text.replace("/requests/ID", "/models")  # an id of the answer above it
    place.write_text(text, "utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("FOREBAY_", "PYTHON"))}
    own |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    own["PATH"] = f"{Path(sys.executable).parent}:{own['PATH']}"
    done = subprocess.run(
        [*(start[:1] if block.language != "sh" else start), str(place)],
        env=own, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "19" in done.stdout or '"in_progress"' in done.stdout
