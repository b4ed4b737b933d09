"""What does a training text say? A sentence with slots, filled; then roughened as real text is rough."""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from forebay_agents.redaction.training.labelled import IGNORED, PERSON, PLACE, Chunk, Labelled, joined
from forebay_agents.redaction.training.lexicon import Lexicon
from forebay_agents.redaction.training.not_people import BODIES, JOBS, MONTHS, ORGANISATIONS, PRODUCTS, WEEKDAYS, WORKS
from forebay_agents.redaction.training.roughening import roughened

_SLOT = re.compile(r"\{(PF|PL|PI|P|L|AS|A|O|X|J|W|M|D|T|N|V|EP|EF|EL|EN|E|H|U|I|Q|CS|C|c|B|K|R|RR|UR|HT|Y|YS)\}")
_GENRE = re.compile(r"\[[a-z]+\]")
_LISTS = {"X": PRODUCTS, "J": JOBS, "W": WEEKDAYS, "M": MONTHS, "Y": BODIES, "YS": WORKS}
_URL_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MOST = 40
"""Sentences beyond which a genre weighs no more."""


def frames() -> dict[str, list[str]]:
    """Sentences with slots, by genre."""
    found: dict[str, list[str]] = {}
    for file in sorted(Path(__file__).parent.glob("frames*.txt")):
        genre = ""
        for line in file.read_text("utf-8").splitlines():
            if _GENRE.fullmatch(line):
                genre = line[1:-1]
            elif line.strip() and genre:
                found.setdefault(genre, []).append(line.replace("\\n", "\n").replace("\\t", "\t"))
    return found


