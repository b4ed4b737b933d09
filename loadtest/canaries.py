"""Does personal data get out under load? Every request carries some, and then everything that is kept is searched.

Searched are all topics but the two restricted ones, Redis (also what is compressed in it), the logs of all processes,
the metrics pages of all workers and the bodies of all requests to the provider. In the middle the provider fails, so
that there are retries and dead letters; a share of the answers is judged. One word that is no personal data is searched
for as well: it has to be found, or the search sees nothing.
"""

import json
import random
import urllib.request
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtest.open_loop import send, summary
from loadtest.simulated_stack import running

_SETS = 60
"""Different people; each is in many requests, with another question each time."""
_CONTROL = "zirconium"
_FORMS = (
    (
        "Hi, I am {name}, SSN {ssn}. My card {card} was charged twice for the {control} {thing}, order {number}. "
        "Mail me at {email} or call {phone}."
    ),
    (
        "customer: {name}\nmail: {email}\nphone: {phone}\niban: {iban}\nssn {ssn}\ncard {card}\n"
        "question {number}: where is my {control} {thing}?"
    ),
    (
        '{{"ticket": {number}, "from": "{name} <{email}>", "body": "Refund the {control} {thing} to {iban}, '
        'not to {card}; SSN {ssn}, {phone}"}}'
    ),
)
_THINGS = ("kettle", "lamp", "saddle", "canoe", "radiator", "telescope", "jigsaw", "lantern")


def people(count: int) -> list[dict[str, str]]:
    """Made-up people, each with one value of each kind; the same ones every time."""
    from faker import Faker

    faker = Faker("en_US")
    faker.seed_instance(20_261_123)
    return [
        {
            "name": f"{faker.unique.first_name()} {faker.unique.last_name()}",
            "email": faker.unique.email(),
            "ssn": faker.unique.ssn(),
            "card": faker.unique.credit_card_number("visa16"),
            "phone": f"({faker.random_int(201, 989)}) {faker.random_int(201, 989)}-{faker.random_int(1000, 9999)}",
            "iban": faker.unique.iban(),
        }
        for _ in range(count)
    ]


def text(person: Mapping[str, str], number: int) -> str:
    """A request's text with all values of ``person``."""
    chosen = random.Random(number)
    return chosen.choice(_FORMS).format(**person, control=_CONTROL, number=f"A{number}", thing=chosen.choice(_THINGS))


def report(seconds: float, rate: float) -> dict[str, Any]:
    """What was found, after ``rate`` requests a second for ``seconds``."""
    script = {"models": {"*": {"latency": {"first_token_ms": 100.0}, "quality": {"floor": 1.0}}}}
    who = people(_SETS)
    due = [(number / rate, f"tenant{number % 5}") for number in range(round(seconds * rate))]
    environment = {
        "FOREBAY_EVALUATION_SAMPLE_RATE": "0.2",
        "FOREBAY_COMPLETION_MAX_ATTEMPTS": "2",
        "FOREBAY_RETRY_DELAYS_S": "[1, 1, 1]",
    }
    with running(script, **environment) as (settings, admin):
        fail = [(seconds / 2, lambda: admin.outage(min(10.0, seconds / 4), kind="503"))]
        seen = send(settings, due, "canary", 120.0, fail, text=lambda number: text(who[number % _SETS], number))
        from forebay.kafka.lag import wait_until_idle

        idle = wait_until_idle(settings, 120.0)
        found = _search(settings, who)
        letters = _letters(settings)
    return {
        "requests": summary(seen),
        "statuses": dict(Counter(one.status or "none" for one in seen)),
        "all_finished": idle,
        "dead_letters": letters,
        "values": len(who) * len(who[0]),
        "control_found_in": found.pop(_CONTROL, {}),
        "leaks": found,
    }


def _search(settings: Any, who: list[dict[str, str]]) -> dict[str, dict[str, int]]:
    """Kind of value (or the control) to place to occurrences."""
    from forebay.demo.leaks import find_leaks

    kinds = [(kind, value) for person in who for kind, value in person.items()] + [(_CONTROL, _CONTROL)]
    data = Path(".forebay")
    logs = [*(data / "logs").glob("*.log*"), Path("provider.jsonl"), *_metrics(data)]
    counts: dict[str, Counter[str]] = {}
    for leak in find_leaks(settings, [value for _, value in kinds], logs):
        counts.setdefault(kinds[leak.value][0], Counter())[leak.where] += 1
    return {kind: dict(where) for kind, where in counts.items()}


def _metrics(data: Path) -> list[Path]:
    """The metrics page of each worker, in a file."""
    from forebay.embedded.supervision.state import live

    state = live(data)
    pages = []
    for row in state.processes if state else []:
        worker = row.public()
        if worker.get("stage"):
            page = Path(f"metrics-{worker['name']}.txt")
            with urllib.request.urlopen(f"http://127.0.0.1:{worker['port']}/metrics", timeout=30) as reply:
                page.write_bytes(reply.read())
            pages.append(page)
    return pages


def _letters(settings: Any) -> dict[str, int]:
    """Dead letters by code."""
    from forebay.operations.dead_letters.opening import open_dead_letters

    counts = Counter[str]()
    with open_dead_letters(settings) as letters:
        for group in letters.stats():
            counts[group.code] += group.count
    return dict(counts)


def main(seconds: float, rate: float) -> int:
    """Print the report; 1 if anything leaked, or the search or the load did not work."""
    found = report(seconds, rate)
    print(json.dumps(found, indent=2))
    answered = found["requests"]["answered"] == found["requests"]["requests"]
    return 0 if answered and found["all_finished"] and found["control_found_in"] and not found["leaks"] else 1
