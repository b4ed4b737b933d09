"""What announces a name in other languages and scripts? "Je m'appelle", "我叫", and what follows a name: "さん", "씨".

The encoder was made for English: in other scripts the head is unsure of every word, and no list has them. Where a
sentence says that a name stands there, and where it ends, that is enough.
"""

import re
from collections.abc import Iterator

from forebay_agents.redaction.detection.names.cues import PERSON, Cue
from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.windows import matches

_HAN, _KANA, _HANGUL = "\u4e00-\u9fff", "\u3040-\u30ff", "\uac00-\ud7a3"
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
    "張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭鄧許呂蘇盧蔣賈葉閻鍾"
)
_LATIN = re.compile(
    r"\b(?:je m['’]appelle|mi chiamo|me llamo|mi nombre es|ich hei(?:ß|ss)e|mein name ist|meu nome é|me chamo|ik heet|"
    r"mijn naam is|mam na imię|nazywam się|jag heter|jeg hedder|jeg heter|minun nimeni on|benim adım|nama saya|"
    r"tên tôi là|tôi tên là|mă numesc|numele meu este|jmenuji se|volám sa|a nevem|zovem se|mon nom est|"
    r"il mio nome è)[ ]{1,2}(?=(?P<value>[^\n,.;:!?()\"<>]{1,40}))",
    re.IGNORECASE,
)
_HINDI = re.compile(r"\b[Nn]aam(?: hai)?[ :]{1,2}(?P<value>[A-Z][^\W\d_]{1,24}(?: [A-Z][^\W\d_]{1,24}){0,2})(?= hai\b)")
"""Hindi in Latin letters: the verb says where the name ends. "naam galat hai", the name is wrong, has no capital."""
_GERMAN_KIN = re.compile(
    r"\b[Mm]ein(?:e[nmrs]?)? (?:Sohn|Tochter|Bruder|Schwester|Mann|Frau|Mutter|Vater|Oma|Opa|Onkel|Tante|Enkelin|Enkel|"
    r"Neffe|Nichte|Cousine|Cousin|Freundin|Freund|Chefin|Chef|Kollegin|Kollege|Nachbarin|Nachbar|Schülerin|Schüler) "
    r"(?P<value>[A-ZÄÖÜ][a-zäöüß]{1,20}(?: [A-ZÄÖÜ][a-zäöüß]{1,20})?)"
)
"""A noun may follow as well ("wenn mein Mann Geld verdient"), so the head has to think it possible."""
_PHRASES = (
    "je m", "mi chiamo", "me llamo", "mi nombre", "ich hei", "mein name", "meu nome", "me chamo", "ik heet",
    "mijn naam", "mam na", "nazywam", "jag heter", "jeg he", "minun nimeni", "benim ad", "nama saya", "tên",
    "mă numesc", "numele meu", "jmenuji", "volám", "nevem", "zovem", "mon nom", "il mio nome",
)  # fmt: skip
"""One of these is in whatever ``_LATIN`` finds; it tries two dozen beginnings at every word."""
_CHINESE = (
    rf"(?:我叫|叫做|我的名字[叫是]|姓名[:：][ ]?)(?P<zh>[{_HAN}]{{2,4}})(?![{_HAN}])|"
    rf"(?P<zh_titled>[{SURNAMES}][{_HAN}]{{1,2}})(?=先生|女士|小姐|老师|医生|经理|同学|太太)"
)
_JAPANESE = (
    rf"(?:私の名前は|名前は|氏名[:：][ ]?)(?P<ja>[{_HAN}{_KANA}]{{1,6}}?(?:[ 　・][{_HAN}{_KANA}]{{1,6}}?)?)"
    rf"(?=です|と申し|といい|と言い|[。、\n]|$)|"
    rf"(?<![{_HAN}ァ-ヶー])(?P<ja_titled>[{_HAN}]{{2,4}}|[ァ-ヶー]{{2,8}}(?:・[ァ-ヶー]{{2,8}})?)"
    rf"(?=さん(?!ぽ)|様(?!子)|さま|くん|ちゃん)"
)
_KOREAN = (
    rf"(?<![{_HANGUL}])(?:제 이름은|이름은|이름[:：])[ ]?(?P<ko>[{_HANGUL}]{{2,4}}?)"
    rf"(?=입니다|이에요|예요|이고|이라고|라고|[\s,.]|$)|"
    rf"(?<![{_HANGUL}])(?P<ko_titled>[{_HANGUL}]{{2,4}})(?=[ ]?씨(?:\b|에게|가|는|를|의|한테))"
)
_SPACED = (
    r"(?<!\w)(?:меня зовут|мене звати|мене звуть|ме[дј]е зову|зовем се|казвам се|името ми е|με λένε|"
    r"το όνομά μου είναι|اسمي|שמי|קוראים לי|मेरा नाम)[ ]"
    r"(?P<spaced>[^\W\d_][^\s,.;:!?()\"<>।،。]*(?:[ ](?!(?:и|та|і|και|है|हूँ|में)\b|و|ו)[^\W\d_][^\s,.;:!?()\"<>।،。]*)?)"
)
_TIGHT = re.compile(f"{_CHINESE}|{_JAPANESE}|{_KOREAN}|{_SPACED}", re.IGNORECASE)
_NOBODY = listed(
    "お客 何名 数名 一名 二名 両名 団体 皆 皆々 客 神 王 何 奥 "
    "娘 息子 お嬢 お疲れ 誰 仕 同 各 兄 姉 父 母 子供 患者 乗客 先方 奥方"
)
"""What honorifics follow without naming anybody: "お客様", a customer."""


def cues_abroad(text: str) -> Iterator[Cue]:
    """Cues that are not English. A factor of 0: nothing more is asked of the words."""
    low = text.lower()
    spoken = any(phrase in low for phrase in _PHRASES)
    for match in matches(_LATIN, text) if spoken else ():
        value = re.match(r"(?:\S+ {0,2}){1,2}", match["value"])
        end = match.start("value") + (value.end() if value else 0)
        yield Cue(start=match.start("value"), end=end, column=PERSON, factor=0.12)
    for match in matches(_GERMAN_KIN, text) if "mein" in low else ():
        yield Cue(start=match.start("value"), end=match.end("value"), column=PERSON, factor=0.15)
    for match in matches(_HINDI, text) if "naam" in low else ():
        yield Cue(start=match.start("value"), end=match.end("value"), column=PERSON, factor=0.03)
    if text.isascii():
        return
    for match in matches(_TIGHT, text):
        group = match.lastgroup or ""
        if match[group] not in _NOBODY:
            yield Cue(start=match.start(group), end=match.end(group), column=PERSON, factor=0.0)
