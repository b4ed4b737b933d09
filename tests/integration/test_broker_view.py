"""What a real broker says of its topics: how far each group is, and when they are there."""

import asyncio
import time

import pytest

from forebay import cli
from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.group_offsets import read_offsets
from forebay.kafka.lag import consumer_lag, read_waiting
from forebay.kafka.preflight import wait_for_topics
from forebay.kafka.queries import BrokerUnavailableError
from forebay.settings import KafkaSettings, Settings
from tests.conftest import Kafka

pytestmark = pytest.mark.embedded

DEAD = "127.0.0.1:1"


def write(settings: Settings, topic: str, records: int, *, commit: bool | None = None) -> None:
    """Into partition 0, in one transaction unless ``commit`` is ``None``."""
    from confluent_kafka import Producer

    kafka = settings[KafkaSettings]
    transactional = {} if commit is None else {"transactional.id": topic_on_broker("test", kafka)}
    producer = Producer(confluent_options(kafka) | transactional, logger=silent())
    if commit is not None:
        producer.init_transactions(30)
        producer.begin_transaction()
    for number in range(records):
        producer.produce(topic_on_broker(topic, kafka), b"value", str(number), partition=0)
    producer.flush(30)
    if commit is not None:
        (producer.commit_transaction if commit else producer.abort_transaction)(30)


def finish(settings: Settings, topic: str, offset: int) -> str:
    """As a stage that has finished the records before ``offset``; its group."""
    from confluent_kafka import Consumer, TopicPartition

    kafka = settings[KafkaSettings]
    group = topic_on_broker("cost", kafka)
    consumer = Consumer(confluent_options(kafka) | {"group.id": group}, logger=silent())
    consumer.commit(offsets=[TopicPartition(topic_on_broker(topic, kafka), 0, offset)], asynchronous=False)
    consumer.close()
    return group


def lag(settings: Settings) -> dict[str, dict[str, int]]:
    return consumer_lag(settings, timeout_s=30)


def test_lag_is_what_is_left(settings: Settings, topics: object) -> None:
    assert lag(settings) == {}
    write(settings, "usage", 5)
    finish(settings, "usage", 2)
    assert lag(settings) == {"cost": {"usage": 3}}
    finish(settings, "usage", 5)
    assert lag(settings) == {"cost": {"usage": 0}}


def test_lag_has_seconds_since_the_oldest_record_that_is_left(settings: Settings, topics: object) -> None:
    write(settings, "usage", 3)
    finish(settings, "usage", 1)
    time.sleep(1.5)
    write(settings, "usage", 1)
    one = read_waiting(settings, 30)[1]["cost"]["usage"]
    assert one.records == 3
    assert 1.5 <= one.seconds < 60


@pytest.mark.parametrize("commit", [True, False])
def test_the_end_of_a_transaction_is_no_lag(settings: Settings, topics: object, commit: bool) -> None:
    write(settings, "usage", 2, commit=True)
    write(settings, "usage", 3, commit=commit)
    offsets = read_offsets(settings[KafkaSettings], [], timeout_s=30)
    assert offsets.end[topic_on_broker("usage", settings[KafkaSettings]), 0] == 7, "two of them are markers"
    finish(settings, "usage", 2)  # one behind the marker of the first
    assert lag(settings) == {"cost": {"usage": 5 if commit else 0}}
    finish(settings, "usage", 6)
    assert lag(settings) == {"cost": {"usage": 0}}


async def test_a_worker_waits_for_its_topics(settings: Settings, kafka: Kafka) -> None:
    own = settings[KafkaSettings]
    names = [topic_on_broker(name, own) for name in ("requests", "responses")]
    waiting = asyncio.create_task(wait_for_topics(own, names, asyncio.Event()))
    done, _ = await asyncio.wait([waiting], timeout=1.0)
    assert not done
    admin = await asyncio.to_thread(kafka.create_topics, own.topic_prefix)
    await asyncio.wait_for(waiting, 60)
    await asyncio.to_thread(admin.delete)


@pytest.mark.parametrize("dead", [False, True])
async def test_a_worker_that_is_told_to_stop_waits_no_longer(settings: Settings, dead: bool) -> None:
    own = settings[KafkaSettings].model_copy(update={"bootstrap": DEAD} if dead else {})
    stopping = asyncio.Event()
    waiting = asyncio.create_task(wait_for_topics(own, ["never-made"], stopping))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    stopping.set()
    await asyncio.wait_for(waiting, 60)


def test_without_a_broker_it_says_so(settings: Settings) -> None:
    own = settings[KafkaSettings].model_copy(update={"bootstrap": DEAD})
    with pytest.raises(BrokerUnavailableError, match=f"no broker answers at {DEAD}"):
        read_offsets(own, [], timeout_s=0.5)


@pytest.mark.parametrize("arguments", [["tail", "completions", "--end"], ["spend"], ["review", "list"]])
def test_commands_without_topics_say_what_to_do(
    settings: Settings, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("forebay: no topic ")
    assert shown.err.endswith("; `forebay topics create` makes it\n")
