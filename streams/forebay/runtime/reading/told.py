"""What was told last of a condition? Found in the topic of alerts, for a worker that goes on with what it told before.

Read outside of every group, by the library that needs no right on a group for it; undecoded but for the one record.
"""

import asyncio

from aiokafka import AIOKafkaConsumer

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Alert
from forebay.contract.topics import TOPICS
from forebay.kafka.connection import aiokafka_options
from forebay.settings import KafkaSettings, Settings

_NEWEST = 10_000
"""Alerts of a partition that are looked at: each is of a condition that began or ended, so that these are weeks."""
_POLL_MS = 500


async def told_last(settings: Settings, fingerprint: str) -> Alert | None:
    """The newest alert of a condition. Raises what Kafka's client does, and for a record that is none."""
    kafka, topic = settings[KafkaSettings], TOPICS["alerts"]
    name, found = topic_on_broker(topic.name, kafka), None
    consumer = AIOKafkaConsumer(name, enable_auto_commit=False, **aiokafka_options(kafka))
    try:
        await consumer.start()
        places = sorted(consumer.assignment())  # without a group: all
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, max(begins[place], ends[place] - _NEWEST))
        left = {place for place in places if begins[place] < ends[place]}
        while left:
            for messages in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for message in messages:
                    if message.key == fingerprint.encode():
                        found = message.value
            left = {place for place in left if await consumer.position(place) < ends[place]}
    finally:
        await consumer.stop()
    if found is None:
        return None
    codec = Codec(Alert, topic_on_broker(topic.subject, kafka), open_registry(settings))
    return await asyncio.to_thread(codec.decode, found)  # which may have to ask the registry
