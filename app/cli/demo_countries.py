# ruff: noqa: RUF001 - names in the letters of their countries
"""The countries of the demo customers: names, addresses and phone numbers as they are written there.

Family names are those that women and men bear alike. `#` in a phone number stands for a digit. Where a country keeps
numbers free for stories, they are of those.
"""

from __future__ import annotations

from typing import Final, NamedTuple

Place = tuple[str, str, str, str]
"""Street, city, state and postal code."""


class Country(NamedTuple):
    """What people of a country are called, where they live and how they are phoned."""

    code: str
    dialing: str
    mobile: str
    line: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    places: tuple[Place, ...]


_KNOWN: Final = (
    Country("USA", "+1", "202-555-01##", "415-555-01##", ("Ava", "Liam", "Grace", "Noah"),
            ("Johnson", "Nguyen", "Li", "Carter"),
            (("1 Market St.", "San Francisco", "CA", "94105"), ("350 5th Ave", "New York", "NY", "10118"))),
    Country("DE", "+49", "171 39200##", "30 23125###", ("Jürgen", "Anna", "Bärbel", "Emil"),
            ("Müller", "Groß", "Schäfer", "Weiß"),
            (("Invalidenstraße 5", "Berlin", "Berlin", "10115"), ("Marienplatz 1", "München", "Bayern", "80331"))),
    Country("FR", "+33", "6 39 98 ## ##", "1 99 00 ## ##", ("Zoé", "Élodie", "Chloé", "Rémi"),
            ("Lefèvre", "D'Aubigné", "Moreau", "Garçon"),
            (("12 rue de Rivoli", "Paris", "Île-de-France", "75001"),
             ("3 quai des Belges", "Marseille", "PACA", "13001"))),
    Country("JP", "+81", "90-####-####", "3-####-####", ("さくら", "健", "陽子", "大輔"),
            ("佐藤", "鈴木", "高橋", "田中"),
            (("千代田1-1", "東京", "東京都", "100-0001"), ("北区梅田3", "大阪", "大阪府", "530-0001"))),
    Country("BR", "+55", "11 9####-####", "11 3###-####", ("João", "Conceição", "Thaís", "Inácio"),
            ("Gonçalves", "Araújo", "Simões", "Conceição"),
            (("Av. Paulista 1578", "São Paulo", "SP", "01310-200"), ("Rua das Flores 9", "Belém", "PA", "66010"))),
    Country("IN", "+91", "98### #####", "80 2### ####", ("Aarav", "Priya", "Ananya", "Rohan"),
            ("Sharma", "Iyer", "Patel", "Singh"),
            (("14 MG Road", "Bengaluru", "Karnataka", "560001"),
             ("2 Marine Drive", "Mumbai", "Maharashtra", "400020"))),
    Country("PL", "+48", "601 ### ###", "22 ### ## ##", ("Łukasz", "Małgorzata", "Żaneta", "Paweł"),
            ("Wójcik", "Nowak", "Ziętek", "Łoś"),
            (("Nowy Świat 15", "Warszawa", "Mazowieckie", "00-029"), ("Długa 4", "Kraków", "Małopolskie", "31-146"))),
    Country("GR", "+30", "697 ### ####", "21 0### ####", ("Ελένη", "Νίκος", "Σοφία", "Γιώργος"),
            ("Αλεξίου", "Νικολάου", "Γεωργίου", "Ιωάννου"),
            (("Ερμού 12", "Αθήνα", "Αττική", "105 63"), ("Τσιμισκή 7", "Θεσσαλονίκη", "Μακεδονία", "546 24"))),
    Country("IE", "+353", "87 ### ####", "20 91# ####", ("Seán", "Aoife", "Niamh", "Conor"),
            ("O'Brien", "de Búrca", "Ng", "Byrne"),
            (("8 Dame Street", "Dublin", "Leinster", "D02 X285"), ("5 Patrick Street", "Cork", "Munster", "T12 X70A"))),
    Country("NG", "+234", "803 ### ####", "1 27# ####", ("Chidi", "Amara", "Ngozi", "Tunde"),
            ("Okafor", "Adébáyọ̀", "Eze", "Bello"),
            (("22 Broad Street", "Lagos", "Lagos", "100221"), ("6 Aguiyi Ironsi St", "Abuja", "FCT", "900271"))),
)  # fmt: skip
"""The countries of the first hundred customers, which the documentation shows."""

