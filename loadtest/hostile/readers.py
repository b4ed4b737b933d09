"""Who reads texts on a request's way? Each recogniser and each step of detection, and the guard at the ways out.

A reader comes with the patterns that it uses, from which texts are bred for it, and with what it may take.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forebay.contract.records import Message, MessageRole, RedactedRequest
from forebay.privacy import encoded_forms, identifiers
from forebay.privacy.egress import EgressGuard
from forebay.privacy.occurrences import Occurrences
from forebay.privacy.pseudonym_variants import reserved_tags, variants
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer
from forebay.privacy.stream_restoring import StreamRestorer
from forebay_agents.cache.admission import fresh_for_s
from forebay_agents.cache.language import facts, timeliness
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.redaction.conversation import answering, fields, turns, values
from forebay_agents.redaction.conversation import words as conversation_words
from forebay_agents.redaction.conversation.finding import Conversations
from forebay_agents.redaction.detection import (
    encoded,
    joining,
    language,
    name_remainders,
    normalise,
    propagation,
    uncovered,
)
from forebay_agents.redaction.detection.detector import Detector
from forebay_agents.redaction.detection.engine import Artifacts, structured
from forebay_agents.redaction.detection.names import cues, cues_abroad, doubts, recogniser, unlikely, words
from forebay_agents.redaction.detection.names.lexical import common_word
from forebay_agents.redaction.detection.spans import Span, resolved
from forebay_agents.redaction.pseudonymise import pseudonymise
from forebay_agents.redaction.request_parts import Part, document
from forebay_agents.redaction.settings import RedactionSettings
from loadtest.hostile.patterns import Sown, patterns_in

_KINDS = ("PERSON", "LOCATION", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN")
_PIECE = 7
"""Characters of a piece of an answer that arrives in pieces."""


_ONE, _STEP, _TURNS, _ALL = 0.2, 1.0, 1.4, 2.0
"""Seconds of CPU for 100,000 characters, at most: of a recogniser, of a step that is given a finding in every second
word, of 25,000 turns of a transcript, each of which answers what was asked, and of all recognisers together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Something that reads texts.

    Attributes:
        sown: its patterns.
        limit_s: seconds of CPU for 100,000 characters, at most.
    """

    name: str
    read: Callable[[str], object]
    sown: Sequence[Sown]
    limit_s: float = _STEP


def readers() -> list[Reader]:
    """All of them."""
    recognisers = list(_recognisers())
    every = [sown for one in recognisers for sown in one.sown]
    detector = Detector(RedactionSettings(names="none"))
    whole = Reader(name="detection", read=detector.text, sown=every[::_SOME], limit_s=_ALL)
    return [*recognisers, whole, *_steps(), *_conversation(), *_names(), *_guard(), _freshness()]


_SOME = 7
"""Of so many patterns one is bred for all recognisers together: all of them are, for each alone."""


def _recognisers() -> Iterator[Reader]:
    recognisers: Sequence[Any] = structured()
    for one in recognisers:
        one.load()
        sown = patterns_in([one])
        if not getattr(one, "rules", ()):
            sown += patterns_in([_module(one)])
        yield Reader(name=f"recogniser {one.name}", read=_analysing(one), sown=sown, limit_s=_ONE)


def _module(thing: Any) -> Any:
    return sys.modules[type(thing).__module__]


def _analysing(one: Any) -> Callable[[str], object]:
    return lambda text: one.analyze(text, [], Artifacts(text))


def _spans(text: str) -> list[Span]:
    """Findings everywhere: every second word, of all kinds in turns."""
    found = []
    for number, match in enumerate(re.finditer(r"[^\W_]{2,40}", text)):
        if number % 2 == 0:
            kind = _KINDS[number // 2 % len(_KINDS)]
            found.append(Span(start=match.start(), end=match.end(), kind=kind, score=0.5 + number % 5 / 10))
    return found


def _steps() -> Iterator[Reader]:
    def step(name: str, read: Callable[[str], object], *modules: Any) -> Reader:
        return Reader(name=name, read=read, sown=patterns_in(modules))

    yield step("normalised", normalise.normalised, normalise)
    yield step("language", language.language_of, language)
    yield step("hidden", lambda text: encoded.hidden(text, lambda _: []), encoded)
    yield step("joined", lambda text: joining.joined(text, _spans(text)), joining)
    yield step(
        "propagated",
        lambda text: propagation.propagated(text, _spans(text), {"<PERSON_9>": text[:40]}, common_word),
        propagation,
    )
    yield step("bared", lambda text: uncovered.bared(text, _spans(text)), uncovered)
    yield step(
        "remainders",
        lambda text: name_remainders.beside(text, _spans(text), resolved(_spans(text)), common_word),
        name_remainders,
    )
    yield step("shortened", lambda text: name_remainders.shortened(text, _spans(text)), name_remainders)
    yield step("pseudonymised", lambda text: pseudonymise([text], [_spans(text)], {}), propagation)


def _conversation() -> Iterator[Reader]:
    """What asks and what answers; in a transcript each line of a character or two is a turn."""
    conversations = Conversations()

    def said(speaker: str, text: str) -> Part:
        return Part(text=text, speaker=speaker, said=True)

    def read(*parts: Part) -> object:
        text, bounds = document(parts)
        return conversations.found(normalise.normalised(text), parts, bounds)

    sown = patterns_in([answering, fields, turns, values, conversation_words])
    everything = "Your name, account number, PIN, password, address, date of birth and mother's maiden name?"
    yield Reader(name="asking", read=lambda text: read(said("assistant", text), said("user", "1234")), sown=sown)
    yield Reader(name="answering", read=lambda text: read(said("assistant", everything), said("user", text)), sown=sown)
    yield Reader(
        name="transcript",
        read=lambda text: read(said("user", "\n".join([everything, *text.split(".")]))),
        sown=sown,
        limit_s=_TURNS,
    )


def _freshness() -> Reader:
    """What the cache asks of a question of any length; it reads facts of short ones alone."""

    def asked(text: str) -> object:
        return fresh_for_s(RedactedRequest(messages=(Message(role=MessageRole.USER, content=text),)), CacheSettings())

    return Reader(name="freshness", read=asked, sown=patterns_in([timeliness, facts]))


def _names() -> Iterator[Reader]:
    def step(name: str, read: Callable[[str], object], *modules: Any) -> Reader:
        return Reader(name=name, read=read, sown=patterns_in(modules))

    def named(text: str) -> object:
        own = words.split(text)
        odds = np.tile(np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.9, 0.05, 0.05]], np.float32), (len(own.words), 1))
        words.gaps(text, own)
        return recogniser.named_spans(text, own, odds[: len(own.words)], 0.45)

    yield step("cues", lambda text: list(cues.cues(text)), cues)
    yield step("cues abroad", lambda text: list(cues_abroad.cues_abroad(text)), cues_abroad)
    yield step("names", named, words, doubts, recogniser, unlikely)


def _guard() -> Iterator[Reader]:
    guard = EgressGuard()
    forms = patterns_in([identifiers, encoded_forms])
    yield Reader(name="guard", read=lambda text: guard.check([text]), sown=forms)

    def with_originals(text: str) -> object:
        return guard.check([text], [text[span.start : span.end] for span in _spans(text)])

    yield Reader(name="guard with originals", read=with_originals, sown=forms)

    def with_stand_ins(text: str) -> object:
        spans = _spans(text)
        return guard.check([text], {text[s.start : s.end]: f"value {n}" for n, s in enumerate(spans)})

    yield Reader(name="guard with stand-ins", read=with_stand_ins, sown=forms)
    tags = [f"<{kind}_{number}>" for kind in _KINDS for number in (1, 2, 12)]
    written = [Sown(pattern=variants(kinds)[0].pattern, hints=()) for kinds in (_KINDS, *((kind,) for kind in _KINDS))]
    for strict in (False, True):
        originals = {tag: f"value {number}" for number, tag in enumerate(tags)} | {"Joe Roe": "Al"}
        mapping = PseudonymMap(originals=originals, strict=strict)
        restorer = Restorer(mapping)
        yield Reader(name=f"restorer {strict}", read=restorer.restore_text, sown=written)

        def streaming(text: str, mapping: PseudonymMap = mapping) -> object:
            stream = StreamRestorer(mapping)
            return [stream.feed(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE)], stream.close()

        yield Reader(name=f"stream {strict}", read=streaming, sown=written)
    yield Reader(name="reserved tags", read=lambda text: reserved_tags([text], _KINDS), sown=written)
    yield Reader(
        name="occurrences",
        read=lambda text: list(Occurrences({text[: 2 + n % 30] for n in range(40)}).find(text)),
        sown=forms,
    )
