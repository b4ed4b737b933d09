"""Why does a name stay or go?"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a name stays."""

    ASKED = "asked"
    """A question or a task is about it."""
    SAID = "said"
    """A place behind a preposition in a sentence about nobody."""
    WHO = "who"
    """Right behind "who was"."""
    FAME = "fame"
    """With what only public people do: wrote, discovered, reigned."""
    EPONYM = "eponym"
    """A law, a disease, an algorithm is called so."""
    BRAND = "brand"


class Veto(StrEnum):
    """Why a name goes."""

    LANGUAGE = "language"
    """The clause is in no language with cues."""
    UNLISTED = "unlisted"
    """It is in no list, or holds something that is not."""
    SILENT = "not_asked"
    """Its clause does not ask."""
    FIRST = "first_person"
    THIRD = "he_or_she"
    RELATION = "relation"
    TITLE = "title"
    CONTACT = "contact"
    LABEL = "label"
    HOME = "home"
    MATTER = "everyday_matter"
    OTHER = "other_person"
    """Somebody else in the clause is masked."""
    IDENTIFIER = "identifier"
    """An identifier is in the same text."""
    NUMBER = "number"
    """Digits beside it."""
    NEIGHBOUR = "neighbours_name"
    """It may be a neighbour's name, and nothing says that it is not."""
    FATE = "masked_elsewhere"
    """The same name is masked elsewhere in the request, or in the conversation."""
    KIND = "kind_not_public"
    """``redaction.public`` does not have its kind."""
