"""Which names are words too? "My name is Mark. Please mark the text": the name goes, the word stays.

A word in lower case, of a name that was written with a capital, is a word. And where two of these words stand together
with capitals and somebody does what only people do ("Hope Price asked"), they are a name, whatever the model thinks.
"""

import re
from collections.abc import Iterator

from forebay_agents.redaction.detection.names.words import listed

_GIVEN = listed(
    "mark rose hope grant may will bill grace faith joy chase rich drew pat sue jack frank art ray dean carol dawn ivy "
    "lily violet olive pearl ruby amber jade crystal iris holly heather hazel ginger melody harmony summer autumn "
    "april "
    "june august sky star skip rob bob nick pete dale glen cliff heath clay reed forrest hunter cooper archer mason "
    "carter tyler parker porter sawyer tanner taylor fisher gage miles lance piers victor earl duke king prince major "
    "justice constance charity prudence patience mercy verity honor honour felicity clemency temperance modesty chance "
    "destiny trinity serenity liberty angel cherry daisy poppy petunia myrtle rosemary basil sage fern laurel willow "
    "rowan ash linden robin jay wren dove phoenix colt buck buddy sonny junior happy merry blessing sunny stormy misty "
    "rainy windy rocky dusty sandy brook brooke river lake ocean bay cove ford wade rod rusty chip chuck ward guy gene "
    "penny dolly dot peg polly molly candy brandy sherry bonny bonnie bliss dear dusk eve gale gay happy haven heaven "
    "ivory jewel joy lark lane love lucky magic marina mercedes neon opal page paris paige pearl peace porsche raven "
    "reign sable scarlet scarlett sterling stone teal true velvet west winter wren young zen max will drake royal noble"
)
_FAMILY = listed(
    "price may long short grant rose hope stone wood woods brown green white black gray grey young strong power powers "
    "best case church cook baker butler carter field fields hill hills lake lane banks brooks rivers waters pool ford "
    "day knight king queen pope bishop abbot dean page noble prince duke major sergeant marshall constable sheriff "
    "judge "
    "law laws bond banker cash money penny pound rich gold silver steel iron copper glass bell bells horn drum harp "
    "singer dance wolf fox bear lamb bull bird crane heron swan drake finch sparrow hawk eagle rice bean berry plum "
    "pepper curry salmon pike bass roach fish fisher hunter forest park parks garden gardener miller mason potter "
    "porter sawyer smith taylor tailor turner walker wheeler wright weaver shepherd farmer driver carver archer bowman "
    "little small large big low high sharp blunt keen wise smart swift quick moody savage wild free freeman good "
    "bright "
    "dark love loving hart heart hand hands head foot legg bone bones blood body cross temple hall house barn mill "
    "gates "
    "wall walls street bridge rhodes moor marsh heath snow frost rain flood storm winter winters summer summers spring "
    "autumn north south east west english french german irish welsh scott england ireland holland france spain mark "
    "marks bill bills wills will may might must ware sales sells bought paid bowling golf tennant tenant guy man mann "
    "childs child boys son cousins nunn monk priest virgo sun moon star stars light flowers flower bush root branch "
    "twigg reed ash elder lemon olive cherry rush speed race chase camp tent post read book story poem letter speaker "
    "coward hope faith joy bliss pride fear trout block crisp chips coffey beer wine ale porter pitt cave hole ball "
    "bat "
    "bates bowls cope costa court crown cutter daly diamond dice dyer early feather fell fort gamble game gore grave "
    "graves hedge hitch honey hood hook hooker horner hope hopper hyde jolly joiner justice keys kitchen ladd land "
    "lawless "
    "lock locke look loft lord luck lush maker marine means merry moss mount nail neal norman oats pack paine "
    "pallet payne "
    "peace peach peel perch pickle pink plank poole pratt press proud puddle raven ridge ring rock rocks rodd rope "
    "rowe rust "
    "sack salt sands self shade ship shore silk skinner slack sly sole speck spice spring squires stack starr steed "
    "steer "
    "still stout straw street stride stump tanner teller thorne thorn tongue townsend trick trim trip tuck tune "
    "twist usher "
    "vale vine waite wake ward watts way weeks wells wheat wild wing winner winn worth yard york"
)
_ABROAD = listed(
    # German, French, Spanish, Italian, Portuguese, Dutch, Polish, Turkish, Indonesian
    "wolf klein groß gross lang kurz schwarz weiß weiss stark jung alt koch richter könig kaiser engel herz ernst "
    "fromm "
    "reich arm roth braun grün stein berg bach wald feld busch baum vogel fuchs hahn hirsch haas schäfer müller weber "
    "fischer bauer schneider schmidt becker wagner zimmermann schuster sommer winter herbst frühling mai august rosa "
    "pierre rose marguerite claire blanche petit blanc roux constant aimé juste noël aurore fleur olive violette "
    "prudence victoire grand leblanc lebon boulanger berger charpentier roi dubois rivière fontaine marchand maître "
    "paz luz mar sol dolores flores reyes cruz blanco rojo ángel esperanza pilar consuelo soledad mercedes gracia "
    "concepción milagros rosario clara bueno leal delgado moreno rubio calvo bravo guerrero herrero zapatero iglesias "
    "torres ríos campos prado león cordero vega fuentes casas mora rosales bianco bianchi rossi franco felice gioia "
    "stella serena leone conti greco bruno fiore viola perla grazia letizia vittoria speranza amato costa monti "
    "fontana "
    "ferrari gallo colombo marino pastore testa bello alba gentile branco leite pinto lobo coelho machado pereira "
    "oliveira ramos rocha serra silva costa franco vitória glória aurora graça jong groot klein vos visser bakker "
    "smit kok bos berg dijk water mol haan wójcik wilk zając lis kot mazur król kowal róża nadzieja wiara lew sosna "
    "dąb "
    "deniz can umut yağmur güneş barış özgür çiçek ışık yıldız gül aslan demir kaya arslan kurt koç doğan şahin çelik "
    "yavuz savaş bahar ilkbahar sevgi sevinç mutlu umut ümit kader hayat nur ay su ateş toprak rüzgar bulut ada ece "
    "putri dewi indah bintang budi surya cahaya mawar melati permata bunga angin wahyu kasih setia mega intan mutiara "
    "вера надежда любовь роман лев слава мир светлана мила роза лилия май победа воля майя март волков"
)
ENGLISH_TOO = _GIVEN - listed(
    "river lake ocean bay cove ford wade stone west winter young paris brook brooke hunter cooper archer mason carter "
    "tyler parker porter sawyer tanner taylor fisher glen heath cliff guy gene earl drake prince king duke noble royal "
    "paige"
)
"""Those that the model's word is not enough for in lower case; the others name people and places in tweets."""
WORDS_TOO = _GIVEN | _FAMILY | _ABROAD
"""Names, in lower case, that are words."""
_PAIR = re.compile(r"\b(?P<one>[A-Z][a-z]{1,11}) (?P<two>[A-Z][a-z]{1,11})\b(?!['’]s [A-Z]| [A-Z][a-z])")
_DOES = re.compile(
    r"(?:['’]s)? (?:asks?|asked|says?|said|calls?|called|signs?|signed|writes?|wrote|written|pays?|paid|lives?|"
    r"lived|works?|"
    r"worked|tells?|told|emailed|mailed|phoned|rang|complain\w+|ordered|booked|returned|requested|wants?|wanted|needs?|"
    r"needed|arrived|came|comes|left|joined|agreed|replied|answered|mentioned|thinks|thought|owes|moved|sent|filed|"
    r"reported|"
    r"resigned|retired|died|applied|confirmed|cancelled|canceled|waited|waits|spoke|met|bought|sold|accepted|approved|"
    r"promised|forgot|lost|has (?:not )?\w+ed|had (?:not )?\w+ed|is (?:our|my|the|waiting|not|on|in|at|a)\b|was "
    r"(?:our|my|the|not|on|"
    r"in|at|a)\b|will \w+|would \w+|from|and (?:his|her|their|I)\b|\()"
)
_TO = re.compile(
    r"(?:\b(?:ask|tell|call|contact|email|mail|phone|ring|meet|met|with|by|from|for|to|mr|mrs|ms|dr|customer|client|"
    r"patient|colleague|manager|tenant|guest|dear|regards|thanks|cc|invite|remind|of|is|named|and|told|asked|saw|"
    r"visit)[,:]? )\Z",
    re.IGNORECASE,
)
_BACK = 14
_SELF = re.compile(
    r"\b(?:I am|I['’]m|[Mm]y name is|[Mm]y name['’]s) (?P<one>[A-Z][a-z]{1,11})\b(?= and (?:I|my|we|this)\b|[,.!;]|$|"
    r" here\b| from\b| speaking\b| calling\b)"
)
"""Who says that he is called so: a capital inside a sentence is no adjective's."""


def word_names(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of names that are words: of two words that do something or are spoken to, and of "I'm Will"."""
    if "I" in text or "name" in text:
        for match in _SELF.finditer(text):
            if match["one"].lower() in ENGLISH_TOO:
                yield match.span("one")
    for match in _PAIR.finditer(text):
        if match["one"].lower() in _GIVEN and match["two"].lower() in _FAMILY:
            start, end = match.span()
            if _DOES.match(text, end) or _TO.search(text, max(0, start - _BACK), start):
                yield start, end
