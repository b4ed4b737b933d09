"""What does the whole chain add to a call, and where? A model that answers at once, and the time stamps of the records.

Every request is new, so that each passes redaction, cache, completion and response. The stages' shares are differences
of the producers' time stamps along the way (whole milliseconds): a stage's share holds its queue, its work, its produce
acknowledgement and the fetch that came before.
"""

import random
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from loadtest.simulated_stack import running

_THINGS = (
    "anchor",
    "barometer",
    "canoe",
    "dictionary",
    "engine",
    "fountain",
    "glacier",
    "harbour",
    "insulin",
    "jigsaw",
    "kettle",
    "lantern",
    "mortgage",
    "needle",
    "orchard",
    "passport",
    "quarry",
    "radiator",
    "saddle",
    "telescope",
    "umbrella",
    "vaccine",
    "warranty",
    "xylophone",
    "yoghurt",
    "zip",
    "bakery",
    "cactus",
    "drainage",
    "escalator",
    "firewall",
    "greenhouse",
    "hinge",
    "invoice",
    "jacket",
    "keyboard",
    "lighthouse",
    "microscope",
    "notary",
    "oven",
    "parachute",
    "quilt",
    "receipt",
    "scaffold",
    "thermostat",
    "upholstery",
    "violin",
    "waterfall",
    "yacht",
    "zebra",
)
_PEOPLE = ("Anna Berg", "Tomás Rivera", "Mei Lin", "Kwame Boateng", "Ingrid Solheim", "Omar Haddad", "Julia Novak")
_FORMS = (
    "What does {person} need to know about a {first} before buying a {second}?",
    "Explain to {person} in two sentences how a {first} works.",
    "Write a subject line for a letter in which {person} complains about a {first}.",
    "How would {person} move a {first} and a {second} across town?",
    "Is a {first} dearer than a {second}? {person} asks.",
    "My name is {person}. Who invented the {first}?",
    "List three risks of keeping a {first} beside a {second}.",
    "Translate for {person}: the {first} is behind the {second}.",
    "Why did {person} return the {first} on Monday?",
    "Which tools repair a {second} that hit a {first}?",
)
_STEPS = (
    ("redaction", "requests", "requests.redacted"),
    ("cache", "requests.redacted", "requests.uncached"),
    ("completion", "requests.uncached", "completions"),
    ("response", "completions", "responses"),
)


def report(rate: float, seconds: float, warm_up_s: float = 10.0) -> dict[str, Any]:
    """Run an embedded stack with an instant model and send ``rate`` requests a second for ``seconds``.

    Returns:
        ``requests``, ``rate``, and p50, p90 and p99 in ms: ``end_to_end`` as the client sees it, ``by_stage``; and
        ``write_ahead_mean_ms``, what a call waits until the brokers have its ledger entry.
    """
    with running({}) as (settings, _):
        send(settings, rate, warm_up_s, "warm")
        latencies = send(settings, rate, seconds, "chain")
        return {
            "requests": len(latencies),
            "rate": rate,
            "end_to_end": _summary(list(latencies.values())),
            "by_stage": by_stage(settings, latencies),
            "write_ahead_mean_ms": _write_ahead_mean_ms(Path.cwd()),
        }


def send(settings: Any, rate: float, seconds: float, kind: str) -> dict[str, float]:
    """Open loop: the next request goes out when it is due. Request id to latency in ms."""
    from forebay.client.client import ForebayClient
    from forebay.contract.records import Message, Request, Response

    sent: dict[str, float] = {}
    latencies: dict[str, float] = {}

    def arrived(response: Response) -> None:
        latencies[response.request_id] = 1000 * (time.perf_counter() - sent[response.request_id])

    with ForebayClient(settings, on_response=arrived) as client:
        begun = time.perf_counter()
        for number in range(round(rate * seconds)):
            time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            request_id = f"{kind}-{number}"
            text = question(kind, number)
            sent[request_id] = time.perf_counter()
            client.submit(Request(request_id=request_id, messages=(Message(content=text),)))
        deadline = time.monotonic() + 60
        while client.outstanding and time.monotonic() < deadline:
            time.sleep(0.05)
        if client.outstanding:
            raise RuntimeError(f"{client.outstanding} requests got no response within 60 s")
    return latencies


def question(kind: str, number: int) -> str:
    """A question that no other of the run resembles: near-duplicates would measure the cache's doubts."""
    chosen = random.Random(f"{kind}-{number}")
    first, second = chosen.sample(_THINGS, 2)
    person = chosen.choice(_PEOPLE)
    return chosen.choice(_FORMS).format(first=first, second=second, person=person)


def by_stage(settings: Any, wanted: Mapping[str, float]) -> dict[str, dict[str, float]]:
    from forebay.kafka.reader import read_topic

    stamps: dict[str, dict[str, int]] = {}
    for topic in ("requests", *(target for _, _, target in _STEPS)):
        stamps[topic] = {
            record.value.request_id: record.source.timestamp_ms
            for record in read_topic(settings, topic)
            if record.value is not None and record.value.request_id in wanted
        }
    return {
        stage: _summary(
            [
                stamps[after][one] - stamps[before][one]
                for one in wanted
                if one in stamps[before] and one in stamps[after]
            ]
        )
        for stage, before, after in _STEPS
    }


def _write_ahead_mean_ms(folder: Path) -> float:
    """Of the whole run, from the completion worker's own metric."""
    from forebay.embedded.supervision.state import live

    state = live(folder / ".forebay")
    assert state is not None
    [port] = [row.port for row in state.processes if row.name == "completion"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = {family.name: family for family in text_string_to_metric_families(answer.read().decode())}
    name = "forebay_write_ahead_seconds"
    found = {sample.name: sample.value for sample in families[name].samples if "le" not in sample.labels}
    return round(1000 * found[f"{name}_sum"] / found[f"{name}_count"], 2)


def _summary(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100)
    return {"p50_ms": round(cuts[49], 1), "p90_ms": round(cuts[89], 1), "p99_ms": round(cuts[98], 1)}
