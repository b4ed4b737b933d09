"""What stands before a question? A dozen system prompts of 250 to 900 characters, and a context of 1.5 kB."""

_ROLES = (
    "the help desk of a hardware store",
    "a travel agency's assistant for changed bookings",
    "the support line of an internet provider",
    "an assistant to the claims department of an insurer",
    "a tutor for adults who learn a trade",
    "the front desk of a large hotel",
    "an assistant of a moving company",
    "the customer service of a furniture shop",
    "a consultant for people who rent out their homes",
    "an adviser of a public library",
    "the hotline of a power company",
    "an assistant of a museum's workshop",
)
_RULES = (
    "Answer in two or three short sentences, and in the language of the question.",
    "Say so plainly when you do not know something, and never invent a price, a date or a phone number.",
    "If a question has nothing to do with our work, say politely that you cannot help with it.",
    "Be friendly, do not use exclamation marks, and do not repeat the question.",
    "Safety comes first: name what may hurt somebody before you explain how a thing is done.",
    "Do not promise a refund, a repair or a visit; say who decides about it and how long that usually takes.",
    "Use metric units, and write amounts of money with their currency behind them.",
    "When several ways lead to the goal, give the cheapest one first and say what speaks against it.",
    "Do not recommend other firms by their names, and do not comment on their work.",
)
_SENTENCES = (
    "The hall was built together with the mill and has been used as a store ever since.",
    "Its roof was renewed in three parts, the last of them after the storm that broke the southern gable.",
    "Whoever works there keeps the middle aisle free, since the cart for heavy loads has to turn at its end.",
    "Tools are lent for a day against a signature, and come back clean and dry.",
    "Paint, glue and thinner are kept in the steel cupboard next to the door, never beside the stove.",
    "Water is turned off at the main valve every evening during the cold months.",
    "Broken things are put on the bench with a note that says what happened and when.",
    "The inventory is counted twice a year, and what is missing is ordered from the same dealer as before.",
)


def _prompt(number: int, role: str) -> str:
    rules = [_RULES[(number + step) % len(_RULES)] for step in range(2 + number % 7)]
    return f"You are {role}. Customers write to you, and what you say is read by them at once. {' '.join(rules)}"


SYSTEM_PROMPTS = tuple(_prompt(number, role) for number, role in enumerate(_ROLES))
CONTEXT = " ".join(_SENTENCES * 3)[:1_500]
"""The same for everybody: a passage of a handbook that an application puts before a question."""

NOUNS = (
    "anchor", "barometer", "canoe", "dictionary", "engine", "fountain", "glacier", "harbour", "jigsaw", "kettle",
    "lantern", "mortgage", "needle", "orchard", "quarry", "radiator", "saddle", "telescope", "umbrella", "warranty",
    "xylophone", "bakery", "cactus", "escalator", "firewall", "greenhouse", "hinge", "jacket", "keyboard", "lighthouse",
    "microscope", "oven", "parachute", "quilt", "scaffold", "thermostat", "violin", "waterfall", "yacht", "zebra",
)  # fmt: skip
"""With three of them a question becomes a new one."""