class Writer:
    """Writes training texts.

    Args:
        rng: source of all randomness.
        lexicon: values for slots.
        clean: sentences without personal data.
    """

    def __init__(self, rng: random.Random, lexicon: Lexicon, clean: Sequence[str]) -> None:
        self._rng = rng
        self._lexicon = lexicon
        self._clean = clean
        self.borrowed: set[str] = set()
        """Clean sentences in the last text."""
        self._frames = frames()
        self._genres = sorted(self._frames)
        self._weights = [min(len(self._frames[genre]), _MOST) + 10 for genre in self._genres]

    def write(self) -> Labelled:
        """One text: one to five sentences of one genre, sometimes between clean ones."""
        self.borrowed = set()
        genre = self._rng.choices(self._genres, self._weights)[0]
        count = self._rng.choices((1, 2, 3, 5), weights=(60, 20, 12, 8))[0]
        pieces = [self._filled(self._rng.choice(self._frames[genre])) for _ in range(count)]
        if self._rng.random() < 0.15:
            pieces.insert(self._rng.randint(0, len(pieces)), [(self._sentence(), None)])
        joint = self._rng.choice((" ", "\n", "\n\n", " ", ". ", ", "))
        chunks: list[Chunk] = []
        for index, piece in enumerate(pieces):
            chunks += ([(joint, None)] if index else []) + piece
        return roughened(self._rng, joined(chunks))

    def filled(self, frame: str) -> Labelled:
        """One text from ``frame``."""
        return roughened(self._rng, joined(self._filled(frame)))

    def swapped(self, row: Labelled) -> Labelled:
        """``row`` with its people and places exchanged for others."""
        chunks: list[Chunk] = []
        position = 0
        for start, end, label in row.spans:
            old = row.text[start:end]
            chunks.append((row.text[position:start], None))
            chunks.append((self._like(old, label), label))
            position = end
        chunks.append((row.text[position:], None))
        return joined(chunks)

    def _like(self, old: str, label: str) -> str:
        words = len(old.split())
        if label == PLACE:
            new = self._lexicon.place() if words > 1 else self._lexicon.city().split(",")[0]
        elif words == 1:
            new = self._lexicon.first() if self._rng.random() < 0.6 else self._lexicon.last()
        else:
            new = self._lexicon.person()
        return new.lower() if old.islower() else new.upper() if old.isupper() and len(old) > 3 else new

    def _filled(self, frame: str) -> list[Chunk]:
        chunks: list[Chunk] = []
        position = 0
        for match in _SLOT.finditer(frame):
            chunks.append((frame[position : match.start()], None))
            chunks += self._value(match[1])
            position = match.end()
        chunks.append((frame[position:], None))
        return chunks

    def _value(self, slot: str) -> list[Chunk]:
        lexicon, rng = self._lexicon, self._rng
        named: dict[str, tuple[Callable[[], str], str]] = {
            "P": (lexicon.person, PERSON),
            "PF": (lexicon.first, PERSON),
            "PL": (lexicon.last, PERSON),
            "L": (lexicon.place, PLACE),
            "A": (lexicon.address, PLACE),
            "AS": (lexicon.street, PLACE),
        }
        if slot in named:
            make, label = named[slot]
            return [(make(), label)]
        if slot == "PI":
            title, name = lexicon.initialled()
            return [(title, None), (name, PERSON)]
        if slot == "O":
            own = rng.random() < 0.5
            return [(lexicon.company(), IGNORED) if own else (rng.choice(ORGANISATIONS), None)]
        if slot in "EU":
            return [(self._plain(slot), IGNORED)]
        return [(self._plain(slot), None)]

    def _plain(self, slot: str) -> str:
        rng = self._rng
        if slot in _LISTS:
            return rng.choice(_LISTS[slot])
        match slot:
            case "Q":
                return self._sentence()
            case "C" | "c" | "CS" | "EP" | "EF" | "EL" | "EN" | "B" | "K" | "R" | "HT" | "UR":
                return self._word(slot)
            case "N":
                return str(rng.randint(1, rng.choice((9, 99, 2030))))
            case "V":
                return rng.choice(("${}", "{}$", "£{}", "{} EUR", "{} dollars", "€ {}.00")).format(rng.randint(1, 5000))
            case "D":
                return self._date()
            case "T":
                hour, minute = rng.randint(0, 23), rng.randint(0, 59)
                return rng.choice((f"{hour}:{minute:02d}", f"{hour % 12 + 1} pm", f"{hour % 12 + 1}:{minute:02d} am"))
            case "H":
                form = rng.choice(("+1 {} {} {}", "({}) {}-{}", "{}-{}-{}", "+44 {} {}{}"))
                return form.format(rng.randint(200, 999), rng.randint(100, 999), rng.randint(1000, 9999))
            case "I":
                form = rng.choice(("{}{}", "#{}{}", "{}-{}", "INV-{}{}", "{}AB{}", "C{}{}"))
                return form.format(rng.randint(10, 999), rng.randint(100, 99999))
            case "E":
                name = self._lexicon.first().lower().replace(" ", "")
                return f"{name}{rng.choice(('', '.', '_'))}{rng.randint(1, 99)}@{rng.choice(('gmail.com', 'mail.org'))}"
        return f"http://{rng.choice(('t.co', 'bit.ly', 'www.example.com'))}/{rng.getrandbits(40):x}"

    def _sentence(self) -> str:
        sentence = self._rng.choice(self._clean)
        self.borrowed.add(sentence)
        return sentence

    def _word(self, slot: str) -> str:
        match slot:
            case "EP":
                return self._lexicon.last()
            case "EF":
                return self._lexicon.first()
            case "EN":
                return f"{self._lexicon.first()} {self._lexicon.last()}"
            case "EL":
                return self._lexicon.city().split(",")[0]
            case "CS":
                return self._lexicon.common().capitalize() + "s"
            case "R":
                return self._handle()
            case "UR":
                host = self._rng.choice(("http://t.co", "https://bit.ly", "http://www.example.com"))
                return f"{host}/{''.join(self._rng.choices(_URL_CHARACTERS, k=self._rng.randint(6, 10)))}"
            case "HT":
                return "".join(self._capital() for _ in range(self._rng.randint(1, 3)))
            case "B":
                return "".join(self._rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=self._rng.randint(2, 4)))
            case "K":
                return self._key()
        word = self._lexicon.common()
        return word.capitalize() if slot == "C" else word

    def _capital(self) -> str:
        word = self._lexicon.common()
        return word.capitalize() if self._rng.random() < 0.6 else word

    def _handle(self) -> str:
        """What people call themselves on the net: glued words, with digits and without."""
        one, two = self._lexicon.common(), self._lexicon.common()
        form = self._rng.choice(("{a}{b}", "{a}{B}", "{A}{B}", "{a}_{b}", "{a}{n}", "{A}{B}{n}", "{a}{b}{n}", "its{a}"))
        return form.format(a=one, b=two, A=one.capitalize(), B=two.capitalize(), n=self._rng.randint(1, 1999))

    def _key(self) -> str:
        rng = self._rng
        one, two = (self._lexicon.common()[:3].upper() for _ in range(2))
        form = rng.choice(("{a}-{b}-{n}", "{a}{n}", "{a}-{n}{b}", "{n}-{a}", "{a}{n}-{b}", "{a}_{b}", "{h}"))
        return form.format(a=one, b=two, n=rng.randint(1, 9999), h=f"{rng.getrandbits(rng.choice((24, 32, 64))):x}")

    def _date(self) -> str:
        rng = self._rng
        day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1940, 2026)
        name = MONTHS[month - 1]
        return rng.choice(
            (f"{year}-{month:02d}-{day:02d}", f"{day}/{month}/{year}", f"{month:02d}/{day:02d}/{year}", f"{name} {day}",
             f"{day} {name} {year}", f"{name} {day}, {year}", f"{day}.{month}.{year}", f"the {day}th of {name}")
        )  # fmt: skip
