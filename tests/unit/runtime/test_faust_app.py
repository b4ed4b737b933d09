"""What Faust is told; each of these was measured to matter."""

from types import SimpleNamespace
from typing import Any

import pytest

from forebay.runtime.faust_app import new_faust_app, raw_schema
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, StageSettings


def test_a_worker_learns_of_new_leaders_before_its_session_could_end() -> None:
    """aiokafka asks a former leader for offsets until its metadata expire; meanwhile the whole stage stands still."""
    limits = StageSettings()
    app = new_faust_app(Stage(name="cache", routes=[], limits=limits), KafkaSettings())
    assert app.conf.consumer_metadata_max_age_ms <= 1000 * limits.session_timeout_s


def test_a_named_worker_is_a_static_member_of_its_group() -> None:
    stage = Stage(name="cache", routes=[], limits=StageSettings())
    assert new_faust_app(stage, KafkaSettings(), "pod-3").conf.consumer_group_instance_id == "pod-3"
    assert not new_faust_app(stage, KafkaSettings()).conf.consumer_group_instance_id


@pytest.mark.parametrize(("key", "value"), [(b"k", b"\xff\x00"), (None, None), (b"", b"")])
async def test_a_topic_is_read_as_the_bytes_that_it_holds(key: bytes | None, value: bytes | None) -> None:
    app = new_faust_app(Stage(name="cache", routes=[], limits=StageSettings()), KafkaSettings())
    message = SimpleNamespace(key=key, value=value, headers=[("a", b"\xff")])
    event: Any = await app.topic("requests", schema=raw_schema()).decode(message, propagate=True)
    assert (event.key, event.value, event.message) == (key, value, message)
