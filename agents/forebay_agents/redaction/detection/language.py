"""In which language is a text? By its script, else by its most frequent small words; ``None`` when it cannot be told.

Enough to decide whether the names model, which was trained on English sentences, may be trusted: it needs no model, and
takes a tenth of a millisecond. Short texts without small words count as the default language.
"""

import re
from functools import lru_cache

_SMALL = {
    "en": "the and to of is you that it for my with have this are not be can what i was please your from but me do how",
    "de": "der die das und ist ich nicht sie es ein eine zu mit auf für den von wie bitte mein haben dem auch "
    "im wir zum zur oder aus bei nach wird werden wurde kann können sind sein ihr ihre ihren diese dieser "
    "dieses keine kein einen einem einer muss soll wenn warum was wer welche mir mich uns durch über "
    "unter zwischen nur noch neue neuen",
    "fr": "le la les et est je vous de un une pas pour que dans mon avec sur ce des au en nous mais bonjour il",
    "es": "el la los de y que es en un una por con para mi no se lo me su hola las del está como pero",
    "it": "il di che è e la un una per non mi con sono del della gli ho questo come ma le nel anche mio lo al "
    "alla dal dalla nella dei delle questa queste quando dove quale quali perché se ci si deve può essere "
    "stato stata tuo tua suo sua nuovo nuova ogni tra fra senza prima dopo più inserisci inserire valido "
    "valida",
    "pt": "o de que e do da em um uma para com não os no se na por mais as meu minha você eu está isso",
    "nl": "de het een en van ik te dat die in niet is op voor met mijn zijn je aan hebben maar er bij dit deze "
    "moet kan of hoe waarom wat geen bevat worden wordt werd uw jouw heeft ook nog naar om zo wel welke "
    "waar wie als dan graag alstublieft ongeldig ongeldige nieuwe alle elke tussen zonder",
    "pl": "i w na się nie z do jest że to jak proszę mam mój moja ale po od za dla czy tak co",
    "sv": "och att det i en jag är som på för av med inte den till har om min vi ett så men de du kan ange "
    "detta denna hur varför eller vad ska måste",
    "da": "og at det i en jeg er som på for af med ikke den til har om min vi et så men de",
    "tr": "ve bir bu için ben ile de da ne çok var mı değil benim ama gibi daha olarak sonra kadar veya ya her "
    "nasıl neden lütfen olan olmalı olmalıdır yok şu o en kaç hangi zaman göre bunu bunun tüm hiç ancak "
    "önce yeni eski geçerli mi mu mü midir gerekir girin seçin yap yapın yaz yazın bana sana size bizim "
    "sizin kendi şey kalan tam birden fazla kimlik doğrulama hesap onay anahtar dosya parola şifre diğer "
    "eğer şimdi bugün",
    "ro": "și în de la cu nu un o pe este să care mai din pentru am mea meu dar ca au fost",
    "cs": "a v na se je že s to do jsem ale z jak mi prosím si by o pro tak po mám",
    "id": "yang dan di saya untuk dengan ini itu tidak dari ke ada akan bisa apa kami atau sudah anda harus "
    "pada oleh dapat setiap harap masukkan jika lainnya ulang semua belum hanya bukan seperti antara "
    "karena sebelum setelah baru lupa kirim surel telepon kode kunci pihak nama akun sesi tanpa apakah "
    "juga lagi serta maka supaya kembali hari bulan tahun orang cara kata sandi simpan hapus buka pilih "
    "verifikasi nilai kemudian sebagai utama kosong gagal salah satu ketiga buat buatkan tulis tuliskan "
    "berikan siapa mana dimana telah silakan mohon tolong bagaimana mengapa jelaskan dalam adalah lebih "
    "berapa kapan agar sebuah",
    "hu": "az és hogy nem van egy ez meg csak mint ha már volt kell vagy miért hogyan melyik kérem kérjük lehet "
    "azt el fel minden amely még érvényes adja adjon legyen nincs ezt mely milyen mikor itt ott most majd "
    "után előtt több kevesebb ezek azok ön önnek saját új régi jelszó lehetséges mert pedig illetve során "
    "szerint között által való nélkül mindig soha tud tudja tudom hol ki kinek hány mennyi írj írja írjon "
    "a kerül sikerült",
    "fi": "ja on ei se että ovat mutta kun niin myös miten voin mikä miksi tai sitten kuin jos minun ole tämä "
    "tämän voi anna olet oletko olen onko voiko voisitko saa näytä kirjoita kerro ovatko jo yksi kaksi "
    "uusi vanha sinun sinulla oma omaa jokin jonkin ilman ennen jälkeen kautta mukaan tule tulee nämä ne "
    "nuo kuinka montako milloin missä syötä hyvä enää vielä aina koska vaan vaikka kohti kuten "
    "esimerkiksi yhteydessä valitse pitää täytyy kaikki mitä olla oli nyt kiitos selitä arvo kanssa joka "
    "joita jotta eikä sekä vain",
    "no": "og at det i en jeg er som på for av med ikke til har om vi et så men de hvordan hvorfor",
    "vi": "và của tôi là có không cho được một này với các trong đã những bạn để từ khi nếu phải hoặc vào ra "
    "lại hãy như thế nào bao nhiêu vui lòng xin hay bị bởi về trên dưới tất cả chưa sẽ đang đến theo "
    "tiếng thông thời giá bản mục sau đúng sai bất chỉ tin mới người dùng tìm kiếm tài liệu thay đổi ngày "
    "tháng năm giờ hành mật khẩu nhập chọn mỗi ngôn ngữ quốc",
}
_WORDS = {language: frozenset(words.split()) for language, words in _SMALL.items()}
_LANGUAGES = {
    word: tuple(language for language, small in _WORDS.items() if word in small)
    for word in frozenset().union(*_WORDS.values())
}
"""Small word to the languages that have it."""
SMALL_ABROAD = frozenset().union(*(words for language, words in _WORDS.items() if language != "en")) - _WORDS["en"]
"""Small words of all the languages but English: "dan", "tai" and "jo" are also names."""
_SCRIPTS = (
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
)
_ALSO = (
    "a an as at by do i in is me no of on or so he she we us his her has had was who if all up out one by than into "
    "over about after before just get like when where there their they would could will am pm co de la le el en per "
    "via van von"
)
"""Small words of other languages that English texts have too: two of them tell nothing."""
_ALSO_ENGLISH = frozenset(_ALSO.split())
_NO = (
    "has had was were who all out up one by than into over about after before just get like when where there they "
    "their would could will his her she he we us if of also"
)
ENGLISH_ALONE = frozenset(_NO.split())
"""Of them those that hardly any other language has: one of them, and a text is English."""
_TOLD = {language: words - _ALSO_ENGLISH for language, words in _WORDS.items()}
"""Small words of which two are enough, in a text without an English one."""
_LETTERS = (
    ("vi", re.compile(r"[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹơưđ]")),
    ("tr", re.compile(r"[ığş]")),
    ("hu", re.compile(r"[őű]")),
    ("pl", re.compile(r"[łąęśżźćń]")),
    ("cs", re.compile(r"[řěůčšž]")),
    ("ro", re.compile(r"[șță]")),
)
"""Letters that few other languages have, for texts without enough small words."""
_LEAST_LETTERS = 2
_LEAST_FORMS, _SHARE_OF_FORMS = 2, 0.25
_ENDINGS = (
    (
        "fi",
        re.compile(
            r"\w{3}(?:ss[aä]|st[aä]|ll[aä]|lt[aä]|lle|iin|een|aan|ään|nen|sti|ksi|minen|tt[aä][aä]?|i[tj][aä]|issa|uus|yys|"
            r"mme|tte)\Z|.*(?:ää|öö|yy|uo|ie|yö|äy|uu)"
        ),
    ),
    (
        "id",
        re.compile(
            r"(?:meng|meny|memp|memb|pem|peng|peny|ber[^rtg]|ter[^mra]|di[bgkps])\w{4}|\w{3}(?:kan|nya|lah|kah|annya)\Z"
        ),
    ),
    (
        "hu",
        re.compile(
            r"\w{3}(?:n[ae]k|b[ae]n|ből|ból|hoz|hez|höz|val|vel|ság|ség|[áé]s|ott|ett|ött|ható|hető|ani|eni|[oeö]k|"
            r"t[áé]s[ae]?|ít[áé]s\w{0,3}|[áé]t|nál|nél|ről|ról|től|tól)\Z|.*(?:gy|sz|cs)[aáeéiíoóöőuúüű]"
        ),
    ),
    (
        "tr",
        re.compile(
            r"\w{2}(?:l[ae]r|l[ae]rı?n?[ıi]?|d[ıiuü]r|m[ae]k|m[ae]s[ıi]\w{0,3}|[ıiuü]yor\w{0,2}|m[ıiuü]ş|[ıiuü]n[ıiuü]z|nd[ae]|[dt][ae]n)\Z|.*[ığş]"
        ),
    ),
)
"""What words of a language end with or hold, for texts without its small words: two such words, and none of English."""
_TOKEN = re.compile(r"[^\W\d_]+")
_SAMPLE = 4_000
"""Characters that are looked at."""
_LEAST = 3
"""Small words of a language before it is believed."""


