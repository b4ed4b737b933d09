"""Redaction: personal data is replaced by pseudonyms before any other stage sees a request.

Read :mod:`forebay_agents.redaction.handler` first: it is the whole stage in one function.
"""
