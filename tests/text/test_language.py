"""Languages are told from two sentences of prose; what gives too little evidence is "unknown"."""

from __future__ import annotations

import pytest

from ken.text.language import UNKNOWN, language_of

SENTENCES = {
    "en": "You must ask your team lead before you book a flight. The portal shows what has been approved.",
    "de": "Sie müssen den Antrag vor der Reise stellen. Die Kosten werden nach der Prüfung nicht mehr geändert.",
    "fr": "Vous devez demander le congé avant la fin du mois. Les frais sont remboursés par le service de la paie.",
    "es": "Debe pedir el permiso antes de que termine el mes. Los gastos se pagan con la nómina del mes siguiente.",
    "pt": "Você deve pedir a licença antes do fim do mês. As despesas não são pagas sem o recibo da compra.",
    "it": "Si deve chiedere il permesso prima della fine del mese. Le spese sono rimborsate con lo stipendio.",
    "nl": "U moet het verlof aanvragen voor het einde van de maand. De kosten worden met het salaris betaald.",
    "sv": "Du måste ansöka om ledighet innan månaden är slut. Kostnaderna betalas ut med lönen och inte kontant.",
    "da": "Du skal søge om ferie, før måneden er slut. Udgifterne bliver betalt ud med lønnen, hvis der er bilag af dem.",
    "no": "Du må søke om ferie før måneden er slutt. Utgiftene blir betalt ut med lønnen, hvis det er bilag til dem nå.",
    "fi": "Loma on haettava ennen kuin kuukausi päättyy. Kulut maksetaan palkan mukana, mutta ne on myös perusteltava.",
    "hu": "A szabadságot a hónap vége előtt kell kérni. A költségeket a fizetéssel együtt fizetjük ki, ha van róluk számla.",
    "pl": "Wniosek o urlop należy złożyć przed końcem miesiąca. Koszty są zwracane z pensją, jeśli nie ma do nich uwag.",
    "cs": "O dovolenou je nutné požádat před koncem měsíce. Náklady se vyplácejí se mzdou, pokud k nim byl doložen doklad.",
    "sk": "O dovolenku je potrebné požiadať pred koncom mesiaca. Náklady sa vyplácajú so mzdou, ak k nim bol priložený doklad.",
    "ro": "Cererea de concediu se face înainte de sfârșitul lunii. Cheltuielile sunt plătite cu salariul și nu în numerar.",
    "ca": "Cal demanar el permís abans que acabi el mes. Les despeses es paguen amb la nòmina del mes següent i no abans.",
    "tr": "İzin ay sonundan önce istenir ve ekip lideri tarafından onaylanır. Masraflar için bir fiş gerekir, ama nakit olarak ödenmez.",
    "id": "Cuti harus diminta sebelum akhir bulan dan disetujui oleh atasan. Biaya akan dibayar dengan gaji yang berikut.",
    "vi": "Bạn phải xin nghỉ phép trước khi hết tháng. Các chi phí được trả cùng với lương và không được trả bằng tiền mặt.",
    "ru": "Заявление на отпуск нужно подать до конца месяца. Расходы не возмещаются, если к ним не приложен чек.",
    "uk": "Заяву на відпустку потрібно подати до кінця місяця. Витрати не відшкодовуються, якщо до них не додано чек.",
    "bg": "Молбата за отпуск се подава до края на месеца. Разходите не се плащат, ако към тях няма касова бележка.",
    "ar": "يجب تقديم طلب الإجازة قبل نهاية الشهر. لا يتم دفع النفقات إلا مع إيصال من هذا المتجر.",
    "fa": "درخواست مرخصی باید پیش از پایان ماه داده شود. هزینه‌ها با حقوق پرداخت می‌شود و این کار به رسید نیاز دارد.",
    "hi": "छुट्टी के लिए महीने के अंत से पहले आवेदन करना चाहिए। खर्च का भुगतान वेतन के साथ किया जाता है।",
    "el": "Η άδεια ζητείται πριν από το τέλος του μήνα.",
    "he": "יש לבקש את החופשה לפני סוף החודש. לא משלמים הוצאות אם אין להן קבלה של החנות.",
    "ja": "休暇は月末までに申請してください。",
    "zh": "请在月底之前提交休假申请。",
    "ko": "휴가는 월말 전에 신청해야 합니다.",
    "th": "ต้องขอลาก่อนสิ้นเดือน",
    "ta": "மாத இறுதிக்கு முன் விடுப்பு கேட்க வேண்டும்.",
    "hy": "Արձակուրդը պետք է խնդրել մինչև ամսվա վերջը։",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_two_sentences_tell_the_language(language: str, text: str) -> None:
    """Two sentences where a script is shared, one where a language has it to itself."""
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "2024-05-01 17.5 %", "Kubernetes", "Annual leave", "kubectl get pods", "—", "好"])
def test_too_little_text_is_unknown(text: str) -> None:
    """No words, a title, a command, one character: nothing is claimed of them."""
    assert language_of(text) == UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "replicas: 3\nimage: registry/app\nlimits:\n  cpu: 500m\n  memory: 1Gi\nports:\n  - containerPort: 8080\n" * 5,
        "Anna Berg, Jonas Lind, Mary Smith, Pierre Dupont, Maria Rossi, Ivan Petrov, Li Wei, Aiko Tanaka " * 3,
    ],
)
def test_settings_and_lists_of_names_are_unknown(text: str) -> None:
    """What is no prose is in no language."""
    assert language_of(text) == UNKNOWN


def test_code_and_links_do_not_count() -> None:
    """A German page with English code is German."""
    code = "```\n# this is what the job does when it is run by the scheduler and not by you\n```\n" * 5
    assert language_of(code + SENTENCES["de"] + " https://example.com/this/is/the/page/of/the/team") == "de"


@pytest.mark.parametrize(("most", "less"), [("de", "en"), ("en", "fr"), ("ru", "en"), ("en", "ru")])
def test_the_language_of_most_of_the_text_wins(most: str, less: str) -> None:
    """Four sentences in one language and one or two in another."""
    assert language_of(f"{SENTENCES[less]} {SENTENCES[most]} {SENTENCES[most]} {SENTENCES[most]}") == most