@lru_cache(maxsize=256)
def language_of(text: str) -> str | None:
    """ISO 639-1 code of the language of ``text``."""
    sample = text[:_SAMPLE]
    if not sample.isascii():
        letters = sum(map(str.isalpha, sample)) or 1
        for language, script in reversed(_SCRIPTS):
            if len(script.findall(sample)) > letters * (0.15 if language == "ja" else 0.4):
                return language
    counts = dict.fromkeys(_WORDS, 0)
    for word in _TOKEN.findall(sample):
        for language in _LANGUAGES.get(word.lower(), ()):
            counts[language] += 1
    best, count = max(counts.items(), key=lambda pair: pair[1])
    english = counts["en"]
    if count >= _LEAST and (best == "en" or count > english + 1):
        return best
    if not english and sum(map(_TOLD[best].__contains__, map(str.lower, _TOKEN.findall(sample)))) >= _LEAST - 1:
        return best
    spelled = _by_letters(sample) if not sample.isascii() and english < _LEAST_LETTERS else None
    return spelled or ("en" if english else _by_forms(sample))


def _by_letters(sample: str) -> str | None:
    low = sample.lower()
    return next((language for language, own in _LETTERS if len(own.findall(low)) >= _LEAST_LETTERS), None)


def _by_forms(sample: str) -> str | None:
    words = {word.lower() for word in _TOKEN.findall(sample)}
    if words & ENGLISH_ALONE:
        return None
    least = max(_LEAST_FORMS, _SHARE_OF_FORMS * len(words))
    for language, forms in _ENDINGS:
        if sum(forms.match(word) is not None for word in words) >= least:
            return language
    return None
