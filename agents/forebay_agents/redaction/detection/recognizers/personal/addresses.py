"""Where somebody lives, as far as it can be told without knowing places: street lines, postcodes, post-office boxes.

The names model finds most addresses by itself; these rules add the parts that are made of numbers, and the joiner
(:mod:`forebay_agents.redaction.detection.joining`) makes one span of the whole.
"""

import re

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_KIND = "LOCATION"
_DECIMAL = re.compile(r"\d+\.\d+")
_TYPES = (
    r"(?:street|str\.?|st\.?|road|rd\.?|avenue|ave\.?|av\.?|lane|ln\.?|drive|dr\.?|boulevard|blvd\.?|court|ct\.?|place|pl\.?|"
    r"square|sq\.?|terrace|ter\.?|close|crescent|cres\.?|parkway|pkwy\.?|highway|hwy\.?|circle|cir\.?|trail|trl\.?|way|row|alley|"
    r"walk|plaza|loop|heights|grove|gardens|mews|quay|turnpike|route|causeway|esplanade)"
)
_UNIT = (
    r"(?:[, ]{1,2}(?:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|"
    r"#)\.?\s?#?\s?[A-Z]?-?\d{1,5}[A-Z]?)?"
)
_STATES = (
    r"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|"
    r"V[AT]|W[AIVY]|PR)"
)
_NAMED = (
    r"(?:[A-Z][\w'’.\-]{1,24} |\d{1,3}(?:st|nd|rd|th) ){1,3}(?:Street|St\b\.?|Road|Rd\b\.?|Avenue|Ave\b\.?|Lane|"
    r"Ln\b\.?|Drive|Boulevard|"
    r"Blvd\b\.?|Terrace|Crescent|Parkway|Highway)"
)
_FAMOUS = frozenset({"Wall Street", "Sesame Street", "Fleet Street", "Downing Street", "Easy Street",
                     "Coronation Street",
                     "Main Street", "Memory Lane", "Sunset Boulevard"})  # fmt: skip
_ENDS = (
    "str", "weg", "gasse", "platz", "allee", "damm", "ufer", "laan", "gata", "vägen", "vej", "gade", "kade", "plein",
    "katu", "tie",
)  # fmt: skip
_STREETS = (
    "str", "straße", "strasse", "weg", "gasse", "platz", "allee", "damm", "ufer", "laan", "straat", "gatan", "gata",
    "vägen", "vej", "gade", "kade", "plein", "katu", "tie",
)  # fmt: skip
_WORDS = (
    "rue", "calle", "via", "piazza", "rua", "avenida", "alameda", "plaza", "paseo", "corso", "contrada", "largo",
    "travessa", "vicolo", "strada", "ulica", "ul.", "chemin", "impasse", "quai",
)  # fmt: skip
"""What streets in other countries end with, and what they begin with."""


