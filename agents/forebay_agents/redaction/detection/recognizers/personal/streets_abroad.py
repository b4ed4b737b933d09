"""Where is a house in Korea, Japan, China, Turkey, Hungary? Streets by their own words, with the number behind or "
    "before.

The word for a street is an everyday syllable in some languages ("로", "路"), so it counts only behind a town, behind a
word for an address, or with a flat behind the number.
"""

import re

from forebay_agents.redaction.detection.recognizers.nearby import unmarked
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_KIND = "LOCATION"
_HAN, _KANA, _HANGUL = "\u4e00-\u9fff", "\u3040-\u30ff", "\uac00-\ud7a3"
_KOREAN_TOWN = rf"(?:[{_HANGUL}]{{1,7}}(?:특별시|광역시|자치시|도|시|군|구|읍|면) ){{1,4}}"
_KOREAN_STREET = (
    rf"[{_HANGUL}\d]{{1,12}}(?:로|길) ?\d{{1,4}}(?:번가?길)?(?: ?\d{{1,4}})?(?:-\d{{1,4}})?|"
    rf"[{_HANGUL}\d]{{1,7}}(?:동|리|가) \d{{1,4}}(?:-\d{{1,4}})?"
)
_KOREAN_UNIT = r"(?:번지)?(?:[, ]{1,2}\d{1,4}(?:층|동|호)){0,3}"
_KOREAN = (
    rf"(?<![{_HANGUL}])(?:서울|부산|대구|인천|광주|대전|울산|세종|제주)? ?(?:{_KOREAN_TOWN}|(?<=주소[:는] )|"
    rf"(?<=배송지는 )|"
    rf"(?<=배송지: ))(?:{_KOREAN_STREET}){_KOREAN_UNIT}"
)
_JAPANESE = (
    rf"〒? ?\d{{3}}-\d{{4}}(?=[ 　][{_HAN}])|"
    rf"[{_HAN}{_KANA}]{{1,16}}?\d{{1,2}}丁目(?:\d{{1,4}}番地?(?:の?\d{{1,4}}号?)?|\d{{1,4}}(?:-\d{{1,4}}){{0,2}})?|"
    rf"[{_HAN}]{{1,6}}?[都道府県市区町村][{_HAN}{_KANA}]{{1,14}}?\d{{1,4}}(?:-\d{{1,4}}){{1,2}}(?:[ 　]?\d{{1,4}}号室)?"
)
_CHINESE_UNIT = (
    r"(?:院|[\u4e00-\u9fff]{0,6}?(?:\d{1,4}|[a-z])(?:幢|栋|棟|号楼|號樓|楼|樓|单元|單元|室|座|层|"
    r"層)){0,5}(?:\d{1,4}(?!\d))?"
)
_CHINESE = (
    rf"[{_HAN}]{{1,10}}?(?:路|街|大道|巷|弄|胡同|"
    rf"里)(?:[一二三四五六七八九十]段)?(?:\d{{1,4}}[巷弄]){{0,3}}\d{{1,5}}[号號]{_CHINESE_UNIT}"
)
_FLAT = re.compile(r"[室幢栋棟层層巷弄樓]|单元|單元|[省市区區县縣镇鎮乡鄉].{1,8}[路街道里]")
"""What makes a Chinese address of a street and a number: a flat, or a town."""
_ARABIC_UNIT = r"(?:[،,]? ?(?:عمارة|مبنى|بناية|رقم|شقة|الدور|الطابق|منزل|بيت|فيلا|برج|بلوك) ?(?:رقم ?)?\d{1,4})"
_ARABIC = (
    rf"(?:\d{{1,4}},? )(?:شارع|طريق)(?: [\u0621-\u064a]{{2,16}}){{1,3}}|"
    rf"(?:شارع|طريق|حي)(?: [\u0621-\u064a]{{2,16}}){{1,4}}{_ARABIC_UNIT}{{1,4}}|"
    rf"(?:شارع|طريق)(?: [\u0621-\u064a]{{2,16}}){{1,3}}[،,]? \d{{1,4}}(?!\d)"
)
_HEBREW = (
    r"(?:רחוב|רח['׳]|שדרות|שד['׳]|סמטת)(?: [א-ת\"״'׳\-]{2,16}){1,4} \d{1,4}[א-ת]?(?:,? (?:דירה|קומה|"
    r"כניסה) ?[\dא-ת]{1,4}){0,3}"
)
_HINDI = unmarked(
    r"(?:मकान|फ्लैट|घर|प्लॉट|हाउस)(?: (?:नं|नंबर|संख्या|क्रमांक)\.?)? ?\d{1,5}[\w/\-]{0,6},?(?: "
    r"[\u0900-\u097f]{2,16}){1,4}|"
    r"\d{1,5}[\w/\-]{0,6},?(?: [\u0900-\u097f]{2,16}){1,3} (?:मार्ग|रोड|गली|नगर|कॉलोनी|विहार|चौक|सड़क)"
)
_THAI = unmarked(
    r"\d{1,4}(?:/\d{1,4})? ?(?:หมู่(?:ที่)? ?\d{1,3} ?)?(?:ซอย|ซ\.|ถนน|ถ\.) ?[\u0e00-\u0e7f]{2,30}(?: ?\d{1,3})?|"
    r"(?:ซอย|ถนน)[\u0e00-\u0e7f]{2,20} \d{1,4}(?:/\d{1,4})?"
)
_UP = "[A-ZÀ-ÞĀ-ŽȘȚƠƯĐẠ-Ỹ]"
_WORD = rf"{_UP}[\w’'.\-]{{0,24}}"
_VIETNAMESE = rf"(?:số )?(?:nhà )?\d{{1,4}}[A-Z]?(?:/\d{{1,4}}){{0,3}},? (?:đường|phố|ngõ|hẻm|ngách)(?: {_WORD}){{1,5}}"
_TURKISH = (
    rf"(?<!\w){_WORD}(?: {_WORD}){{0,3}} (?:Sokak|Sokağı|Sok\.|Sk\.|Caddesi|Cad\.|Bulvarı|Blv\.|Mahallesi|Mah\.)"
    r"(?:,? ?(?:(?:No|Kat|Daire|Blok|D|K)[.:]{0,2} ?\d{1,4}[A-Z]?(?:/\d{1,4})?|\d{1,4}(?:/\d{1,4})?(?!\d))){1,4}"
)
_HUNGARIAN = (
    rf"(?<!\w){_WORD}(?: {_WORD}){{0,2}} (?:utca|u\.|út|útja|tér|körút|krt\.|köz|sétány|fasor) "
    rf"\d{{1,4}}(?:/[A-Z])?(?![\w%])"
)
_CZECH = (
    rf"(?<!\w)(?:ulic[eí]|ul\.|nám\.|náměstí|třída|tř\.|nábřeží|námestie) {_WORD}(?: {_WORD}){{0,2}} "
    rf"\d{{1,4}}(?:/\d{{1,4}})?[a-z]?(?!\w)"
)
_NORTHERN = (
    rf"(?<!\w){_UP}[\w\-]{{2,30}}(?:veien|vegen|veg|vei|gaten|gata|gate|gatan|vägen|stigen|gränd|allé|plads|stræde|"
    rf"torget|torg|"
    r"katu|tie|polku|kuja|kaari|raitti|tori|gracht|singel|dijk|straat|laan|kade|plein|steeg|dreef|hof|ring|steig|"
    r"pfad|stieg|"
    r"chaussee|promenade|markt|graben) \d{1,4}(?:[\-/]\d{1,4})?(?: ?[A-Za-z](?: \d{1,4})?)?(?![\w%€])"
)
_GERMAN = (
    r"(?<!\w)(?:Am|An der|An den|Im|In der|In den|Auf der|Auf dem|Zum|Zur|Unter den|Hinter der|Beim|Vor dem)(?: "
    r"[A-ZÄÖÜ][\wäöüß\-]{2,24}"
    r"){1,3} \d{1,4} ?[a-z]?(?=, ?(?:[A-Z]{1,2}-)?\d{4,5} [A-ZÄÖÜ])"
)
_SOUTHERN = (
    r"(?<!\w)(?:Av\.|Avda\.|Avenida|C/|Calle|Paseo|Plaza|Pza\.|Camino|Carretera|Ctra\.|Calzada|Rua|Travessa|Largo|"
    r"Praça|Estrada|"
    r"Alameda|Via|Viale|V\.le|Piazza|P\.za|Piazzale|Corso|C\.so|Vicolo|Strada|Str\.|Bd\.|Bulevardul|Calea|Aleea|"
    r"Șos\.|Ulica|Ul\.) ?"
    rf"(?=(?:(?:de|del|da|do|dos|das|di|dei|della|delle|la|las|los|el|e) "
    rf"){{0,3}}{_UP})(?:[^\W\d_][\w’'.\-]{{0,24}},? ){{1,6}}?"
    r"(?:(?:n[°º.o]{1,2}|nr\.?|núm\.?|#) ?)?\d{1,5}(?: ?[/\-] ?\w{1,3}| ?[A-Za-z](?!\w))?(?![\w%€$:]|[.,]\d)"
    r"(?:,? ?(?:\d{1,2} ?[ºª°oa](?!\w)(?: ?[A-Z](?!\w))?|(?i:piso|planta|puerta|pta|escalera|esc|apartamento|apto|apt|"
    r"depto|dpto|bloco|bloc|sala|casa|andar|interno|int|scala|izquierda|izda|izq|derecha|dcha|centro|bajo|[áa]tico|fundos)(?!\w)\.?"
    r"(?: ?(?:\d{1,4}[A-Za-z]?|[A-Z])(?!\w))?)){0,4}"
)
_FRENCH = (
    r"(?<![\w.,])\d{1,4}(?: ?(?:bis|ter|quater|[A-D]))?,? (?:rue|avenue|av\.|boulevard|bd\.?|quai|chemin|impasse|allée|"
    r"place|cours|square|route|passage)(?: (?:des?|du|la|les?|aux?|en|sur)){0,3} (?:[ld]['’])?[A-ZÀ-Þ][\w'’\-]{1,24}"
    r"(?: [A-ZÀ-Þ][\w'’\-]{1,24}){0,3}"
)
_RUSSIAN = (
    r"(?<!\w)(?:проспект|улиц|переулк|переулок|бульвар|шоссе|площад|набережн|проспекту)[а-я]{0,4} "
    r"(?:[А-ЯЁ][\w\-]{1,24} ?){1,3},? ?"
    r"(?:дома?|д\.|№)? ?\d{1,4}(?:[/\-]\d{1,4})?[а-я]?(?!\w)(?:,? ?(?:корпус|корп\.|к\.|квартира|кв\.|строение|"
    r"стр\.) ?\d{1,4}){0,3}"
)


