"""Which titles, roles and family names announce somebody in other languages? "Paní Novotná", "김민준 고객님", "
    ""客户陈晓雯".

The model knows little of these languages, so what it says of such words is not asked: the word before or behind them
says that a person stands there, and its first letter in Chinese and Korean that it is a family name.
"""

import re
from collections.abc import Iterator

from forebay_agents.redaction.detection.language import language_of
from forebay_agents.redaction.detection.names.cues_abroad import SURNAMES
from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.windows import matches

_HAN, _KANA, _HANGUL = "\u4e00-\u9fff", "\u3040-\u30ff", "\uac00-\ud7a3"
_CAPITAL = r"[A-ZÀ-ÞĀ-ŽȘȚƠƯĐẠ-ỸΑ-ΩΆ-ΏА-ЯЁІЇЄҐ][\w’'.\-]{1,24}"
_CASED = re.compile(
    r"(?<!\w)(?:[Pp]an[ií]?|[Pp]ana|[Pp]anu|[Pp]anem|[Pp]anią|[Pp]ani|[Pp]ána|[Pp]ánovi|[Ss]lečn[auěy]|[Ss]ayın|Bay|"
    r"Bayan|[Hh]erra|"
    r"[Rr]ouva|[Ôô]ng|[Bb]à|[Aa]nh|[Cc]hị|[Cc]ô|Bapak|Ibu|Pak|[Dd]omnul|[Dd]oamna|[Dd]omnului|[Dd]oamnei|"
    r"[Gg]ospodin[au]?|"
    r"[Gg]ospođ[aeiu]|[Гг]-н|[Гг]-жа|[Гг]осподин[ауе]?|[Гг]оспож[аеуи]|[Гг]ражданин[ауе]?|[Гг]раждан(?:к[аеуи]|ке)|"
    r"[Пп]ан[аіу]?|"
    r"[Кк]лиент(?:к?[ауе]|ом)?|[Пп]ациент(?:к?[ауе]|ом)?|[Пп]ані|κ\.|[Κκ]ύριος|[Κκ]υρία|[Κκ]ύριο|[Hh]err|[Ff]rau|"
    r"[Ff]ru|[Tt]eyze|"
    r"[Kk]lient(?:k[aęi]|a|owi)?|[Pp]acjent(?:k[aęi]|a|owi)?|[Mm]üşteri(?:miz)?|[Aa]siakas|[Pp]otilas|[Üü]gyfelünk|"
    r"[Pp]acient(?:k[auy])?|[Ss]eñor(?:a|ita)?|[Dd]oña|[Dd]on|[Ss]enhor(?:a|ita)?|[Ss]ignor(?:a|ina)?|[Mm]onsieur|"
    r"[Mm]adame|[Mm]ademoiselle|[Mm]evrouw|[Mm]eneer|[Cc]lient[ea]|[Kk]lant|[Hh]uurder|[Ll]ocataire|"
    r"[Ii]nquilin[oa])"
    rf" (?P<value>{_CAPITAL}(?: {_CAPITAL}){{0,2}})"
)
_KIN = re.compile(
    r"(?<!\w)(?:"
    r"[Mm](?:on|a) (?:fils|fille|mari|femme|frère|sœur|mère|père|oncle|tante|cousine?|amie?|voisine?|collègue|"
    r"copain|copine|neveu|nièce|patronne?|stagiaire)|"
    r"[Mm]i (?:hij[oa]|herman[oa]|madre|padre|marido|mujer|espos[oa]|prim[oa]|t[ií][oa]|abuel[oa]|suegr[oa]|amig[oa]|"
    r"novi[oa]|vecin[oa]|jef[ea]|compañer[oa]|sobrin[oa]|niet[oa]|cuñad[oa])|"
    r"[Mm]i[oa] (?:figli[oa]|marito|moglie|fratello|sorella|madre|padre|zi[oa]|cugin[oa]|nonn[oa]|amic[oa]|vicin[oa]|"
    r"collega|cap[oa]|compagn[oa]|suocer[oa]|cognat[oa]|nipote)|"
    r"(?:[Mm]eu|[Mm]inha) (?:filh[oa]|marido|mulher|espos[oa]|irmão|irmã|mãe|pai|ti[oa]|prim[oa]|av[óô]|amig[oa]|"
    r"vizinh[oa]|colega|chefe|namorad[oa]|sobrinh[oa]|net[oa]|cunhad[oa]|sogr[oa])|"
    r"(?:[Mm]ijn|[Oo]nze) (?:zoon|dochter|man|vrouw|broer|zus|moeder|vader|oom|tante|neef|nicht|opa|oma|vriend|"
    r"vriendin|nichtje|neefje|buurman|buurvrouw|collega|baas|stagiaire?)|"
    r"(?:[Mm]in|[Vv]år) (?:son|dotter|søn|sønn|datter|man|mand|mann|fru|kone|bror|syster|søster|mor|mamma|far|pappa|"
    r"vän|ven|venn|sambo|kollega|chef|granne|nabo)|"
    r"(?:[Mm]ó|[Mm]oj|[Nn]asz)\w{1,4} (?:syn\w{0,4}|córk\w{1,3}|mąż|męż\w{1,3}|żon\w{1,2}|brat\w{0,3}|siostr\w{1,2}|"
    r"matk\w|ojc\w{1,3}|ojciec|mam\w|tat\w|kole\w{2,5}|przyjaci\w{2,6}|sąsiad\w{0,3}|szef\w{0,3}|dziadk\w{0,4}|"
    r"babci\w?)|"
    r"(?:[Мм]о|[Нн]аш)\w{0,3} (?:сын\w{0,3}|доч\w{1,5}|муж\w{0,3}|жен\w{1,2}|брат\w{0,3}|сестр\w{1,2}|мам\w|пап\w|"
    r"мат[ье]\w{0,3}|отц\w{1,2}|отец|друг\w{0,3}|подруг\w{1,2}|сосед\w{0,3}|коллег\w{1,2}|начальни\w{1,4}|"
    r"бабушк\w|дедушк\w)|"
    r"[Kk]ızım|[Oo]ğlum|[Ee]şim|[Kk]ocam|[Kk]arım|[Aa]nnem|[Bb]abam|[Kk]ardeşim|[Aa]blam|[Aa]rkadaşım|[Kk]omşum|"
    r"[Pp]atronum|[Yy]eğenim|[Tt]eyzem|[Aa]mcam|[Dd]ayım)"
    rf" (?P<value>{_CAPITAL}(?: {_CAPITAL}){{0,2}})"
)
"""Relatives, and whom one works with."""
_CASED_AFTER = re.compile(
    rf"(?<!\w)(?P<value>{_CAPITAL}(?: {_CAPITAL})?) (?:Bey|Hanım|Beyin|Beye|Hanıma|Hanımın|úr|asszony|kisasszony)\b"
)
_KOREAN_SURNAMES = (
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류"
    "나진지엄채원천방공현함변염여추도소석선설마길연표명기반왕"
)
_KOREAN = re.compile(
    rf"(?<![{_HANGUL}])(?P<value>[{_KOREAN_SURNAMES}][{_HANGUL}][{_HANGUL}]?(?<![의를을에도로만는]))"
    r"(?= ?(?:고객|님|씨|선생|과장|대리|부장|차장|사원|팀장|사장|대표|교수|변호사|환자|학생|어르신|할머니|할아버지|"
    r"기자|원장|실장|이사|회원|직원|간호사|"
    r"의사|상담사|기사)님?(?:[가은는이을를께에의과와도이,. ]|께서|에게|한테|$))"
)
_KOREAN_ROLE = re.compile(
    rf"(?:고객|환자|직원|담당자|신청자|예약자|수령인|동료|학생|회원|신입사원)(?:[은는이가]|:)? "
    rf"(?P<value>[{_KOREAN_SURNAMES}][{_HANGUL}]{{2}})"
    r"(?=(?:님|씨|이|가|은|는|을|를|에게|의|께|께서)?(?:[ ,.(（]|$))"
)
_CHINESE_NEXT = (
    r"(?=[（(，,。；;：:、\s]|的|说|来电|来信|来访|打|要|在|已|想|问|于|将|把|被|向|对|从|和|与|及|是|投诉|反映|"
    r"表示|询问|要求|申请|提交|"
    r"昨|今|明|先生|女士|小姐|預|预|写|寫|回|收|発|发|發|住|需|有|没|沒|希望|报|報|加|$)"
)
_CHINESE_ROLE = re.compile(
    r"(?:客户|客戶|顾客|顧客|员工|員工|同事|患者|病人|用户|用戶|会员|會員|学员|学生|學生|医生|醫生|经理|經理|主任|"
    r"司机|房东|租客|邻居|"
    r"朋友|联系人|聯絡人|收件人|申请人|负责人|投诉人|乘客|候选人|应聘者|律师|护士|会计|老师|老師|买家|卖家|业主|"
    r"名叫|姓名是)"
    rf"(?P<value>[{SURNAMES}][{_HAN}]{{1,2}}?){_CHINESE_NEXT}"
)
_CHINESE_SAID = re.compile(
    rf"(?:\A|[。！？\n；，“「：])(?P<value>[{SURNAMES}][{_HAN}]{{2}})(?=来电|來電|来信|打来|打來|说|說|表示|告诉|"
    rf"告訴|反映|投诉|投訴|"
    r"询问|申请|昨天|今天|刚才|已经|住在|的(?:电话|手机|邮箱|地址|订单|账户|生日|身份证|電話|地址))"
)
_CHINESE_WORDS = ("马上", "周一", "周二", "周三", "周四", "周五", "周六", "周日", "周末", "任何", "许多", "万一",
"高度", "方便",
                  "成功", "常常", "于是", "金额", "白天", "黄金", "余额", "程序", "方法", "方案", "文件", "夏天",
                  "温度", "易于")  # fmt: skip