_WIDE: Final = (
    Country("GB", "+44", "7700 900###", "20 7946 0###", ("Olivia", "Harry", "Siân", "Callum", "Priti"),
            ("Smith", "Llewellyn", "MacDonald", "Khan", "Fitzroy-Hughes"),
            (("14 Castle Street", "Edinburgh", "Scotland", "EH2 3AH"),
             ("22 Deansgate", "Manchester", "England", "M3 1PH"),
             ("5 Heol y Frenhines", "Cardiff", "Wales", "CF10 2AF"))),
    Country("CA", "+1", "613-555-01##", "416-555-01##", ("Émilie", "Logan", "Nadia", "Étienne", "Mei"),
            ("Tremblay", "Singh", "Côté", "Wong", "MacLeod"),
            (("200 Wellington St", "Ottawa", "ON", "K1A 0A9"),
             ("1250 rue Sherbrooke O", "Montréal", "QC", "H3G 1H1"))),
    Country("MX", "+52", "55 #### ####", "33 #### ####", ("José", "Ximena", "Guadalupe", "Iñigo"),
            ("García", "Hernández", "Núñez", "Muñoz Ledo"),
            (("Av. Reforma 222", "Ciudad de México", "CDMX", "06600"),
             ("Calle Independencia 45", "Guadalajara", "Jalisco", "44100"))),
    Country("ES", "+34", "612 ### ###", "91 ### ## ##", ("Lucía", "Iker", "Begoña", "Martí", "Nuria"),
            ("Rodríguez", "Etxeberria", "Ibáñez", "Puig i Soler"),
            (("Gran Vía 28", "Madrid", "Madrid", "28013"),
             ("Passeig de Gràcia 92", "Barcelona", "Cataluña", "08008"))),
    Country("IT", "+39", "347 ### ####", "06 #### ####", ("Giulia", "Niccolò", "Chiara", "Matteo"),
            ("Rossi", "D'Angelo", "Esposito", "Lo Presti"),
            (("Via del Corso 18", "Roma", "RM", "00186"), ("Corso Buenos Aires 3", "Milano", "MI", "20124"))),
    Country("SE", "+46", "70 174 06 ##", "8 465 004 ##", ("Åsa", "Björn", "Märta", "Göran"),
            ("Åkesson", "Lindström", "Sjögren", "Öberg"),
            (("Drottninggatan 71", "Stockholm", "Stockholms län", "111 36"),
             ("Avenyn 12", "Göteborg", "Västra Götaland", "411 36"))),
    Country("TR", "+90", "532 ### ## ##", "212 ### ## ##", ("Ayşe", "Çağrı", "İbrahim", "Gülşah"),
            ("Yılmaz", "Öztürk", "Şahin", "Doğan"),
            (("İstiklal Cad. 120", "İstanbul", "İstanbul", "34430"),
             ("Atatürk Bulvarı 9", "Ankara", "Ankara", "06680"))),
    Country("EG", "+20", "10 #### ####", "2 2### ####", ("محمد", "فاطمة", "يوسف", "مريم"),
            ("حسن", "السيد", "إبراهيم", "منصور"),
            (("١٥ شارع طلعت حرب", "القاهرة", "القاهرة", "11511"),
             ("٨ طريق الحرية", "الإسكندرية", "الإسكندرية", "21500"))),
    Country("KR", "+82", "10-####-####", "2-####-####", ("서연", "민준", "지우", "하은"), ("김", "이", "박", "최"),
            (("세종대로 110", "서울", "서울특별시", "04524"), ("해운대로 570", "부산", "부산광역시", "48092"))),
    Country("AU", "+61", "491 570 1##", "2 5550 ####", ("Charlotte", "Jack", "Kirra", "Minh"),
            ("Williams", "Nguyen", "O'Connor", "Papadopoulos"),
            (("48 Pitt Street", "Sydney", "NSW", "2000"), ("101 Collins Street", "Melbourne", "VIC", "3000"))),
)  # fmt: skip

