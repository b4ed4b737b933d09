"""What does a piece of a live answer cost at completion and at a door? CPU time of a process each, on a real broker.

The writer says tokens as models do, on so many streams at 25 a second each, and publishes each as a stage does; the
reader restores them for as many followers. Pieces are not gathered here (``flush_ms`` 0): what counts is one piece.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from forebay.contract.handlers import Output
from forebay.contract.records import Delta, RedactedRequest, Request
from forebay.settings import KafkaSettings, load

_A_SECOND = 25
_PARTITION = 3
_PATIENCE_S = 20.0
_LATE_S = 0.05
_WORDS = (" and", " then", " <PERSON_1>", " goes", " to", " the", " house", " of", " seven", " rooms.")
_KINDS = ("writer", "reader")


def report(bootstrap: str, streams: int, seconds: float) -> dict[str, Any]:
    """CPU a piece in µs at either side, and lost pieces."""
    prefix = f"pieces-{time.time_ns()}."
    environment = {**os.environ, "FOREBAY_KAFKA_BOOTSTRAP": bootstrap, "FOREBAY_KAFKA_TOPIC_PREFIX": prefix}
    _create_topic(bootstrap, prefix)
    return _measured(streams, seconds, environment)


def _create_topic(bootstrap: str, prefix: str) -> None:
    from forebay.contract.topics import TOPICS
    from forebay.kafka.topic_admin import TopicAdmin

    kafka = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    TopicAdmin(kafka, topics={"deltas": TOPICS["deltas"]}).create()


def _measured(streams: int, seconds: float, environment: dict[str, str]) -> dict[str, Any]:
    def child(kind: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "loadtest", "pieces-child", kind, str(streams), str(seconds)]
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE)

    with child("reader") as reader, child("writer") as writer:
        assert reader.stdout is not None
        assert writer.stdout is not None
        reader.stdout.readline()  # it reads from now on
        written, read = json.loads(writer.stdout.readline()), json.loads(reader.stdout.readline())
    sent = written["pieces"]
    return {
        "streams": streams,
        "pieces": sent,
        "lost": sent - read["pieces"],
        "completion_us": round(1e6 * written["cpu_s"] / sent),
        "door_us": round(1e6 * read["cpu_s"] / max(1, read["pieces"])),
    }


def main_of_child(kind: str, streams: int, seconds: float) -> None:
    """One process of the measurement."""
    assert kind in _KINDS
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run((_write if kind == "writer" else _read)(streams, seconds))), flush=True)


async def _write(streams: int, seconds: float) -> dict[str, Any]:
    from forebay.avro.codec import open_codecs
    from forebay.avro.encoding import Encoding
    from forebay.avro.registry import open_registry
    from forebay.kafka.hints.writing import HintWriter
    from forebay.observability.metrics import StageMetrics
    from forebay_agents.models.pieces import Pieces

    settings = load()
    encoding = Encoding(open_codecs(settings, open_registry(settings)), settings[KafkaSettings])
    writer = HintWriter(settings[KafkaSettings], StageMetrics("completion"))

    def hint(outputs: Sequence[Output]) -> None:
        writer.publish(encoding.hints(outputs))

    def speaker(number: int) -> Any:
        request = RedactedRequest(request_id=f"r-{number}", user_id="u_1", vault_ref="v-1")
        pieces = Pieces(hint=hint, partition=_PARTITION, request=request, flush_s=0.0)
        return pieces.of(f"a-{time.time_ns()}", "large", "openai/large")

    speakers = [speaker(number) for number in range(streams)]
    hint([Output(topic="deltas", key="warm", value=Delta(), partition=_PARTITION)])
    await asyncio.sleep(1.0)
    pieces, began, total, cpu_s = 0, time.perf_counter(), round(streams * seconds * _A_SECOND), time.process_time()
    while pieces < total:
        speakers[pieces % streams](_WORDS[pieces // streams % len(_WORDS)])
        pieces += 1
        ahead_s = pieces / (streams * _A_SECOND) - (time.perf_counter() - began)
        if ahead_s < -_LATE_S:
            began -= ahead_s  # no model says in a moment what it should have said in a second
        await asyncio.sleep(max(0.0, ahead_s))
    await asyncio.to_thread(writer.close)
    return {"pieces": pieces, "cpu_s": time.process_time() - cpu_s}


class _Maps:
    async def load(self, _ref: str, _owner: Any, _request_id: str) -> Any:
        from forebay.privacy.pseudonyms import PseudonymMap

        return PseudonymMap(originals={"<PERSON_1>": "Ann Lee", "<EMAIL_ADDRESS_1>": "ann@lee.example"})


async def _read(streams: int, seconds: float) -> dict[str, Any]:
    from forebay.avro.registry import open_registry
    from forebay.client.delta_topic import DeltaTopic
    from forebay.client.pieces import HeardPieces

    settings, loop, total = load(), asyncio.get_running_loop(), round(streams * seconds * _A_SECOND)
    begun, done = asyncio.Event(), asyncio.Event()
    heard, count = HeardPieces(_PARTITION, _Maps()), 0
    said: list[str] = []

    def arrived(pieces: Sequence[tuple[str, Delta]]) -> None:
        nonlocal count
        count += len(pieces)
        heard.arrived(pieces)
        for event in (begun, *([done] if count >= total else [])):
            loop.call_soon_threadsafe(event.set)

    for number in range(streams):
        heard.follow(Request(request_id=f"r-{number}"), said.append)
    topic = DeltaTopic(settings[KafkaSettings], open_registry(settings), _PARTITION, heard.wanted, arrived)
    print("ready", flush=True)
    await begun.wait()
    cpu_s = time.process_time()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds + _PATIENCE_S):
            await done.wait()
    cpu_s = time.process_time() - cpu_s
    topic.close()
    return {"pieces": count, "cpu_s": cpu_s}
