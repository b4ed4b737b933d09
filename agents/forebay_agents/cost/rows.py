"""What does the topic ``spend`` say now? The newest row of each key."""

from forebay.contract.records import Spend
from forebay.kafka.reader import read_topic
from forebay.settings import Settings


def spend_rows(settings: Settings) -> list[Spend]:
    """All rows, in no order; of several rows of a key the one with the highest revision counts."""
    newest: dict[bytes, Spend] = {}
    for record in read_topic(settings, "spend"):
        key, row = record.source.key or b"", record.value
        if row is not None and (key not in newest or row.revision >= newest[key].revision):
            newest[key] = row
    return list(newest.values())
