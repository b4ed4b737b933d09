"""The whole stack on one machine, out of packages: Apache Kafka, Redis and two models as supervised child processes.

Nothing outside this package knows the difference to a real cluster: what it starts is named in the same environment
variables that name real servers.
"""
