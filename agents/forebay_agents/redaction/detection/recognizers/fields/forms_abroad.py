"""What does a form in another script ask for? "Ονοματεπώνυμο:", "Адрес:", "姓名:", "الاسم:", and their streets.

The encoder was made for English; in other scripts the head is unsure of every word. A label says what the line holds,
and streets there have words of their own before them, so the rest of the line needs no model. Texts in Latin letters
cost one search.
"""

import re
from collections.abc import Sequence
from typing import Any

from presidio_analyzer import RecognizerResult

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_SCORE, _NAME_SCORE = 0.8, 0.65
"""A name's is below what hides a finding from the names model."""
_SCRIPT = re.compile(r"[\u0370-\u052f\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_PEOPLE = (
    r"ονοματεπώνυμο|όνομα|επώνυμο|όν\. πατρός|πατρώνυμο|παραλήπτης|αποστολέας|ασθενής|πελάτης|υπογραφή|"
    r"ф\.?\s?и\.?\s?о\.?|имя|фамилия|отчество|кому|получатель|отправитель|заявитель|пациент|клиент|покупатель|плательщик|"
    r"п\.?\s?[іи]\.?\s?б\.?|ім['’ʼ]я|прізвище|по батькові|отримувач|одержувач|відправник|заявник|пацієнт|клієнт|"
    r"име|име и презиме|презиме|име и фамилия|"
    r"الاسم(?: الكامل| الأول| بالكامل)?|اسم (?:العميل|المريض|المستلم|المرسل|العائلة)|اللقب|المستلم|المرسل|"
    r"שם(?: מלא| פרטי| משפחה)?|הנמען|"
    r"姓名|名字|收件人|寄件人|联系人|聯絡人|患者|客户姓名|申请人|氏名|お名前|名前|フリガナ|宛名|お届け先|"
    r"이름|성명|성함|수령인|받는 ?(?:사람|분)|보내는 ?(?:사람|분)|환자명|고객명|"
    r"नाम|पूरा नाम|मरीज़? का नाम|प्राप्तकर्ता|প্রাপক|নাম|பெயர்|పేరు|ชื่อ(?:-นามสกุล| ?สกุล)?|ชื่อผู้รับ|ผู้รับ"
)
_PLACES = (
    r"διεύθυνση(?: κατοικίας)?|δ/νση|οδός|πόλη|τόπος γέννησης|κατοικία|"
    r"адрес(?: (?:доставки|проживания|регистрации|прописки))?|адреса(?: (?:доставки|проживання|реєстрації))?|куда|куди|"
    r"город|місто|место рождения|місце народження|прописка|улица|вулиця|населённый пункт|адреса на доставка|град|"
    r"العنوان|عنوان (?:السكن|التوصيل|المنزل)|المدينة|مكان (?:الميلاد|الولادة)|כתובת|עיר|"
    r"地址|住址|收货地址|收件地址|送货地址|家庭住址|出生地|住所|ご住所|現住所|本籍|お届け先住所|"
    r"주소|배송지|배송 ?주소|거주지|पता|घर का पता|शहर|ঠিকানা|முகவரி|చిరునామా|ที่อยู่"
)
_PHONE = (  # scripts without blanks: no border stands between the word and the number
    r"(?:手机号?码?|手機號?碼?|电话(?:号码)?|電話(?:番号|號碼)?|携帯(?:番号)?|전화(?:번호)?|휴대폰|핸드폰|연락처|โทร\.?|τηλ\.?|κινητό|тел\.?|"
    r"телефон|моб\.?|هاتف|جوال|رقم الهاتف|फ़ोन|फोन)[ :：=是は]{0,3}(?P<v>\+?\d[\d \-()]{5,18}\d)(?![\d%])"
)
_BEGIN = r"(?:^|[\n|;,{(\[/•]|\. )[ \t]{0,4}[\"'*_>\-]{0,3}"
_MARK = r"[\"'*_ \t]{0,3}[:：=][ \t\u3000]{0,3}[\"'*_]{0,3}"
_NAME = r"(?P<v>[^\W\d_][^\d\n|;,/{}<>\"=:：()]{0,60}[^\s\d|;,/{}<>\"=:：().]\.?)"
_ADDRESS = r"(?P<v>[^\s|;{}<>\"=:：][^\n|;{}<>\"=:：]{1,118}[^\s|;{}<>\"=:：.,])"
_NOTHING = re.compile(
    r"(?:(?:не|нет|без|немає|δεν|όχι)(?!\w)|невідом|неизвест|άγνωστ|无$|沒有|没有|なし|未定|없음|لا يوجد|غير معروف|"
    r"введите|введіть|请输入|入力|입력|أدخل|укажите|вкажіть|обязательн|обов).{0,80}",
    re.IGNORECASE,
)
"""What a form says where it has no value, or asks for one."""

