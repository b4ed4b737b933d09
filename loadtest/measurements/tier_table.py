"""What do tiers save, and what do they lose? 10,000 questions of mixed difficulty, three simulated models, by policy.

Every model answers every question over real HTTP (30,000 calls to the simulator); what the policies would have made of
the recorded answers is then replayed: each model alone, the stage's rules as they are shipped, the tuned policy of
``forebay tiers simulate``, and the oracle. The workload is a help desk's: mostly short questions that any model can
answer, some that need the middle one, few hard ones (:data:`WORKLOADS`). The models see how hard a question is; the
router sees the question alone.

What is possible is arithmetic: if a share e of the questions is easy and the small model costs r of the large one's
price, then a perfect choice costs e r + (1 - e) of large-only. −90 % therefore needs r below 0.1 and nearly all that is
not easy in a middle tier, or left wrong: 95 % of the quality leaves room for one answer in twenty.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtest.provider import ProviderSimulator, is_right

Array = NDArray[np.float64]

MODELS: Mapping[str, tuple[int, int, float]] = {
    "small": (100, 400, 0.60),
    "middle": (400, 1_600, 0.78),
    "large": (2_500, 10_000, 1.0),
}
"""Nano-dollars a token, in and out, and skill. So are three models of one maker priced (0.10, 0.40, 2.50 US
dollars per million tokens in): the small one costs a 25th of the large one."""

WORKLOADS: Mapping[str, Mapping[str, float]] = {
    "help_desk": {"status": 0.45, "how_to": 0.35, "sum": 0.10, "compare": 0.07, "diagnose": 0.03},
    "mixed": {"status": 0.25, "how_to": 0.25, "sum": 0.20, "compare": 0.15, "diagnose": 0.15},
}
"""Shares of the kinds of question."""

_KINDS: Mapping[str, tuple[str, float, float]] = {
    # how it is asked, mean difficulty, its standard deviation
    "status": ("Where is order {n} for the {thing}?", 0.10, 0.05),
    "how_to": ("How do I return the {thing} that I bought in {place}?", 0.20, 0.10),
    "sum": ("What do {a} {thing}s at {b} euros each cost in total?", 0.35, 0.12),
    "compare": (
        "Compare the {thing} with last year's model and explain which one suits a {who} in {place}.",
        0.60,
        0.12,
    ),
    "diagnose": (
        (
            "My {thing} stopped after I moved to {place}: explain step by step why the light blinks {b} times and what "
            "that has to do with rule {a} of the manual."
        ),
        0.85,
        0.12,
    ),
}
_THINGS = ("lamp", "kettle", "router", "printer", "heater", "camera", "speaker", "drill")
_PLACES = ("Lisbon", "Oslo", "Graz", "Turin", "Ghent", "Malmo", "Porto", "Lyon")
_PEOPLE = ("student", "family", "pensioner", "musician")
_ACCEPT = 0.5  # as in forebay.yaml
_AT_ONCE = 16
_RESAMPLES = 400


def prompts(workload: str, count: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Questions, and the same with the marks that tell the simulator how hard they are."""
    draw = random.Random(f"{workload}-{seed}")
    kinds = WORKLOADS[workload]
    for number in range(count):
        [kind] = draw.choices(list(kinds), list(kinds.values()))
        form, mean, spread = _KINDS[kind]
        text = form.format(
            n=draw.randint(10_000, 99_999), a=draw.randint(2, 40), b=draw.randint(2, 90),
            thing=draw.choice(_THINGS), place=draw.choice(_PLACES), who=draw.choice(_PEOPLE),
        )  # fmt: skip
        hard = min(1.2, max(0.0, draw.gauss(mean, spread)))
        yield text, f"{text} [difficulty={hard:.3f}] [key={workload}-{number}]"


