"""The business rules: one package a stage, each with one thin ``agent.py`` that plugs its rules into :mod:`forebay`.

A stage's rules never import another stage's. What two stages share (a record, the grammar of pseudonyms, the vault) is
part of the contract and lives in :mod:`forebay`.
"""
