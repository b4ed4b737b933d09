"""A door without HTTP: it asks, hears the pieces of the answer, and puts them together with the record."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.client.delta_topic import DeltaTopic
from forebay.client.pieces import LiveAnswer, RestartedError
from forebay.contract import headers as h
from forebay.contract.handlers import Output
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Delta, Request, Response
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.publisher import publish
from forebay.kafka.queries import partitions_of, watermarks
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner
from forebay.privacy.vault_redis import open_vault
from forebay.settings import KafkaSettings, Settings

_PARTITION = 5
_BEGUN = 3


def listen(
    settings: Settings, request: Request, timeout_s: float = 120.0, begun: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """What came of ``request``: pieces as they came, what could be shown before the record was there, and the record.

    Args:
        begun: called with the third piece: the answer is being written.

    Returns:
        ``pieces`` (attempt, place, text), ``live`` (restored), ``rest`` (``None`` where another answer came), and
        ``content`` and ``status`` of the record.
    """
    kafka, registry = settings[KafkaSettings], open_registry(settings)
    pieces: list[Delta] = []

    def heard(news: Sequence[tuple[str, Delta]]) -> None:
        before = len(pieces)
        pieces.extend(piece for _, piece in news)
        if before < _BEGUN <= len(pieces):
            begun()

    topic = DeltaTopic(kafka, registry, _PARTITION, request.request_id.__eq__, heard)
    consumer = _responses(kafka)
    codec = Codec(Response, topic_on_broker("responses-value", kafka), registry)
    try:
        headers = {h.REPLY_TO: str(_PARTITION).encode()}
        publish(settings, [Output(topic="requests", key=request.request_id, value=request, headers=headers)])
        deadline = time.monotonic() + timeout_s
        while True:
            assert time.monotonic() < deadline, "no response"
            message = consumer.poll(0.5)
            if message is not None and not message.error() and message.key() == request.request_id.encode():
                break
        response = codec.decode(message.value())
        before = list(pieces)
    finally:
        consumer.close()
        topic.close()
    return asyncio.run(_put_together(settings, request, before, response))


async def _put_together(
    settings: Settings, request: Request, pieces: list[Delta], response: Response
) -> dict[str, Any]:
    live, shown, rest = LiveAnswer(), "", None
    async with open_vault(settings) as vault:
        maps: dict[str | None, PseudonymMap] = {None: PseudonymMap()}
        try:
            for piece in pieces:
                if piece.vault_ref is not None and piece.vault_ref not in maps:
                    owner = Owner(tenant_id=request.tenant_id, user_id=piece.user_id)
                    maps[piece.vault_ref] = await vault.load(piece.vault_ref, owner, request.request_id)
                shown += live.add(piece, maps[piece.vault_ref])
            rest = live.finish(response.content)
        except RestartedError:
            rest = None
    return {
        "pieces": [(piece.attempt_id, piece.at, piece.text) for piece in pieces],
        "live": shown,
        "rest": rest,
        "content": response.content,
        "status": response.status,
    }


def _responses(kafka: KafkaSettings) -> Any:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        confluent_options(kafka) | {"group.id": "listener", "enable.auto.commit": False}, logger=silent()
    )
    name = topic_on_broker("responses", kafka)
    places = [TopicPartition(name, number) for number in partitions_of(consumer, name, kafka)]
    for place in places:
        place.offset = watermarks(consumer, place)[1]
    consumer.assign(places)
    return consumer
