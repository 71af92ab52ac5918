"""Invented names. Some carry commas, quotes, accents and Chinese characters: real exports do."""

from connectors.sandbox.world.chance import Chance

GIVEN = (
    ("Ada", "ada"), ("Bo", "bo"), ("Chiara", "chiara"), ("Dario", "dario"), ("Elif", "elif"), ("Fenna", "fenna"),
    ("Goran", "goran"), ("Hélène", "helene"), ("Irene", "irene"), ("Jürgen", "juergen"), ("Kaja", "kaja"), ("Lin", "lin"),
    ("Matej", "matej"), ("Nadia", "nadia"), ("Ömer", "oemer"), ("Pia", "pia"), ("Rafał", "rafal"), ("Sanna", "sanna"),
    ("Tariq", "tariq"), ("Uma", "uma"), ("Vera", "vera"), ("Wim", "wim"), ("Yuki", "yuki"), ("Zoë", "zoe"),
)  # fmt: skip
FAMILY = (
    ("Albrecht", "albrecht"), ("Björk", "bjoerk"), ("Castel", "castel"), ("Dorn", "dorn"), ("Évrard", "evrard"),
    ("Falk", "falk"), ("García", "garcia"), ("Hoek", "hoek"), ("Ito", "ito"), ("Janssen", "janssen"), ("Król", "krol"),
    ("Lindt", "lindt"), ("Moreau", "moreau"), ("Nguyen", "nguyen"), ("O'Dell", "odell"), ("Petrov", "petrov"),
    ("Quist", "quist"), ("Rossi", "rossi"), ("Sørby", "soerby"), ("Tan", "tan"), ("Ulrich", "ulrich"), ("Vogt", "vogt"),
    ("Weiß", "weiss"), ("Zeman", "zeman"),
)  # fmt: skip
CHINESE = (
    ("林岚", "lin.lan"), ("陈书远", "chen.shuyuan"), ("周以宁", "zhou.yining"), ("许清和", "xu.qinghe"),
)  # fmt: skip

_SYLLABLES = (
    "ar", "bel", "cor", "den", "el", "fir", "gal", "hol", "in", "kor", "lum", "mar", "nor", "ost", "pel", "quin", "ro",
    "sal", "tor", "ul", "ven", "wex", "yl", "zan",
)  # fmt: skip
_FORMS = (
    "{} GmbH",
    "{} AG",
    "{} Ltd.",
    "{}, Inc.",
    "{} & Söhne",
    "{} S.à r.l.",
    "{} BV",
    "{} Oy",
    "{} Group",
    "{} Sp. z o.o.",
)
_ODD = (
    '{} "Nova" Holding',
    "{0}, {0} & Co",
    "{}-贸易有限公司",
    "{} Møller A/S",
    "L'{}",
    "{}; Vertrieb",
    "{} (Benelux/Nord)",
)
_CHINESE_COMPANIES = ("华盛", "远景", "恒通", "嘉和", "新禾", "博睿", "天工", "海岳")

INDUSTRIES = ("Manufacturing", "Retail", "Healthcare", "Software", "Logistics", "Energy", "Finance, insurance", "教育")
PRODUCTS = (
    ("Base", 0.8), ("Plus", 1.0), ("Pro", 1.3), ("Analytics", 1.1), ("Connect, on-premises", 1.2),
    ("Service 24/7", 0.85),
)  # fmt: skip
"""Products with their price against an average one."""

SOURCES = (
    ("referral", 0.12, 0.6), ("website", 0.3, 0.1), ("partner", 0.14, 0.25), ("event", 0.14, 0.0),
    ("outbound", 0.3, -0.35),
)  # fmt: skip
"""Sources with their share of new deals and what they say about a deal's quality."""

NEXT_STEPS = (
    "Send proposal", "Book workshop with IT", 'Call back, ask for "budget holder"', "Clarify legal terms; then sign",
    "Demo for the Köln plant", "等待客户确认报价", "Reference visit", "Security questionnaire",
    "Price approval (discount)",
)  # fmt: skip
SUBJECTS = {
    "call": ("Intro call", "Check-in", "Pricing call", "Call: open questions", "跟进电话"),
    "email": ("Re: proposal", "Documents as promised", "Your questions, answered", "Meeting notes", 'Re: "timeline"'),
    "meeting": ("Discovery", "Demo", "Workshop", "Negotiation", "Steering meeting", "技术交流"),
    "task": ("Prepare offer", "Update business case", "Check references", "Send contract"),
}
NOTES = (
    "Steady quarter.",
    'Said "no surprises", and there were none.',
    "Could plan further ahead.",
    "团队协作好",
    "Reliable, calm",
)
REASONS = ("Two large deals slip", "Rep is careful", "Customer budget frozen, see account plan", "")


def person_name(chance: Chance, number: int) -> tuple[str, str]:
    """A name and the local part of its e-mail address; ``number`` makes the address unlike any other."""
    if number % 11 == 5:
        name, slug = chance.pick(CHINESE)
        return name, f"{slug}{number}"
    given, family = chance.pick(GIVEN), chance.pick(FAMILY)
    return f"{given[0]} {family[0]}", f"{given[1]}.{family[1]}{number}"


def company_name(chance: Chance, number: int) -> str:
    """A company name; every fifteenth is odd enough to break a careless reader."""
    stem = "".join(chance.pick(_SYLLABLES) for _ in range(chance.whole(2, 3))).capitalize()
    if number % 15 == 7:
        return chance.pick(_ODD).format(stem)
    if number % 23 == 11:
        return f"{chance.pick(_CHINESE_COMPANIES)}科技（{stem}）有限公司"
    return chance.pick(_FORMS).format(stem)