_JAPANESE_SURNAMES = (
    "佐藤|鈴木|高橋|田中|伊藤|渡辺|山本|中村|小林|加藤|吉田|山田|佐々木|松本|井上|木村|斎藤|清水|山崎|池田|橋本|"
    "阿部|山下|中島|"
    "石井|小川|前田|岡田|長谷川|藤田|後藤|近藤|村上|遠藤|青木|坂本|斉藤|福田|太田|西村|藤井|金子|岡本|藤原|三浦|"
    "原田|松田|竹内|"
    "小野|田村|中山|和田|石田|森田|上田|内田|柴田|酒井|横山|高木|安藤|宮本|小島|谷口|工藤|今井|高田|増田|丸山|杉山|"
    "村田|大塚|"
    "新井|藤本|平野|河野|松尾|武田|野口|岩崎|桜井|佐野|木下|野村|松井|菊地|市川|水野|久保|島田|菅原|古川|西田|水野|"
    "渡部|浜田"
)
_JAPANESE = re.compile(
    rf"(?<![{_HAN}])(?P<value>(?:{_JAPANESE_SURNAMES})(?:[ 　]?[{_HAN}]{{1,3}}|[ 　][ぁ-んァ-ヶ]{{2,4}})?)"
    r"(?=さん|様|氏|君|くん|先生|部長|課長|社長|主任|係長|教授|が|は|を|に|から|と|の|へ|です|も|より|、|。|（|\(|$)"
)
_ARABIC = re.compile(
    r"(?:السيدة?|الأستاذة?|الدكتورة?|المهندسة?|العميلة?|المريضة?|الزميلة?|الآنسة) "
    r"(?P<value>(?!ال|في |من |على |إلى |أن |لا |هو |هي |قد |لم |غير )[\u0621-\u064a]{2,12}"
    r"(?: (?!في |من |على |إلى |أن |اتصل|طلب|قال|كتب|أرسل|يريد|تريد|اشتك|سأل|دفع|جاء|ذكر|يطلب|تطلب|لم |قد |هو |هي )"
    r"[\u0621-\u064a]{2,12})?)"
)
_HEBREW = re.compile(r"(?<![א-ת])(?:מר|גב['׳]|גברת|ד[\"״]ר|פרופ['׳]) (?P<value>[א-ת]{2,12}(?: [א-ת]{2,14}(?=[,.]|$))?)")
_HINDI = re.compile(
    r"(?:शरी|शरीमती|सशरी|डॉ\.?) (?P<value>[\u0900-\u097f]{2,14}(?: (?!न |को |का |की |क |स |जी |"
    r"ह)[\u0900-\u097f]{2,14})?)"
)
"""As the text is read: without signs above and below."""
_THAI = re.compile(r"(?:นางสาว|นาย|นาง|น\.ส\.) ?(?P<value>[\u0e01-\u0e46]{2,15} [\u0e01-\u0e46]{2,20})")
_ANY = (_KOREAN, _KOREAN_ROLE, _CHINESE_ROLE, _CHINESE_SAID, _JAPANESE, _ARABIC, _HEBREW, _HINDI, _THAI)
_SCRIPTS = re.compile(r"[\u0590-\u06ff\u0900-\u0e7f\u3040-\ud7ff]")
_NOT_ABROAD = frozenset(("en", None))
_NOBODY = listed("Sie Ihr Sehr Ja Nein Bank Kunde Kundin Doktor")


def titled_abroad(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of names that a title, a role or a family name announces."""
    ascii_text = text.isascii()
    language = language_of(text)
    abroad: tuple[re.Pattern[str], ...] = ()
    if not ascii_text or language not in _NOT_ABROAD:
        abroad = (_CASED, _CASED_AFTER, _KIN)
    elif language is None:
        abroad = (_KIN,)  # too short to tell, and not to be taken for English
    for pattern in abroad:
        for match in matches(pattern, text):
            if match["value"].split()[0] not in _NOBODY:
                yield match.span("value")
    if ascii_text or not _SCRIPTS.search(text):
        return
    for pattern in _ANY:
        for match in matches(pattern, text):
            if not match["value"].startswith(_CHINESE_WORDS):
                yield match.span("value")
