"""The servers of the embedded stack: Apache Kafka, Redis, and two local models."""