def _rule(pattern: str, *hints: str, flags: int = 0, score: float = 0.75) -> Rule:
    return Rule(kind=_KIND, pattern=pattern, score=score, hints=hints, digits=1, flags=flags, reach=120)


def streets_abroad() -> RuleRecognizer:
    """Recogniser of streets of twenty languages."""
    return RuleRecognizer(
        "streets abroad",
        [
            _rule(_KOREAN, "시 ", "도 ", "군 ", "구 ", "읍 ", "면 ", "주소", "배송지"),
            _rule(_JAPANESE, "〒", "丁目", "都", "道", "府", "県", "市", "区", "町", "村"),
            Rule(
                kind=_KIND,
                pattern=_CHINESE,
                context=r"[省市区區县縣镇鎮乡鄉州]|地址|住|寄|送",
                with_context=0.75,
                check=lambda text: True if _FLAT.search(text) else None,
                hints=("号", "號"),
                digits=1,
                before=24,
                after=0,
                flags=0,
            ),
            _rule(_ARABIC, "شارع", "طريق", "حي "),
            _rule(_HEBREW, "רחוב", "רח", "שדרות", "שד", "סמטת"),
            _rule(_HINDI, *unmarked("मकान फ्लैट घर प्लॉट हाउस मार्ग रोड गली नगर कॉलोनी विहार चौक सड़क").split()),
            _rule(_THAI, *unmarked("ซอย ซ. ถนน ถ.").split()),
            _rule(_VIETNAMESE, "đường ", "phố ", "ngõ ", "hẻm ", "ngách "),
            _rule(_TURKISH, " sok", " sk.", " cad", " bulv", " blv", " mah"),
            _rule(_HUNGARIAN, " utca", " u.", " út", " tér", " körút", " krt", " köz", " sétány", " fasor"),
            _rule(_CZECH, "ulic", "ul.", "nám", "tříd", "tř.", "nábř"),
            _rule(
                _NORTHERN,
                "vei ", "veien ", "veg ", "vegen ", "gate", "gata", "vägen", "stigen", "gränd", "allé", "plads",
                "stræde",
                "torg", "katu", "tie ", "polku", "kuja", "kaari", "raitti", "tori ", "gracht", "singel", "dijk",
                "straat",
                "laan", "kade", "plein", "steeg", "dreef", "hof ", "ring ", "steig", "pfad", "stieg", "chaussee",
                "promenade",
                "markt ", "graben",
                score=0.7,
            ),
            _rule(_GERMAN, "am ", "an de", "im ", "in de", "auf de", "zum ", "zur ", "unter den", "hinter",
                  "beim", "vor dem"),
            _rule(
                _SOUTHERN,
                "av.", "avda", "avenida", "c/", "calle", "paseo", "plaza", "pza", "camino", "carretera", "ctra",
                "calzada",
                "rua", "travessa", "largo", "praça", "estrada", "alameda", "via", "v.le", "piazza", "p.za",
                "corso", "c.so",
                "vicolo", "strada", "str.", "bd.", "bulev", "calea", "aleea", "șos", "ul",
                score=0.7,
            ),
            _rule(
                _FRENCH,
                "rue ", "avenue ", "av.", "boulevard ", "bd", "quai ", "chemin ", "impasse ", "allée ", "place ",
                "cours ", "square ", "route ", "passage ",
            ),
            _rule(_RUSSIAN, "проспект", "улиц", "переул", "бульвар", "шоссе", "площад", "набереж"),
        ],
    )  # fmt: skip
