"""The brokers say what time it is: to workers, and to an operator's replay; where they do not, somebody is told."""

import time
from dataclasses import replace

import pytest

from forebay.contract.clock import CLOCK, elapsed_s
from forebay.contract.handlers import Output
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Alert, AlertState, DeadLetterState
from forebay.kafka.connection import confluent_options
from forebay.kafka.publisher import publish
from forebay.kafka.topic_admin import TopicAdmin
from forebay.kafka.transactions import Transactions
from forebay.operations.audit.opening import recorder
from forebay.runtime.reading.told import told_last
from forebay.runtime.timekeeping import BrokersTime, UnknownTimeError
from forebay.settings import KafkaSettings, Settings
from forebay.state.conditions import alert_output

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(120)]


async def test_a_broker_is_asked_by_an_empty_record(settings: Settings, topics: TopicAdmin) -> None:
    brokers = BrokersTime(settings[KafkaSettings])
    try:
        answers = [await brokers.ask() for _ in range(3)]
    finally:
        await brokers.close()
    now_ms, now_s = time.time() * 1000, elapsed_s()
    for answer in answers:  # the broker is on this machine, so its clock is this one's
        assert answer.asked_s <= answer.answered_s <= now_s
        lag_ms = now_ms - 1000 * now_s
        assert 1000 * answer.asked_s - 2 <= answer.said_ms - lag_ms <= 1000 * answer.answered_s + 2
    assert answers[0].said_ms <= answers[-1].said_ms


async def test_a_topic_that_takes_our_own_time_says_nothing(settings: Settings, topics: TopicAdmin) -> None:
    from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

    kafka = settings[KafkaSettings]
    name = topic_on_broker("clock", kafka)
    entry = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    admin = AdminClient(confluent_options(kafka))
    altered = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    for change in admin.incremental_alter_configs([altered]).values():
        change.result(30)
    brokers = BrokersTime(kafka)
    said: set[str] = set()
    try:
        while "CreateTime" not in said:  # the broker learns of the change from a log
            try:
                await brokers.ask()
            except UnknownTimeError as error:
                said.add(str(error))
    finally:
        await brokers.close()
    assert said == {"CreateTime"}


async def test_without_the_topic_nobody_answers_and_it_takes_five_seconds(settings: Settings) -> None:
    brokers = BrokersTime(settings[KafkaSettings].model_copy(update={"topic_prefix": "nothing-here."}))
    try:
        with pytest.raises(UnknownTimeError):
            await brokers.ask()
    finally:
        await brokers.close()


def test_an_operators_step_tells_its_process_what_time_it_is(settings: Settings, topics: TopicAdmin) -> None:
    before = CLOCK._origin_ms
    CLOCK._origin_ms = -1e12  # in 1938
    try:
        with recorder(settings)("dlq.test", subject="all"):
            assert abs(CLOCK.skew_s) < 10, "before the first letter is sent back"
        CLOCK._origin_ms = -1e12
        with Transactions(settings, "dlq-operator") as journal:
            state = DeadLetterState(dead_letter_id="0-0", by="ann")
            journal.step([Output(topic="dlq.state", key="0-0", value=state)])
        assert abs(CLOCK.skew_s) < 10
    finally:
        CLOCK._origin_ms = before


async def test_what_was_told_last_of_a_condition_is_found(settings: Settings, topics: TopicAdmin) -> None:
    fired = Alert(kind="clock_skew", subject="host-of-before", starts_at=7)
    other = Alert(kind="clock_skew", subject="another-host")
    assert await told_last(settings, fired.fingerprint) is None
    publish(settings, [alert_output(one) for one in (fired, replace(fired, state=AlertState.RESOLVED), fired, other)])
    assert await told_last(settings, fired.fingerprint) == fired
    publish(settings, [alert_output(replace(fired, state=AlertState.RESOLVED))])
    found = await told_last(settings, fired.fingerprint)
    assert found is not None
    assert found.state is AlertState.RESOLVED
