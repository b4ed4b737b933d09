"""The substrate: everything that knows Kafka, Faust and Avro, and no business rule.

Read in this order: :mod:`streams.topics` (which records flow where), :mod:`streams.records` (what they are),
:mod:`streams.stage` (how a handler is run so that nothing is lost).
"""

__version__ = "0.1.0"