def addresses() -> RuleRecognizer:
    """Recogniser of the numeric parts of addresses."""
    return RuleRecognizer(
        "addresses",
        [
            Rule(
                kind=_KIND,
                pattern=r"\d(?<![\w.,$€£#].)\d{0,5}[A-Z]?(?:-\d{1,5})?,? (?:[NSEW]{1,2}\.? |north |south |east |west )?"
                rf"(?:(?:\d{{1,3}}(?:st|nd|rd|th)|[^\W\d_][\w'’.\-]{{1,24}}) ){{1,4}}{_TYPES}(?![\w'])(?: "
                rf"[NSEW]{{1,2}}\b\.?)?{_UNIT}",
                score=0.8,
                digits=1,
                check=lambda text: (
                    False
                    if text.split()[-1].lower() in ("way", "place", "court", "close", "row", "walk", "drive")
                    and not any(word[:1].isupper() for word in text.split()[1:])
                    else None
                ),
            ),
            Rule(
                kind=_KIND,  # without a house number: "at the corner of Magazine Street and Napoleon Avenue"
                pattern=rf"\b(?i:corner of|intersection of|junction of|between|"
                rf"crossing of)(?: the)? (?P<v>{_NAMED}(?: (?:and|&|with) {_NAMED})?)"
                r"(?!\w)",
                score=0.8,
                flags=0,
                hints=("corner of", "intersection of", "junction of", "between", "crossing of"),
                check=lambda text: None if "Street" not in text.split()[:1] else False,
            ),
            Rule(
                kind=_KIND,
                pattern=rf"\b(?i:(?:lives?|lived|living|resides?|house|home|flat|apartment|moved|parked|grew up|"
                rf"neighbou?rs?) (?:on|in|at|to|off))"
                rf" (?P<v>{_NAMED})(?!\w)",
                score=0.7,
                flags=0,
                hints=(
                    "live",
                    "living",
                    "reside",
                    "house",
                    "home",
                    "flat",
                    "apartment",
                    "moved",
                    "parked",
                    "grew",
                    "neighb",
                ),
                check=lambda text: False if text in _FAMOUS else None,
            ),
            Rule(
                kind=_KIND,  # "Fischerstr. 11/37, 53748 Bamberg"
                pattern=r"(?<![\w])[^\W\d_][\w'’\-]{5,36}+(?:\.(?<=[\w'’\-]{3}str\.)|"
                + "|".join(rf"(?<=[\w'’\-]{{3}}{end})" for end in _STREETS)
                + r")\s\d{1,4}\s?[a-z]?(?:[/\-]\d{1,4})?(?![\w%€$])"
                r"(?:,?\s(?:[A-Z]{1,2}-)?\d{4,5}\s[^\W\d_][\w\-]{1,30})?",
                score=0.7,
                digits=1,
                hints=_ENDS,
            ),
            Rule(
                kind=_KIND,  # "Via Nuova del Campo 85", "12 rue de la Paix"
                pattern=r"(?<![\w])(?:\d{1,4}(?: ?bis)?,? )?(?:rue|calle|via|viale|piazza|rua|avenida|alameda|plaza|"
                r"paseo|corso|"
                r"contrada|largo|travessa|vicolo|strada|ulica|ul\.|chemin|impasse|quai)\s(?:[^\W\d_][\w'’.\-]{0,24},?\s){1,5}"
                r"(?:n[°º.]?\s?)?\d{1,4}(?![\w%€$:]|\.\d)",
                score=0.6,
                digits=1,
                hints=_WORDS,
            ),
            Rule(
                kind=_KIND,
                pattern=r"\b(?:p\.? ?o\.? ?box|post office box|postfach|apartado|casilla|boîte "
                r"postale)\s?#?\s?\d{1,7}\b",
                score=0.9,
                hints=("box", "postfach", "apartado", "casilla", "postale"),
                digits=1,
            ),
            Rule(
                kind=_KIND,  # United Kingdom
                pattern=r"(?:G(?<!\w.)IR ?0AA|[A-PR-UWYZ](?<!\w.)(?:\d{1,2}|[A-HK-Y]\d|[A-HK-Y]\d\d|\d[A-HJKPS-UW]|"
                r"[A-HK-Y]\d[ABEHMNPRV-Y])"
                r" ?\d[ABD-HJLNP-UW-Z]{2})(?![\w])",
                score=0.7,
                digits=2,
                shapes=("A9", "A 9AA"),
                flags=0,
            ),
            Rule(
                kind=_KIND,
                pattern=r"(?<![\w])[a-pr-uwyz][a-hk-y]?\d[\da-z]? \d[abd-hjlnp-uw-z]{2}(?![\w])",
                score=0.6,
                digits=2,
                shapes=("a9",),
                flags=0,
            ),
            Rule(
                kind=_KIND,  # Canada
                pattern=r"[ABCEGHJ-NPRSTVXY](?<!\w.)\d[ABCEGHJ-NPRSTV-Z][ \-]?\d[ABCEGHJ-NPRSTV-Z]\d(?![\w])",
                score=0.6,
                digits=3,
                shapes=("A9A",),
                flags=0,
            ),
            Rule(
                kind=_KIND,  # United States
                pattern=rf"{_STATES}(?<!\w..)(?:[ ,.]{{1,2}})\d{{5}}(?:-\d{{4}})?(?![\w\-])",
                score=0.8,
                digits=5,
                shapes=[f"AA{one}{other}99999" for one in " ,." for other in ("", " ", ",", ".")],
                flags=0,
            ),
            Rule(
                kind=_KIND,
                pattern=r"(?<![\w\-.$])\d{5}-\d{4}(?![\w\-])",
                score=0.5,
                context=r"zip|postal|address|city|state",
                unless=r"\border\b|invoice|\bticket|\bid\b|serial",
                digits=9,
                shapes=("99999-9999",),
            ),
            Rule(
                kind=_KIND,
                pattern=r"\b(?:zip(?:[\s\-_]?code)?|post(?:al)?[\s\-_]?code|postcode|plz|cep|pin "
                r"code)\b\s*+[\"']?\s*+(?:is|:|=|of|to|\||,)?\s*+[\"']?"
                r"(?P<v>(?=[A-Z ]{0,4}\d)[A-Z0-9]{2,5}(?:[ \-]?[A-Z0-9]{2,4})?)(?![A-Z0-9])",
                score=0.8,
                hints=("zip", "post", "plz", "cep", "pin code"),
                digits=1,
            ),
            Rule(
                kind="COORDINATES",
                pattern=r"(?<![\d.])[+\-]?(?:[1-8]?\d|90)\.\d{4,12}°?\s?[NS]?\s{0,2}[,;/]\s{0,2}[+\-]?(?:1[0-7]\d|[1-9]?\d|180)\.\d{4,12}(?!\d)",
                score=0.7,
                check=lambda text: None if any(abs(float(n)) >= 1 for n in _DECIMAL.findall(text)) else False,
                digits=10,
                shapes=("9.9999",),
            ),
        ],
    )
