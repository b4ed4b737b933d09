"""What do the two local models answer, are they right, and how sure were they? Rows for ``forebay tiers simulate``.

Sums, products and plain questions of general knowledge; answers, token log-probabilities and token counts come from the
models themselves, prices from forebay.yaml. Two seconds a prompt.
"""

import json
import math
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from forebay.embedded.ports import FIRST, LAST, is_free
from forebay.embedded.servers.models import TIERS, model_part
from forebay.embedded.settings import EmbeddedSettings

PRICES = {"small": (0.05, 0.20), "large": (0.50, 2.00)}
"""US dollars per million tokens, input and output, as in forebay.yaml."""

_CAPITALS = (
    "France:Paris Italy:Rome Spain:Madrid Japan:Tokyo Egypt:Cairo Norway:Oslo Greece:Athens Austria:Vienna Peru:Lima "
    "Cuba:Havana Kenya:Nairobi Poland:Warsaw Portugal:Lisbon Russia:Moscow China:Beijing Ireland:Dublin "
    "Sweden:Stockholm Hungary:Budapest Thailand:Bangkok Iran:Tehran Iraq:Baghdad Denmark:Copenhagen "
    "Finland:Helsinki Belgium:Brussels"
)
_OPPOSITES = "hot:cold big:small up:down day:night old:young fast:slow left:right open:closed happy:sad rich:poor"
_CONTINENTS = (
    "France:Europe Kenya:Africa Japan:Asia Brazil:America Egypt:Africa India:Asia Norway:Europe Peru:America "
    "Nigeria:Africa Canada:America Vietnam:Asia Poland:Europe"
)
_PLURALS = "child:children mouse:mice foot:feet tooth:teeth man:men goose:geese city:cities box:boxes leaf:leaves"
_AFTER = "Monday:Tuesday Friday:Saturday Sunday:Monday March:April July:August October:November December:January"
_SYMBOLS = "gold:Au silver:Ag iron:Fe oxygen:O hydrogen:H carbon:C sodium:Na helium:He copper:Cu lead:Pb"
_YOUNG = "dog:puppy cat:kitten cow:calf sheep:lamb horse:foal hen:chick lion:cub"
_ASKED = (
    ("What is the capital of {}?", _CAPITALS),
    ("What is the opposite of {}?", _OPPOSITES),
    ("On which continent is {}?", _CONTINENTS),
    ("What is the plural of {}?", _PLURALS),
    ("What comes after {}?", _AFTER),
    ("What is the chemical symbol of {}?", _SYMBOLS),
    ("What is a young {} called?", _YOUNG),
)


def prompts(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Questions with the word or number that a right answer has to hold."""
    draw = random.Random(seed)
    known = {asked.format(a): b for asked, pairs in _ASKED for a, b in _pairs(pairs)}
    while len(known) < count:
        digits = draw.choice((1, 1, 2, 2, 3))
        a, b = draw.randrange(10 ** (digits - 1), 10**digits), draw.randrange(1, 10**digits)
        if draw.random() < 0.3:
            known[f"What is {a} times {b % 10}?"] = str(a * (b % 10))
        else:
            known[f"What is {a} + {b}?"] = str(a + b)
    return draw.sample(sorted(known.items()), count)


def record(count: int) -> Iterator[dict[str, Any]]:
    """One row a prompt; the servers are stopped afterwards."""
    servers: list[subprocess.Popen[bytes]] = []
    ports: dict[str, int] = {}
    try:
        for tier in TIERS:
            ports[tier] = next(p for p in range(FIRST, LAST) if is_free(p) and p not in ports.values())
            part, _ = model_part(tier, ports[tier], EmbeddedSettings())
            servers.append(subprocess.Popen(part.command, env=dict(part.environment), stdout=subprocess.DEVNULL))
        for port in ports.values():
            _wait(port)
        for question, truth in prompts(count):
            models = {tier: _ask(port, question, truth, PRICES[tier]) for tier, port in ports.items()}
            yield {"prompt": question, "models": models}
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(30)


def _ask(port: int, question: str, truth: str, price: tuple[float, float]) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": question}], "max_tokens": 24, "temperature": 0, "logprobs": True}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        found = json.load(response)
    choice, usage = found["choices"][0], found["usage"]
    answer = choice["message"]["content"]
    tokens = [token["logprob"] for token in (choice.get("logprobs") or {}).get("content") or []]
    words = [word.strip(".,!?*\"'()").lower() for word in answer.split()]
    row = {
        "answer": answer,
        "correct": int(truth.lower() in words),
        "cost": (usage["prompt_tokens"] * price[0] + usage["completion_tokens"] * price[1]) / 1e6,
    }
    known = [value for value in tokens if math.isfinite(value)]
    return row | ({"logprob": sum(known) / len(known)} if known else {})


def _wait(port: int, limit_s: float = 120) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    sys.exit(f"no model answers on port {port}")


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(pair.split(":")[0], pair.split(":")[1]) for pair in text.split()]
