"""Which findings of the model are known to be no people and no places? Peoples and languages, firms, feasts, phrases.

Only what names nobody wherever it stands: a nationality, a name that a legal form follows, a place in the name of a
public body ("University of Pittsburgh"). A cue such as "my name is"
overrules it, since there are people called Norman French.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from forebay_agents.redaction.detection.names.words import listed

_PEOPLES = listed(
    "afghan african albanian algerian american americans andorran angolan arab arabic argentine argentinian "
    "armenian asian australian australians austrian azerbaijani bahraini bangladeshi barbadian basque belarusian "
    "belgian beninese bolivian bosnian brazilian brazilians british bulgarian burmese burundian cambodian "
    "cameroonian canadian canadians catalan chilean chinese colombian congolese costa-rican croatian cuban cypriot "
    "czech danish dominican dutch ecuadorian egyptian emirati english eritrean estonian ethiopian european "
    "europeans fijian filipino finnish french gabonese gambian georgian german germans ghanaian greek greeks "
    "guatemalan guinean guyanese haitian hindi hispanic honduran hungarian icelandic indian indians indonesian "
    "iranian iraqi irish israeli israelis italian italians ivorian jamaican japanese jewish jordanian kazakh kenyan "
    "korean koreans kurdish kuwaiti kyrgyz laotian latin latino latvian lebanese liberian libyan lithuanian "
    "luxembourgish macedonian malagasy malawian malaysian maldivian malian maltese mandarin mauritian mexican "
    "mexicans moldovan mongolian montenegrin moroccan mozambican namibian nepalese nicaraguan nigerian nigerians "
    "norwegian omani pakistani palestinian panamanian paraguayan persian peruvian polish portuguese punjabi qatari "
    "romanian russian russians rwandan salvadoran saudi scottish senegalese serbian singaporean slovak slovakian "
    "slovenian somali spanish sudanese surinamese swahili swedish swiss syrian taiwanese tajik tamil tanzanian thai "
    "tibetan togolese tunisian turkish turkmen ugandan ukrainian urdu uruguayan uzbek venezuelan vietnamese welsh "
    "yemeni zambian zimbabwean muslim muslims christian christians catholic catholics protestant buddhist hindu "
    "islamic islam jews republican republicans democrat democrats"
)
_NEVER_ALONE = listed(
    "union eu mr mrs ms dr sir madam miss prof north south east west northern southern eastern western earth moon "
    "internet web god lol omg idk btw asap wifi app bot admin ceo cto cfo hr it ai tv pm am ok okay i "
    "iban ssn bic swift vat dob pin ip mac nhs nino url uri id cvv cvc otp zip sku api dns vpn http https ssh sql json "
    "csv pdf html xml usb gps sim imei imsi vin ein itin mrn isbn jwt sms atm faq"
)
_PHRASES = frozenset(
    {"european union", "united nations", "new year", "new years", "santa claus", "father christmas",
     "jesus christ", "black friday",
     "white house", "kia rio", "valentine", "north pole", "south pole", "milky way", "dear sir", "uncle sam"}
)  # fmt: skip
_FIRM_AFTER = re.compile(
    r",? (?:Inc|INC|Ltd|LTD|LLC|L\.L\.C|PLC|plc|GmbH|GMBH|Corp|CORP|Corporation|Limited|S\.A|N\.V|B\.V|AG|SE|SpA|"
    r"S\.p\.A|Pty|Pte|LLP|Holdings?|& Co|& Sons|& Company|Co\.? ?Ltd)\b"
)
_BODY_AFTER = re.compile(
    r" (?:(?:State|City|National|Royal|High|Central|County) )?(?:Lottery|Hall of Fame|Grand Prix|Records|Recordings|"
    r"Railway|Awards|Laborator(?:y|ies)|Institute|Council|League|Times|Herald|Gazette|Tribune|Orchestra|Symphony|"
    r"Film Festival|Stock Exchange|Champions|Championships?|Teachers College|Community College|State University|"
    r"Broadcasting)\b"
)
_BODY_BEFORE = re.compile(
    r"\b(?:[Uu]niversity|Institute|Institution|Railway|Army|Siege|Bank|Museum|Association|Party|League|Battle|Treaty|"
    r"Council|Parliament|Academy|Federation) of (?:the )?$"
)
_NEGATED_AFTER = re.compile(r" ?n['’]?t\b")
"""Tokenised text parts "ca n't"."""
_LAUGHTER = re.compile(r"(?:[hj][aeiou]){3,}h?|(?:lol){2,}|l+m+f?a+o+")
_MODEL = re.compile(
    r"(?:[a-z]{1,2} ?(?:\d{3}|(?:19|20)\d\d)|"
    r"(?:white|black|red|blue|silver|gr[ae]y|green|brown|gold|beige|yellow|orange) (?:19|20)\d\d)(?!\w)"
)
"""In lower case: "e 463" is a keyboard, "cc 2012" and "white 2016" are cars; states have postcodes of five digits."""
_CAR_BEFORE, _CAR_BEHIND = re.compile(r"([a-z]{3,16}) \Z"), re.compile(r" ([a-z]{3,16})(?![a-z])")
_QUARTER = re.compile(r"(?:q[1-4]|fy ?\d{2,4}|h[12]|rfc|var|v\d+)")
_GENERIC = listed(
    "room office home house school hospital platform building hotel street road city town village station airport "
    "bank shop store restaurant floor apartment flat suite unit area address location place country state county "
    "region district centre center beach park church downtown name user customer client patient guest agent "
    "human person somebody anyone carer caller operator representative adviser manager cash cheque"
)
_BRANDS = listed(
    "google amazon microsoft apple facebook instagram twitter tiktok youtube whatsapp netflix spotify uber lyft "
    "airbnb paypal visa mastercard amex ebay tesco waitrose sainsburys asda aldi lidl walmart costco ikea starbucks "
    "mcdonalds nike adidas hyatt hilton marriott ritz godaddy linkedin slack zoom github iphone ipad android "
    "samsung sony nokia revolut monzo hsbc barclays santander natwest vodafone verizon easyjet ryanair lufthansa "
    "deliveroo doordash playstation xbox nintendo"
)
_PROGRAMS = listed(
    "glacier lambda redshift kinesis fargate sagemaker cognito kubernetes terraform ansible grafana prometheus kibana "
    "elasticsearch redis postgres postgresql mysql mongodb kafka airflow snowflake databricks spark hadoop flink "
    "tableau "
    "jira confluence trello asana notion figma gitlab bitbucket docker helm istio envoy nginx tomcat circleci sentry "
    "datadog splunk pagerduty okta keycloak consul nomad heroku vercel netlify cloudflare akamai fastly azure aws "
    "gcp ec2 "
    "eks ecs rds excel outlook teams sharepoint powerpoint photoshop salesforce hubspot zendesk mailchimp shopify "
    "magento "
    "wordpress drupal django laravel angular react svelte kotlin haskell chatgpt copilot chrome firefox safari "
    "debian ubuntu"
)
_MADE = _BRANDS | _PROGRAMS
_GREETINGS = listed(
    "ciao cheerio adios bonjour hola aloha namaste merci danke gracias hallo salut привет مرحبا שלום "
    " arigato cheers bye goodbye yay wow"
)
_LISTS = {
    name: listed(words)
    for name, words in tomllib.loads(Path(__file__).with_name("nobody.toml").read_text("utf-8")).items()
}
_SMALL_TALK = _LISTS["greetings"] | _LISTS["chat"]
"""In lower case: "hai" greets, "Hai" is somebody in Hanoi."""
_THINGS = frozenset().union(
    *(_LISTS[sort] for sort in ("cars", "food", "programs", "german", "begins", "calendar", "asked"))
)
_BESIDE = {"cars": _LISTS["cars"] | _LISTS["beside_cars"], "german": _LISTS["german"] | _LISTS["beside_german"]}
"""Names as well ("Ford", "Mann"), so they are things only beside another word of their list: "kia rio 2012"."""
_ROOMS = listed("room floor office platform gate table seat row step chapter page section level")
_FIRM = listed(
    "inc ltd llc plc gmbh corp corporation limited ag se spa pty pte llp holding holdings company co sons group"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def doubtful(text: str, start: int, end: int) -> bool:
    """Whether the finding ``text[start:end]`` is known to be neither person nor place."""
    value = text[start:end].lower()
    words: Sequence[str] = _WORD.findall(value)
    if not words or value in _PHRASES:
        return True
    if all(word in _PEOPLES for word in words):
        return True
    if all(word in _FIRM or word in _GENERIC for word in words) and not any(map(str.isdigit, value)):
        return True
    if all(word in _ROOMS for word in words) or _things(text[start:end], words):
        return True
    if len(words) == 1 and (words[0] in _NEVER_ALONE or words[0] in _MADE or words[0] in _GREETINGS):
        return True
    if end - start == 1 and value.isascii():
        return True
    model = _MODEL.match(text, start)
    if (model and model.end() >= end) or (len(words) == 1 and _beside_a_car(text, start, end)):
        return True
    if _QUARTER.fullmatch(value) or _LAUGHTER.fullmatch(value) or _NEGATED_AFTER.match(text, end):
        return True
    return _FIRM_AFTER.match(text, end) is not None or _of_a_body(text, start, end)


def _things(given: str, words: Sequence[str]) -> bool:
    """Whether the words are things, or small talk in lower case."""
    if all(word in _THINGS for word in words) or (given.islower() and all(word in _SMALL_TALK for word in words)):
        return True
    return len(words) > 1 and any(
        all(word in beside for word in words) and any(word in _LISTS[sort] for word in words)
        for sort, beside in _BESIDE.items()
    )


def _beside_a_car(text: str, start: int, end: int) -> bool:
    """Whether a maker or a model that is a name as well stands in lower case beside a car: "ford figo"."""
    if text[start:end] not in _BESIDE["cars"]:
        return False
    before, behind = _CAR_BEFORE.search(text, max(0, start - _LONGEST), start), _CAR_BEHIND.match(text, end)
    return any(found and found[1] in _LISTS["cars"] for found in (before, behind))


_LONGEST = 17


def _of_a_body(text: str, start: int, end: int) -> bool:
    """Whether one or two words are part of the name of a public body: "Texas Lottery", "University of Pittsburgh"."""
    if len(text[start:end].split()) > 2 or not text[start].isupper():
        return False
    return _BODY_AFTER.match(text, end) is not None or _BODY_BEFORE.search(text, max(0, start - 24), start) is not None
