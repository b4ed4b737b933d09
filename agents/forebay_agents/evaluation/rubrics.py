"""What is a good answer? Rubrics by name and version; a verdict names the one it was given under."""

from types import MappingProxyType

_HELPFULNESS_1 = """You grade the answer that an assistant gave to a user.
Placeholders such as <PERSON_1> stand for personal data and are correct as they are.

Grades:
5 = correct, complete and to the point
4 = correct, with small gaps
3 = partly correct or partly useful
2 = mostly wrong or beside the point
1 = wrong, empty, refused without reason, or harmful

User's request:
{question}

Assistant's answer:
{answer}

Reply with JSON: "score", the grade from 1 to 5, and "reason", one short sentence."""

RUBRICS = MappingProxyType({"helpfulness@1": _HELPFULNESS_1})
"""Name and version to a prompt with ``{question}`` and ``{answer}``."""
