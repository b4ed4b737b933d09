"""How late is the redaction stage at half of what it can do? That stage alone, on an embedded broker and Redis.

Prompts of about 60 tokens, each another, every second one with a person, an address or an identifier in it. First a
backlog: what the stage passes on in a second, between the first and the last tenth of its outputs. Then an open loop at
half of that rate: the next request goes out when it is due. A request's latency is from the time stamp that its
producer gave it to that which the stage gave its output: the producer's linger, the broker, the fetch, and the work.
"""

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import quantiles
from typing import Any

_PATIENCE_S = 120.0
_CONNECTING_S = 2.0
"""Not counted: a producer stamps its first records while it still connects (11 of them, 0.3 s, were the p99)."""
_GIVEN = ("Anna", "Tomás", "Mei", "Kwame", "Ingrid", "Omar", "Julia", "Rashid", "Beatriz", "Henrik", "Aoife", "Dmitri")
_FAMILY = ("Berg", "Rivera", "Lindqvist", "Boateng", "Solheim", "Haddad", "Novak", "Okafor", "Castellanos", "Murphy")
_STREETS = ("Elm Street", "Mill Lane", "Harbour Road", "Chestnut Avenue", "Station Road", "Orchard Close")
_PERSONAL = (
    "My name is {person} and you can reach me at {mail} or {phone}.",
    "Please write to {person}, {house} {street}, about it.",
    "The account of {person} ends with the card {card}.",
    "{person} asked me to mail the answer to {mail}.",
)
_SUBJECTS = (
    "the invoice of last month", "a parcel that never came", "our contract", "the new heating", "a late flight",
    "the broken screen", "a loan for a small shop", "the water meter", "a lost parcel of books", "the gym membership",
)  # fmt: skip
_ASKS = (
    "explain what the usual steps are and which of them I can skip",
    "write a short and friendly reply that does not promise anything",
    "list the three most common reasons and what each would cost me",
    "compare the two offers and say plainly which one you would take",
    "summarise what was agreed and what is still open between us",
)
_WHYS = (
    "I have waited for two weeks and nobody could tell me who is in charge of it",
    "the last answer that I got was longer than a page and did not say anything",
    "it worked well until the winter and then stopped from one day to the next",
    "my neighbours had the same trouble and found a way that I would like to try",
)


def prompt(number: int) -> str:
    """A prompt of about 60 tokens; each even one has personal data in it."""
    chosen = random.Random(number)
    text = (
        f"Hello, I have question {number} about {chosen.choice(_SUBJECTS)}. Could you {chosen.choice(_ASKS)}? "
        f"It is urgent since {chosen.choice(_WHYS)}. "
    )
    if number % 2:
        return text + "Please answer in plain words and in no more than five sentences, thank you very much."
    given, family = chosen.choice(_GIVEN), chosen.choice(_FAMILY)
    return text + chosen.choice(_PERSONAL).format(
        person=f"{given} {family}",
        mail=f"{given.lower()}{number}@example.org",
        phone=f"212-555-{chosen.randrange(10_000):04}",
        house=chosen.randrange(1, 300),
        street=chosen.choice(_STREETS),
        card="4111 1111 1111 1111",
    )


def report(backlog: int, seconds: float) -> dict[str, Any]:
    """Run it.

    Args:
        backlog: requests of the first part.
        seconds: length of the second.

    Returns:
        ``per_second`` of the backlog, and at half of that ``rate``: ``requests``, p50, p90 and p99 in ms.
    """
    with _stage() as settings:
        _send(settings, 0, 200, rate=50)  # warm: pools, connections, words
        done = sorted(after for _, after in _send(settings, 10_000, backlog, rate=None).values())
        low, high = len(done) // 10, len(done) - len(done) // 10 - 1
        capacity = 1000 * (high - low) / (done[high] - done[low])
        rate = capacity / 2
        times = list(_send(settings, 1_000_000, round(rate * (seconds + _CONNECTING_S)), rate=rate).values())
        times = times[round(rate * _CONNECTING_S) :]
        cuts = quantiles([after - before for before, after in times], n=100)
        return {
            "backlog": backlog,
            "per_second": round(capacity, 1),
            "rate": round(rate, 1),
            "requests": len(times),
            "p50_ms": round(cuts[49], 1),
            "p90_ms": round(cuts[89], 1),
            "p99_ms": round(cuts[98], 1),
        }


def _send(settings: Any, first: int, count: int, rate: float | None) -> Mapping[str, tuple[int, int]]:
    """Send ``count`` requests, at ``rate`` a second or at once; of each the time stamps before and after the stage."""
    from forebay.client.client import ForebayClient
    from forebay.contract.records import Message, Request

    wanted = {f"half-{number}": number for number in range(first, first + count)}
    with ForebayClient(settings) as client:
        begun = time.perf_counter()
        for index, (identity, number) in enumerate(wanted.items()):
            if rate is not None:
                time.sleep(max(0.0, begun + index / rate - time.perf_counter()))
            client.submit(Request(request_id=identity, messages=(Message(content=prompt(number)),)))
        deadline = time.monotonic() + _PATIENCE_S
        while len(after := _stamps(settings, "requests.redacted", wanted)) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{count - len(after)} requests were not redacted within {_PATIENCE_S:.0f} s")
            time.sleep(1)
    before = _stamps(settings, "requests", wanted)
    return {identity: (before[identity], after[identity]) for identity in wanted}


def _stamps(settings: Any, topic: str, wanted: Mapping[str, int]) -> dict[str, int]:
    from forebay.kafka.reader import read_topic

    return {
        record.value.request_id: record.source.timestamp_ms
        for record in read_topic(settings, topic)
        if record.value is not None and record.value.request_id in wanted
    }


@contextlib.contextmanager
def _stage() -> Iterator[Any]:
    """Settings of a broker and a Redis with the redaction stage as their only worker."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    for tier in ("SMALL", "LARGE"):  # named, so that no model is loaded
        environment |= {
            f"FOREBAY_TIER_{tier}_MODEL": "openai/none",
            f"FOREBAY_TIER_{tier}_URL": "http://127.0.0.1:9/v1",
        }
    command = [sys.executable, "-m", "forebay"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        up = [*command, "up", "--detach", "--workers", "none"]
        started = subprocess.run(up, cwd=folder, env=environment, check=False, stderr=subprocess.PIPE, text=True)
        if started.returncode:
            sys.exit(started.stderr)
        try:
            with (
                (folder / "worker.log").open("w") as log,
                subprocess.Popen([*command, "worker", "redaction"], cwd=folder, env=environment, stderr=log) as worker,
                contextlib.chdir(folder),
            ):
                from forebay.embedded.installation import installation

                try:
                    yield installation()
                finally:
                    worker.terminate()
        finally:
            subprocess.run([*command, "down"], cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL)
