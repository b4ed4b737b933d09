"""How far behind is each stage? Records that its group has not committed, as the broker sees it."""

import time
from importlib.metadata import entry_points

from forebay.contract.names import group_on_broker
from forebay.kafka.group_offsets import read_offsets, unfinished
from forebay.settings import KafkaSettings, Settings, StageSettings

Lag = dict[str, dict[str, int]]
"""Stage to logical topic to unfinished records."""

_POLL_S = 0.3


def consumer_lag(settings: Settings, timeout_s: float = 15.0) -> Lag:
    """Unfinished records of every stage that has ever run; a stage that has not is left out."""
    kafka = settings[KafkaSettings]
    return unfinished(read_offsets(kafka, stage_groups(settings), timeout_s), kafka.topic_prefix)


def stage_groups(settings: Settings) -> list[str]:
    """Consumer groups of the installed stages."""
    # Not forebay.runtime.worker.stage_names(), which imports Faust: 0.6 s that `forebay status` need not take.
    kafka, version = settings[KafkaSettings], settings[StageSettings].version
    return [group_on_broker(entry.name, kafka, version) for entry in entry_points(group="forebay.stages")]


def wait_until_idle(settings: Settings, timeout_s: float) -> bool:
    """Wait until no stage has anything left to do; whether that came within ``timeout_s`` seconds.

    Looks twice: between two stages a record is in neither's lag.
    """
    deadline = time.monotonic() + timeout_s
    quiet = 0
    while quiet < 2:
        if time.monotonic() > deadline:
            return False
        busy = any(records for topics in consumer_lag(settings).values() for records in topics.values())
        quiet = 0 if busy else quiet + 1
        time.sleep(_POLL_S)
    return True
