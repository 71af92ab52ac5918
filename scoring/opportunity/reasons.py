"""Reasons and advice in words, in English and Simplified Chinese. Wording is about the deal and the next action."""

import re
from collections.abc import Mapping

import polars as pl

from scoring.language import Language
from scoring.plan import Rule

OTHER: Mapping[Language, str] = {"en": "other reasons and the limits 0 and 100", "zh-CN": "其他因素及 0–100 的界限"}

ADVICE: Mapping[str, Mapping[Language, str]] = {
    "book_meeting": {"en": "Book a meeting with the customer", "zh-CN": "与客户约定一次会面"},
    "contact_customer": {"en": "Contact the customer", "zh-CN": "联系客户"},
    "set_next_step": {"en": "Agree on a next step and write it down", "zh-CN": "约定并填写下一步"},
    "widen_contacts": {"en": "Win a second contact at the customer", "zh-CN": "在客户处发展第二位联系人"},
    "confirm_close_date": {"en": "Confirm the close date with the customer", "zh-CN": "与客户确认成交日期"},
    "correct_close_date": {"en": "Correct the close date, which has passed", "zh-CN": "更新已过期的成交日期"},
    "add_amount": {"en": "Enter the amount", "zh-CN": "填写金额"},
    "plan_activity": {"en": "Plan the next activity", "zh-CN": "安排下一次跟进"},
    "advance_or_close": {"en": "Decide: move the deal on, or close it", "zh-CN": "决定推进或关闭商机"},
}
"""Texts of the advice words that a rule may use; any other word is shown as it is written."""

SINGULAR: Mapping[str, str] = {
    "days": "day", "weeks": "week", "months": "month", "times": "time", "contacts": "contact", "stages": "stage",
    "meetings": "meeting", "calls": "call", "activities": "activity",
}  # fmt: skip
"""Nouns after a number that lose their plural where it is 1."""

_COUNTED = re.compile(rf" ({'|'.join(SINGULAR)})\b")
_PLACE = re.compile(r"\{(\w+)\}")


def text_of(texts: Mapping[Language, str] | None, language: Language) -> str | None:
    """The text in the language, else in English, else in the other one; None without any."""
    if not texts:
        return None
    return texts.get(language) or texts.get("en") or next(iter(texts.values()))


def filled(template: str, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Expr:
    """The template with the row's own values in its ``{column}`` places; ``?`` where a value is unknown.

    A noun of ``SINGULAR`` right behind a value that is 1 loses its plural.
    """
    parts = _PLACE.split(template)  # text, name, text, name, ..., text
    written = [pl.lit(parts[0])]
    for name, after in zip(parts[1::2], parts[2::2], strict=True):
        value = _written(name, schema[name]) if name in schema else pl.lit("{" + name + "}")
        written += [value, _after(after, pl.col(name) if name in schema and schema[name].is_integer() else None)]
    return pl.concat_str(written)


def reason_text(rule: Rule, language: Language, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Expr:
    """The rule's reason with the deal's own figures in it; the rule's id where it has no text in any language."""
    return filled(text_of(rule.reason, language) or rule.id.replace("_", " "), schema)


def advice_text(rule: Rule, language: Language, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Expr:
    """What to do so that the rule pays; with ``otherwise``, what is the matter now."""
    word = rule.advice or ""
    what = ADVICE[word][language] if word in ADVICE else word.replace("_", " ")
    why = text_of(rule.otherwise, language)
    return pl.lit(what) if why is None else filled(what + {"en": ": ", "zh-CN": "："}[language] + why, schema)


def _after(text: str, count: pl.Expr | None) -> pl.Expr:
    noun = _COUNTED.match(text)
    if noun is None or count is None:
        return pl.lit(text)
    return pl.when(count == 1).then(pl.lit(f" {SINGULAR[noun[1]]}{text[noun.end() :]}")).otherwise(pl.lit(text))


def _written(name: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    if isinstance(dtype, pl.Decimal):
        text = text.str.strip_chars_end("0").str.strip_chars_end(".")
    return text.fill_null("?")
