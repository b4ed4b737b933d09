"""Which capitalised words in training text name neither a person nor a place? Things, firms, jobs, days, months."""

from pathlib import Path


def _lists() -> dict[str, tuple[str, ...]]:
    """The lists of ``not-people.txt``, by section."""
    text = (Path(__file__).parent / "not-people.txt").read_text("utf-8")
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif section:
            found[section] = f"{found.get(section, '')} {line}"
    return {name: tuple(" ".join(item.split()) for item in items.split(",")) for name, items in found.items()}


_LISTS = _lists()
PRODUCTS, ORGANISATIONS, JOBS = _LISTS["things"], _LISTS["organisations"], _LISTS["jobs"]

BODIES = (
    "University", "State University", "College", "Teachers College", "School District", "Institute", "Academy",
    "Society", "Association", "Federation", "Council", "Authority", "Transit Authority", "Commission", "Department",
    "Ministry", "Museum", "Library", "Orchestra", "Symphony", "Festival", "Film Festival", "Jazz Festival",
    "Grand Prix", "Open", "Cup", "Championship", "Marathon", "Records", "Press", "Publishing", "Times", "Herald",
    "Gazette", "Post", "Railway", "Airlines", "Motors", "Foods", "Electric", "Energy", "Insurance", "Bank",
    "Brewery", "Group", "Holdings", "Foundation", "Trust", "Lottery", "Stock Exchange", "FC", "United", "City",
    "Rovers", "Athletic", "Campaign", "Treaty", "Accord", "Convention", "Regiment", "Division", "Brigade", "Corps",
    "Conference", "League", "Party", "Union", "Broadcasting Service", "Medical Center", "Clinic", "Theatre", "Opera",
    "Band", "Choir", "Company", "Studios", "Pictures", "Productions", "Systems", "Software", "Technologies",
    "Laboratories", "Pharma", "Day", "Independence Day", "Week", "Summit",
)  # fmt: skip
"""What a name or a place stands before in the name of something else."""

WORKS = ("album", "song", "single", "film", "movie", "novel", "book", "band", "game", "series", "show", "musical",
         "opera", "magazine", "brand", "label", "company", "chain", "track", "episode", "play", "podcast", "car", "app",
         "duo", "record", "poem", "painting", "newspaper", "club", "pub", "restaurant", "ship", "festival")  # fmt: skip
"""What is called by a name that may be a person's or a place's."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
