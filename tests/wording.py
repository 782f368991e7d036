"""Wording that no text may have: guilt, pressure, and a yes dressed as a shrug.

The lists are of phrases seen in consent banners; each is a regular expression, held
against the text in small letters. A language without a list has its banner's labels
checked alone (tests/test_languages.py).
"""

import re

# In every language: an English "OK" that stands for consent.
EVERYWHERE = (r"\bok\b", r"\bokay\b", r"got it", r"😢|😞|🍪|🎉")

PHRASES = {
    "en": (
        r"we value your privacy",
        r"\bsorry\b|\bsadly\b|unfortunately",
        r"best (possible )?experience|better experience",
        r"no,? thanks|maybe later|i don.t care|i understand|sounds good|continue",
        r"legitimate interest",
    ),
    "fr": (
        r"j.ai compris|d.accord|compris\s?!|ça marche|continuer",
        r"désolé|dommage|malheureusement|hélas",
        r"meilleure expérience|intérêt légitime|non merci|peut-être plus tard",
    ),
    "de": (
        r"verstanden|einverstanden|alles klar|in ordnung|weiter zur",
        r"leider|schade|bedauer",
        r"bestmögliche|besseres erlebnis|berechtigtes interesse",
        r"nein,? danke|vielleicht später",
    ),
    "es": (
        r"de acuerdo|entendido|^vale\b|continuar|lo entiendo",
        r"lástima|lamentablemente|lo sentimos|desgraciadamente",
        r"mejor experiencia|interés legítimo|no,? gracias|más tarde",
    ),
    "it": (
        r"ho capito|va bene|d.accordo|continua\b",
        r"purtroppo|peccato|ci dispiace",
        r"migliore esperienza|legittimo interesse|no,? grazie|più tardi",
    ),
    "nl": (
        r"begrepen|akkoord|prima\b|helaas|jammer|sorry",
        r"beste ervaring|gerechtvaardigd belang|nee,? bedankt|later\b",
    ),
    "pt": (
        r"entendi\b|percebi|está bem|concordo|continuar",
        r"infelizmente|lamentamos|que pena",
        r"melhor experiência|interesse legítimo|não,? obrigad|mais tarde",
    ),
    "pl": (
        r"rozumiem|zgoda!|w porządku|niestety|szkoda|przykro",
        r"najlepsz\w+ doświadcze|uzasadnion\w+ interes|nie,? dziękuję|później",
    ),
    "cs": (
        r"rozumím|souhlasím|v pořádku|bohužel|škoda|je nám líto",
        r"nejlepší zážitek|oprávněn\w+ zájm|ne,? děkuji|později",
    ),
    "sk": (
        r"rozumiem|súhlasím|v poriadku|bohužiaľ|žiaľ|škoda",
        r"najlepší zážitok|oprávnen\w+ záuj|nie,? ďakujem|neskôr",
    ),
    "sl": (r"razumem|strinjam se|v redu|žal\b|škoda|zakonit\w+ interes",),
    "hr": (r"razumijem|slažem se|u redu|nažalost|šteta|legitiman interes",),
    "bg": (r"разбрах|съгласен|добре\b|за съжаление|жалко|легитимен интерес",),
    "ro": (r"am înțeles|de acord|din păcate|ne pare rău|interes legitim",),
    "hu": (r"értem|rendben|sajnos|kár\b|jogos érdek|köszönöm",),
    "el": (r"το κατάλαβα|εντάξει|συμφωνώ|δυστυχώς|κρίμα|έννομο συμφέρον",),
    "sv": (r"jag förstår|uppfattat|tyvärr|tråkigt|berättigat intresse|nej tack",),
    "da": (r"forstået|jeg forstår|desværre|synd\b|legitim interesse|nej tak",),
    "nb": (r"forstått|jeg forstår|dessverre|synd\b|berettiget interesse|nei takk",),
    "fi": (r"selvä\b|ymmärrän|valitettavasti|harmi\b|oikeutettu etu|ei kiitos",),
    "is": (r"ég skil|allt í lagi|því miður|lögmætir hagsmunir|nei takk",),
    "et": (r"sain aru|selge\b|kahjuks|õigustatud huvi|ei,? aitäh",),
    "lv": (r"sapratu|labi\b|diemžēl|žēl\b|leģitīm|nē,? paldies",),
    "lt": (r"supratau|gerai\b|deja\b|gaila\b|teisėt\w+ interes|ne,? ačiū",),
    "ga": (r"tuigim|ceart go leor|ar an drochuair|leas dlisteanach",),
    "mt": (r"fhimt|sewwa\b|sfortunatament|jiddispjaċina|interess leġittimu",),
    "uk": (r"зрозуміло|гаразд|на жаль|шкода|законний інтерес|ні,? дякую",),
    "ru": (r"понятно|хорошо\b|к сожалению|жаль\b|законный интерес|нет,? спасибо",),
    "sr": (r"разумем|у реду|нажалост|штета|razumem|u redu|nažalost|šteta",),
    "mk": (r"разбирам|во ред|за жал|штета|легитимен интерес",),
    "sq": (r"e kuptova|në rregull|fatkeqësisht|na vjen keq",),
    "tr": (r"anladım|tamam\b|maalesef|ne yazık|üzgünüz|meşru menfaat|hayır,? teşekk",),
    "id": (r"\bmengerti\b|\boke\b|baiklah|sayangnya|maaf\b|kepentingan yang sah",),
    "vi": (r"đã hiểu|đồng ý ngay|rất tiếc|thật tiếc|lợi ích hợp pháp|không,? cảm ơn",),
    "ja": (r"了解|わかりました|残念|申し訳|正当な利益|いいえ、結構",),
    "ko": (r"알겠습니다|이해했습니다|아쉽|죄송|안타깝|정당한 이익",),
    "zh": (r"知道了|明白了|好的|遗憾|遺憾|抱歉|正当利益|正當利益",),
    "ar": (r"فهمت|حسنًا|للأسف|نأسف|المصلحة المشروعة|لا شكر",),
    "he": (r"הבנתי|בסדר|לצערנו|חבל|אינטרס לגיטימי|לא תודה",),
    "hi": (r"समझ गया|समझ गए|ठीक है|दुर्भाग्य|खेद|वैध हित",),
    "th": (r"เข้าใจแล้ว|ตกลง|เสียดาย|ขออภัย|ประโยชน์โดยชอบ",),
    "ka": (r"გასაგებია|კარგი\b|სამწუხარო|კანონიერი ინტერეს",),
}


def unwanted(code: str, *texts: str) -> list[str]:
    """The phrases in some texts of a language that no text may have."""
    own = PHRASES.get(code, PHRASES.get(code.partition("-")[0], ()))
    found = [
        re.search(phrase, text.lower())
        for phrase in (*EVERYWHERE, *own)
        for text in texts
    ]
    return [match[0] for match in found if match]
