"""Which records need not even be decoded? Those of which the key says that the stage has nothing to do with them.

A record that goes the whole way costs its decoding (0.05 ms and more), a task, a handler and the sums of what it took:
some 0.2 ms, to throw 98 of 100 away where a judge takes a sample. Its key is known without any of that. Of a record
that comes back, a retry or a replay, the long way finds out whose it is, and its key may be another's.
"""

import structlog

from forebay.contract import headers as h
from forebay.contract.handlers import Route
from forebay.contract.wire import Delivered
from forebay.observability.metrics import StageMetrics

log = structlog.get_logger(__name__)

_COMES_BACK = frozenset({h.PROOF, h.RETRY_STAGE, h.SEALED, h.SEALED_KEY})
"""A header of these says that the record is not there for the first time."""


class PassingOver:
    """Asks the route's ``skip`` and counts; a fault of it costs time and no record, and is told of once."""

    def __init__(self, route: Route, metrics: StageMetrics) -> None:
        self._route = route
        self._metrics = metrics
        self._told = False

    def passes(self, source: Delivered) -> bool:
        """Whether ``source`` is finished already."""
        skip = self._route.skip
        if skip is None or source.key is None or not _COMES_BACK.isdisjoint(source.headers):
            return False
        try:
            return skip(source.key)
        except Exception as error:  # noqa: BLE001 - a fault in a short cut: the long way is right in any case
            if not self._told:
                self._told = True
                log.error("skip_bug", stage=self._metrics.stage, topic=self._route.topic, error=type(error).__name__)
            return False

    def passed(self) -> None:
        """A record was passed over."""
        self._metrics.passed_over(self._route.topic)
