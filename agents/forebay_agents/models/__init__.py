"""Calling models, for every stage that does (completion, evaluation): deployments, providers, prices, ledger entries.

Not a stage: it decides nothing about requests.
"""