_CYRILLIC_STREET = (
    r"(?:вул|ул|улица|вулиця|просп|проспект|пр-т|пр-кт|пер|переулок|провулок|пров|пл|площадь|площа|бул|бульвар|б-р|наб|"
    r"набережная|шоссе|ш|мкр|микрорайон)"
)
_CYRILLIC_REST = (
    r"(?:,? {0,2}(?:(?:д|дом|буд|будинок|кв|квартира|корп|к|стр|строение|оф|офис|под|п|эт|г|город|м|місто|с|пос|обл|"
    r"р-н)"
    r"(?:\. ?| )[^\W_][\w\-/]{0,24}|[^\W\d_][\w\-]{2,24}(?: обл\.?| область| край| район)?(?=,| \d{5,6}|$|\n|\.)|"
    r"\d{5,6}))"
)
_CYRILLIC = (
    r"(?<!\w)(?:\d{5,6},? {1,2})?(?:(?:г|м|с|пос)\. ?[^\W\d_][\w\-]{1,24}, {1,2})?"
    rf"{_CYRILLIC_STREET}(?:\. ?| )(?:\d{{1,2}}-[а-яі]{{1,3}} )?[^\W\d_][\w\-’'ʼ.]{{1,24}}(?: "
    rf"[^\W\d_][\w\-’'ʼ.]{{1,24}}){{0,3}}"
    rf",? (?:д(?:ом)?\.? ?|буд\.? ?|№ ?)?\d{{1,4}}(?:[а-яієґ](?!\w))?(?:[/\-]\d{{1,4}}[а-я]?)?{_CYRILLIC_REST}{{0,7}}"
)
_CYRILLIC_HINTS = ("ул.", "вул", "ул ", "улица", "просп", "пр-т", "пер.", "пров.", "бул", "наб.", "площ", "шоссе")
_GREEK = (
    r"(?<!\w)(?:οδός|οδ\.|λεωφ\.|λεωφόρος|λ\.|πλατεία|πλ\.)\s?(?:[^\W\d_][\w.'’\-]{0,24} ){1,4}\d{1,4}[α-ω]?"
    r"(?:-\d{1,4})?(?:,? (?:τ\.κ\.|τκ)? ?\d{3} ?\d{2}(?!\d))?(?:,? [^\W\d_][\w\-]{2,24})?"
)


def _said(text: str) -> bool | None:
    return False if _NOTHING.match(text) or sum(map(str.isalnum, text)) < 2 else None


class FormsAbroad(RuleRecognizer):
    """Recogniser of labelled lines and of streets in other scripts."""

    def __init__(self) -> None:
        super().__init__(
            "forms abroad",
            [
                Rule(kind="PERSON", pattern=rf"{_BEGIN}(?:{_PEOPLE}){_MARK}{_NAME}", score=_NAME_SCORE, check=_said),
                Rule(kind="LOCATION", pattern=rf"{_BEGIN}(?:{_PLACES}){_MARK}{_ADDRESS}", score=_SCORE, check=_said),
                Rule(kind="PHONE_NUMBER", pattern=_PHONE, score=_SCORE, digits=7),
                Rule(kind="LOCATION", pattern=_CYRILLIC, score=_SCORE, hints=_CYRILLIC_HINTS),
                Rule(kind="LOCATION", pattern=_GREEK, score=_SCORE, hints=("οδός", "οδ.", "λεωφ", "πλατεία", "πλ.")),
            ],
        )

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        if text.isascii() or not _SCRIPT.search(text):
            return []
        return super().analyze(text, entities, nlp_artifacts)


def forms_abroad() -> FormsAbroad:
    """Forms and streets in other scripts."""
    return FormsAbroad()