async def record(workload: str, count: int) -> list[dict[str, Any]]:
    """Rows as ``forebay tiers simulate`` reads them; the simulator is asked over HTTP."""
    import aiohttp

    models = {
        name: {"input_nanousd": price, "output_nanousd": out, "quality": {"skill": skill}, "answer_tokens": 40}
        for name, (price, out, skill) in MODELS.items()
    }
    room = asyncio.Semaphore(_AT_ONCE)
    async with ProviderSimulator({"models": models}) as provider, aiohttp.ClientSession() as session:

        async def ask(name: str, marked: str) -> dict[str, Any]:
            body = {"model": name, "messages": [{"role": "user", "content": marked}], "logprobs": True}
            async with room, session.post(f"{provider.base_url}/chat/completions", json=body) as reply:
                found = await reply.json()
            choice, usage = found["choices"][0], found["usage"]
            tokens = [token["logprob"] for token in choice["logprobs"]["content"]]
            price, out, _ = MODELS[name]
            return {
                "answer": choice["message"]["content"],
                "correct": int(is_right(marked, choice["message"]["content"])),
                "cost": (usage["prompt_tokens"] * price + usage["completion_tokens"] * out) / 1e9,
                "logprob": sum(tokens) / len(tokens),
            }

        async def row(question: str, marked: str) -> dict[str, Any]:
            found = await asyncio.gather(*(ask(name, marked) for name in MODELS))
            return {"prompt": question, "models": dict(zip(MODELS, found, strict=True))}

        rows: list[dict[str, Any]] = []
        pairs = list(prompts(workload, count))
        for start in range(0, count, 500):
            rows += await asyncio.gather(*(row(*pair) for pair in pairs[start : start + 500]))
        return rows


def shipped(rows: list[dict[str, Any]]) -> tuple[Array, Array]:
    """Quality and cost of each row under the stage's rules without anything learnt.

    The heuristic chooses the first tier; an answer with a confidence below 0.5 is escalated.
    """
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from forebay.contract.records import Message, RedactedRequest
    from forebay_agents.completion.metrics import RouterMetrics
    from forebay_agents.completion.routing.confidence import assess
    from forebay_agents.completion.routing.live import LiveRouter
    from forebay_agents.completion.routing.signals import TokenScores

    router = LiveRouter(Path("/nonexistent"), RouterMetrics(CollectorRegistry()))
    names = list(MODELS)
    prices = {name: float(np.mean([row["models"][name]["cost"] for row in rows])) for name in names}
    quality, cost = np.zeros(len(rows)), np.zeros(len(rows))
    for place, row in enumerate(rows):
        request = RedactedRequest(request_id="r", messages=(Message(content=row["prompt"]),))
        for name in names[names.index(router.first(row["prompt"], prices)) :]:
            outcome = row["models"][name]
            cost[place] += outcome["cost"]
            quality[place] = outcome["correct"]
            scores = TokenScores(logprobs=(outcome["logprob"],))
            if assess(request, outcome["answer"], "stop", scores).probability >= _ACCEPT:
                break
    return quality, cost


def report(workload: str, count: int, floor_share: float = 0.95) -> dict[str, Any]:
    """By policy: quality and cost, as shares of large-only, with 95 % bootstrap intervals over rows."""
    import json

    from forebay_agents.completion.routing.offline.rows import row_of, table
    from forebay_agents.completion.routing.offline.simulate import replay

    rows = asyncio.run(record(workload, count))
    found = table([row_of(json.dumps(row)) for row in rows], list(MODELS))
    large = len(MODELS) - 1
    best_quality, best_cost = found.quality[:, large], found.cost[:, large]
    policies = {f"{name}_only": (found.quality[:, at], found.cost[:, at]) for at, name in enumerate(MODELS)}
    policies["untuned"] = shipped(rows)
    numbers = np.arange(len(found))
    for name, share in (("tuned", floor_share), ("tuned_equal", 0.999)):
        done = replay(found, folds=5, floor=share * float(best_quality.mean()), seed=0, progress=lambda _: None)
        policies[name] = done.quality[done.chosen, numbers], done.cost[done.chosen, numbers]
    right = np.where(found.quality >= found.quality.max(axis=1, keepdims=True), found.cost, np.inf).argmin(axis=1)
    policies["oracle"] = found.quality[numbers, right], found.cost[numbers, right]
    return {
        "workload": workload,
        "rows": len(found),
        "policies": {name: _shares(*of, best_quality, best_cost) for name, of in policies.items()},
    }


def _shares(quality: Array, cost: Array, best_quality: Array, best_cost: Array) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    count = len(quality)
    again = []
    for _ in range(_RESAMPLES):
        weights = draw.multinomial(count, np.full(count, 1 / count))
        again.append((quality @ weights / (best_quality @ weights), 1 - cost @ weights / (best_cost @ weights)))
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    return {
        "quality": round(float(quality.mean()), 4),
        "cost_usd_per_1000": round(1000 * float(cost.mean()), 4),
        "quality_of_large": round(float(quality.mean() / best_quality.mean()), 4),
        "quality_ci95": [round(float(low[0]), 4), round(float(high[0]), 4)],
        "saved": round(float(1 - cost.mean() / best_cost.mean()), 4),
        "saved_ci95": [round(float(low[1]), 4), round(float(high[1]), 4)],
    }