_WIDER: Final = (
    Country("CN", "+86", "138 #### ####", "21 #### ####", ("伟", "秀英", "子涵", "浩宇"), ("王", "李", "张", "欧阳"),
            (("南京东路100号", "上海", "上海市", "200001"), ("长安街1号", "北京", "北京市", "100006"))),
    Country("UA", "+380", "67 ### ## ##", "44 ### ## ##", ("Олена", "Андрій", "Наталія", "Євген"),
            ("Шевченко", "Коваленко", "Бондаренко", "Ґудзь"),
            (("вул. Хрещатик 22", "Київ", "Київ", "01001"), ("пл. Ринок 1", "Львів", "Львівська область", "79008"))),
    Country("IL", "+972", "50-###-####", "3-###-####", ("נועה", "דוד", "יעל", "איתי"),
            ("כהן", "לוי", "מזרחי", "פרידמן"),
            (("רוטשילד 22", "תל אביב", "תל אביב", "6688218"), ("יפו 97", "ירושלים", "ירושלים", "9434001"))),
    Country("TH", "+66", "81 ### ####", "2 ### ####", ("สมชาย", "กัญญา", "ณัฐพล", "ปิยะ"),
            ("ศรีสุข", "วงศ์สวัสดิ์", "ทองดี", "แก้วมณี"),
            (("99 ถนนสุขุมวิท", "กรุงเทพมหานคร", "กรุงเทพมหานคร", "10110"),
             ("12 ถนนนิมมานเหมินท์", "เชียงใหม่", "เชียงใหม่", "50200"))),
    Country("VN", "+84", "91 ### ## ##", "24 3### ####", ("Thị Hương", "Văn Đức", "Ngọc Ánh", "Quốc Bảo"),
            ("Nguyễn", "Trần", "Phạm", "Đặng"),
            (("36 Hàng Bạc", "Hà Nội", "Hà Nội", "11024"),
             ("135 Nam Kỳ Khởi Nghĩa", "TP. Hồ Chí Minh", "HCM", "71009"))),
    Country("NL", "+31", "6 ########", "20 ### ####", ("Daan", "Fleur", "Sanne", "Mehmet"),
            ("de Vries", "van den Berg", "'t Hooft", "Yıldız"),
            (("Prinsengracht 263", "Amsterdam", "Noord-Holland", "1016 GV"),
             ("Coolsingel 40", "Rotterdam", "Zuid-Holland", "3011 AD"))),
    Country("CZ", "+420", "602 ### ###", "224 ### ###", ("Jiří", "Zdeňka", "Tomáš", "Bětka"),
            ("Martinů", "Krejčí", "Janů", "Hůlků"),
            (("Vodičkova 36", "Praha", "Praha", "110 00"), ("Česká 12", "Brno", "Jihomoravský kraj", "602 00"))),
    Country("ZA", "+27", "82 ### ####", "21 ### ####", ("Thandiwe", "Sipho", "Anneke", "Kagiso"),
            ("Dlamini", "van der Merwe", "Naidoo", "Mokoena"),
            (("80 Long Street", "Cape Town", "Western Cape", "8001"),
             ("4 Vilakazi Street", "Johannesburg", "Gauteng", "1804"))),
    Country("AR", "+54", "9 11 ####-####", "11 4###-####", ("Agustín", "Martina", "Joaquín", "Begoña"),
            ("Fernández", "Agüero", "Ibarra", "Peñaloza"),
            (("Av. Corrientes 1234", "Buenos Aires", "CABA", "C1043AAZ"),
             ("San Martín 55", "Córdoba", "Córdoba", "X5000ABA"))),
    Country("IS", "+354", "6## ####", "5## ####", ("Þóra", "Björk", "Sæmundur", "Ólafur"),
            ("Blöndal", "Briem", "Thorarensen", "Hafstein"),
            (("Laugavegur 18", "Reykjavík", "Höfuðborgarsvæðið", "101"),
             ("Hafnarstræti 91", "Akureyri", "Norðurland", "600"))),
)  # fmt: skip

COUNTRIES: Final = (_KNOWN, _WIDE, _WIDER)
"""Ten countries for each hundred customers in turn."""

LATIN: Final[dict[str, str]] = dict(
    pair.split("=")
    for pair in (
        "さくら=sakura 健=ken 陽子=yoko 大輔=daisuke 佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka "
        "Ελένη=eleni Νίκος=nikos Σοφία=sofia Γιώργος=giorgos Αλεξίου=alexiou Νικολάου=nikolaou "
        "Γεωργίου=georgiou Ιωάννου=ioannou محمد=mohamed فاطمة=fatma يوسف=youssef مريم=mariam حسن=hassan "
        "السيد=elsayed إبراهيم=ibrahim منصور=mansour 서연=seoyeon 민준=minjun 지우=jiwoo 하은=haeun 김=kim 이=lee "
        "박=park 최=choi 伟=wei 秀英=xiuying 子涵=zihan 浩宇=haoyu 王=wang 李=li 张=zhang 欧阳=ouyang Олена=olena "
        "Андрій=andrii Наталія=nataliia Євген=yevhen Шевченко=shevchenko Коваленко=kovalenko "
        "Бондаренко=bondarenko Ґудзь=gudz נועה=noa דוד=david יעל=yael איתי=itai כהן=cohen לוי=levi "
        "מזרחי=mizrahi פרידמן=friedman สมชาย=somchai กัญญา=kanya ณัฐพล=natthaphon ปิยะ=piya ศรีสุข=srisuk "
        "วงศ์สวัสดิ์=wongsawat ทองดี=thongdee แก้วมณี=kaewmanee"
    ).split()
)
"""Names in Latin letters, as their owners would put them into an e-mail address."""
