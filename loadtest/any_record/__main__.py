"""``python -m loadtest.any_record``: random records to all topics of a stack; exit status 1 if a promise broke.

Not Hypothesis's rule-based machine: its examples may draw 8 KiB of choices, which are some hundred steps and not ten
thousand, and it shrinks by running a shorter sequence from the beginning, while a stack has a past that cannot be
undone. So each record is an example of its own, sent to the one stack; what is judged is what became of all of them.
Nothing need be shrunk either: a record without an end is named, a partition that stands still names the record at its
position, and ``--seed`` draws the same ones again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.names import topic_on_broker
from forebay.contract.topics import TOPICS
from forebay.settings import KafkaSettings, Settings
from loadtest.any_record.drawn import Drawn, made
from loadtest.any_record.judging import Place, grown, violations
from loadtest.any_record.looking import Scene
from loadtest.any_record.sending import Sender
from loadtest.any_record.strategies import Encoder, draw_all
from loadtest.ending import end_in_order

_COMMANDS = (
    ("dlq", "stats", "--json"),
    ("dlq", "list", "--json"),
    ("review", "list", "--json"),
    ("spend", "--json"),
    ("topics", "unanswered", "--json"),
    *(
        ("tail", topic, "--from-beginning", "--end", "--restricted")
        for topic in ("dlq", "responses", "usage", "reviews")
    ),
)
"""What people look with: it has to go on working whatever lies in the topics."""

_FIRST = 1_000
_MOST_MEMORY = 1.05
_SHOWN = 20


def encoder(of: Settings) -> Encoder:
    """Encodes records for the topics of an installation."""
    kafka, registry = of[KafkaSettings], open_registry(of)
    codecs: dict[str, Codec[Any]] = {
        name: Codec(topic.record, topic_on_broker(topic.subject, kafka), registry)
        for name, topic in TOPICS.items()
        if topic.record is not None
    }
    return lambda topic, record: codecs[topic].encode(record)


class Run:
    """Records to one stack, and what became of them."""

    def __init__(self, scene: Scene, sender: Sender) -> None:
        self._scene = scene
        self._sender = sender
        self._before = scene.all(())
        self.taken: dict[Place, Drawn] = {}
        self.refused: dict[str, int] = {}

    def send(self, count: int, number: int) -> None:
        """Draw ``count`` records with the seed ``number`` and send them."""
        limit = self._scene.settings[KafkaSettings].max_record_bytes
        draw_all(self.put, encoder(self._scene.settings), limit, now_ms(), count, number)

    def put(self, record: Drawn) -> None:
        """Send one record."""
        found = self._sender.send(record)
        if isinstance(found, str):
            self.refused[found] = self.refused.get(found, 0) + 1
        else:
            self.taken[record.topic, *found] = record

    def broken(self, patience_s: float) -> list[str]:
        """Promises that were not kept, as of when everything is at rest."""
        resting = self._scene.rest(patience_s)
        foreign = {made(record.value) or b"" for record in self.taken.values()}
        found = violations(self.taken, self._scene.all(foreign), self._before)
        return found if resting or found else ["the stages never came to rest"]

    @staticmethod
    def commands() -> list[str]:
        """Commands that do not do their work any more."""
        found = []
        for arguments in _COMMANDS:
            done = subprocess.run([sys.executable, "-m", "forebay", *arguments], capture_output=True, check=False)
            if done.returncode:
                said = done.stderr.decode("utf-8", "replace").strip()[-300:]
                found.append(f"forebay {' '.join(arguments)} ended with {done.returncode}: {said}")
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.any_record", description="Random records, judged.")
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=180.0, help="seconds until everything must be at rest")
    parser.add_argument("--data", type=Path, help="data folder of a stack that runs; default: one of its own")
    parser.add_argument("--invoice", type=Path, help="the simulated provider's, of that stack")
    parser.add_argument("--folder", type=Path, help="data and logs of the stack of its own; default: a temporary one")
    options = parser.parse_args(arguments)
    if options.data is not None:
        from forebay.embedded.discovery import apply_to_environment
        from forebay.settings import load

        apply_to_environment(options.data)
        return _run(Scene(settings=load(), data=options.data, invoice=options.invoice), options)
    from loadtest.chaos.stack import running_stack

    folder = (options.folder or Path(tempfile.mkdtemp(prefix="forebay-records-"))).absolute()
    with running_stack(folder) as stack:
        stack.wait_ready()
        return _run(Scene(settings=stack.settings, data=folder / "stack", invoice=stack.invoice), options)


def _run(scene: Scene, options: argparse.Namespace) -> int:
    started = time.monotonic()
    with Sender(scene.settings[KafkaSettings]) as sender:
        run = Run(scene, sender)
        early = None
        if options.records >= 2 * _FIRST:
            run.send(_FIRST, options.seed)
            scene.rest(options.patience)
            early = scene.processes()
            _say(f"memory after {_FIRST}: { {name: size >> 20 for name, size in early.memory.items()} } MiB")
        run.send(options.records - (_FIRST if early else 0), options.seed + 1)
        found = [*run.broken(options.patience), *run.commands()]
        late = scene.processes()
    if early is not None:
        found += grown(early, late, _MOST_MEMORY)
        _say(f"memory at the end: { {name: size >> 20 for name, size in late.memory.items()} } MiB")
    for line in found[:_SHOWN]:
        _say(f"BROKEN: {line[:600]}")
    _say(
        f"{len(run.taken)} records taken, {sum(run.refused.values())} refused by the brokers {run.refused}, "
        f"{len(found)} promises broken, {time.monotonic() - started:.0f} s, seed {options.seed}"
    )
    return 1 if found else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    end_in_order()
    sys.exit(main())
