"""What was read before is not read again: the findings are the same, and no word of it is kept."""

from collections.abc import Sequence

import numpy as np
import pytest

from forebay_agents.redaction.detection.detector import Asked, Detector, Found
from forebay_agents.redaction.detection.names.encoder.layer import third_layer
from forebay_agents.redaction.detection.names.encoder.readings import Readings
from forebay_agents.redaction.detection.names.words import Matrix
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.repeated import Repeated
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import RedactionSettings
from tests.data.kinds import texts

PROMPT = (
    "You are the assistant of Larkspur Insurance in Galway. Be brief and polite. Speak about policies, claims and "
    "payments only. If somebody asks for a person, hand over to Tamsin Oduya of the claims desk. "
) * 5


class Counting(Readings):
    """Counts the windows that it gives back."""

    given = 0

    def recalled(self, digest: bytes) -> Matrix | None:
        found = super().recalled(digest)
        self.given += found is not None
        return found


class Watched:
    """A detector, and how many requests it had to read at a time."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.read: list[int] = []

    def find_all(self, asked: Sequence[Asked]) -> list[Found | Exception]:
        self.read.append(len(asked))
        return self._detector.find_all(asked)

    def asked_about(self, parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> tuple[str, ...]:
        return self._detector.asked_about(parts, spans)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(RedactionSettings(kept_windows=0))


def conversations() -> list[list[Part]]:
    """Three conversations that grow turn by turn, each behind the same system prompt."""
    said = [row.text for row in texts()][:30]
    grown = []
    for begin in (0, 10, 20):
        parts = [Part(text=PROMPT, speaker="system", said=True)]
        for turn, text in enumerate(said[begin : begin + 10]):
            parts.append(Part(text=text, speaker="user" if turn % 2 else "assistant", said=True))
            grown.append(list(parts))
    return grown


def test_growing_conversations_are_found_the_same_with_and_without() -> None:
    plain, keeping = (Detector(RedactionSettings(kept_windows=kept)) for kept in (0, 256))
    for parts in conversations():
        assert keeping.find(Asked(parts=parts)) == plain.find(Asked(parts=parts))


def _pieces(count: int, seed: int = 7) -> list[int]:
    return [int(piece) for piece in np.random.default_rng(seed).integers(1_000, 30_000, count)]


def test_a_window_is_read_twice_and_then_never_again() -> None:
    layer, readings = third_layer(), Counting(8)
    long, more = _pieces(300), _pieces(60, 8)
    plain = layer.vectors([long], [range(300)])[0]
    for given in (0, 0, 4):
        [vectors] = layer.vectors([long], [range(300)], readings)
        assert readings.given == given
        np.testing.assert_allclose(vectors, plain, atol=1e-4)
    [grown] = layer.vectors([[*long, *more]], [range(360)], readings)
    assert readings.given == 4 + 3
    np.testing.assert_allclose(grown, layer.vectors([[*long, *more]], [range(360)])[0], atol=1e-4)


def test_a_short_text_is_not_kept() -> None:
    readings = Readings(8)
    for _ in range(3):
        third_layer().vectors([_pieces(100)], [range(100)], readings)
    assert len(readings) == 0


def test_what_is_kept_is_bounded_and_the_oldest_goes() -> None:
    readings = Readings(2)
    digests = [readings.digest([number, 5], [0]) for number in range(4)]
    for number in (0, 1, 2, 3):
        for _ in range(2):
            readings.keep(digests[number], np.full((1, 4), number, np.float32))
    assert len(readings) == 2
    assert readings.recalled(digests[0]) is None
    found = readings.recalled(digests[3])
    assert found is not None
    assert found.tolist() == [[3.0] * 4]


def test_nothing_that_is_kept_holds_the_vectors_or_the_key_to_them() -> None:
    readings = Readings(2)
    digest, vectors = readings.digest([7, 8, 9], [0, 1]), np.arange(8, dtype=np.float32).reshape(2, 4)
    for _ in range(2):
        readings.keep(digest, vectors)
    kept = repr(vars(readings)).encode("latin-1", "backslashreplace")
    assert repr(digest[16:])[2:-1].encode() not in kept
    assert repr(vectors.tobytes())[2:-1].encode() not in kept
    assert Readings(2).digest([7, 8, 9], [0, 1]) != digest


def test_a_request_that_comes_again_is_answered_without_reading_it(detector: Detector) -> None:
    watched = Watched(detector)
    kept = Repeated(watched, 100)
    asked = [Asked(parts=[Part(text=row.text, speaker="user", said=True)]) for row in texts()[:40]]
    first, again = kept.find_all(asked), kept.find_all(asked)
    assert watched.read[0] == 40
    for one, other in zip(first, again, strict=True):
        assert isinstance(one, Found)
        assert isinstance(other, Found)
        assert (one.spans, one.language, one.asked, one.open) == (other.spans, other.language, other.asked, other.open)
        assert [(two.span, two.judged, two.kind) for two in one.public] == [
            (two.span, two.judged, two.kind) for two in other.public
        ]
    assert sum(watched.read[1:]) <= sum(bool(one.open) for one in first if isinstance(one, Found))


@pytest.mark.parametrize("other", [{"tenant_id": "b"}, {"profile": "strict"}, {"language": "de"}])
def test_what_another_tenant_profile_or_language_found_is_not_taken(detector: Detector, other: dict[str, str]) -> None:
    kept = Repeated(detector, 100)
    parts = [Part(text="Is Paris bigger than Berlin?", speaker="user", said=True)]
    kept.find_all([Asked(parts=parts)])
    assert len(kept) == 1
    kept.find_all([Asked(parts=parts, **other)])  # type: ignore[arg-type]  # three strings
    assert len(kept) == 2


def test_nothing_is_kept_of_a_conversation_that_is_known(detector: Detector) -> None:
    kept = Repeated(detector, 100)
    parts = [Part(text="Tell Lorcan that I agree.", speaker="user", said=True)]
    kept.find_all([Asked(parts=parts, known={"<PERSON_1>": "Lorcan Fitzsimmons"})])
    assert len(kept) == 0


def test_no_word_of_a_request_is_kept_and_the_oldest_goes(detector: Detector) -> None:
    kept = Repeated(detector, 2)
    for number in range(5):
        text = f"Who was Marie Curie? Ask Lorcan Fitzsimmons, {4_400_000 + number}."
        kept.find_all([Asked(parts=[Part(text=text, speaker="user", said=True)])])
    assert len(kept) == 2
    shown = repr(vars(kept)).lower()
    assert not [word for word in ("curie", "lorcan", "fitzsimmons", "44000") if word in shown]
