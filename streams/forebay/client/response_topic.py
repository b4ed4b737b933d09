"""How does a service read responses in a consumer group of its own? With any client; this says where and how.

See docs/how-to/consume-responses.md.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forebay.avro.registry import Registry
    from forebay.contract.records import Response
    from forebay.settings import Settings


class ResponseTopic:
    """The topic of responses: its name on the brokers, how they are reached, and what its bytes say.

    Args:
        settings: by default those of the installation at hand, as for :class:`forebay.ForebayClient`.

    Attributes:
        name: of the topic, with its prefix.
        connection: configuration of a confluent-kafka client; add a ``group.id``.
    """

    def __init__(self, settings: "Settings | None" = None, *, registry: "Registry | None" = None) -> None:
        # Imported here: see forebay.client.channel.
        from forebay.avro.codec import Codec
        from forebay.avro.registry import open_registry
        from forebay.client.speaker import speaker
        from forebay.contract.names import topic_on_broker
        from forebay.contract.records import Response
        from forebay.embedded.installation import installation
        from forebay.kafka.connection import confluent_options
        from forebay.settings import KafkaSettings

        settings = settings or installation()
        kafka = settings[KafkaSettings]
        self._speaker = speaker(settings)
        self.name = topic_on_broker(self._speaker.topic("responses"), kafka)
        self.connection = confluent_options(kafka)
        registry = registry or open_registry(settings)
        self._codec = Codec(Response, topic_on_broker("responses-value", kafka), registry)

    def decode(
        self,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: "Iterable[tuple[str, bytes]] | None" = None,
    ) -> "Response":
        """The response in a record's value.

        Args:
            key: of the record, and its ``headers``: by which a sealed one is opened (``tenants.identity: signed``).

        Raises:
            UndecodableError: whose ``code`` says why: ``unreadable_seal`` where it is sealed for another tenant.
        """
        from forebay.avro.codec import UndecodableError
        from forebay.contract.headers import from_kafka

        plain = self._speaker.opened(value, from_kafka(headers), (key or b"").decode("utf-8", "replace"))
        if plain is None and value is not None:
            raise UndecodableError("unreadable_seal", "the response is sealed for another tenant")
        return self._codec.decode(plain)
