"""What ``scoreback status`` prints, in the organisation's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from scoring.language import Language
from sync.cli.shared import out
from sync.cli.tables import show_table
from sync.texts import SEPARATOR, Texts, both, text

STATUS: Texts = {
    "streams": both("Streams", "数据流"),
    "parked": both(
        "Parked: refused by the CRM; scoreback push --retry-parked tries again",
        "已搁置：被 CRM 拒绝；scoreback push --retry-parked 可重试",
    ),
    "unreadable": both("Rows that could not be understood", "无法理解的行"),
    "runs": both("Last runs", "最近运行"),
    "calls": both("{name}: {count} of our own today; {fresh}", "{name}：今日调用 {count}；{fresh}"),
    "call": both("1 call", "1 次"),
    "many": both("{number} calls", "{number} 次"),
    "gone": both("no longer configured; what was read of it still counts", "已不在配置中；此前读取的数据仍计入评分"),
    "never": both("never read", "从未读取"),
    "read": both("read {age} ago", "{age}前读取"),
    "stale": both("{read}: STALE, late are {streams}", "{read}：已过时，滞后的数据流：{streams}"),
    "outbox": both("outbox: {pending} waiting, {parked} parked", "待写入：{pending}，已搁置：{parked}"),
    "scored": both("scores as of {day}", "评分截至 {day}"),
    "not_scored": both("scores as of never", "尚未评分"),
}
"""Titles and sentences of ``scoreback status``."""

TABLES: Mapping[str, Sequence[str]] = {
    "streams": ("connection", "stream", "cursor", "lag", "rows", "last_error"),
    "parked": ("connection", "record", "remote_id", "code", "text"),
    "unreadable": ("connection", "stream", "remote_id", "text"),
    "runs": ("run", "command", "started", "status"),
}
_UNITS = {" d": " 天", " h": " 小时", " min": " 分钟", " s": " 秒"}


def show_status(state: Mapping[str, Any], language: Language) -> None:
    """Prints what ``sync.status.status_of`` found."""
    _table(state, "streams", language)
    for name, used in state["allowance"].items():
        count = text(STATUS, "call" if used == 1 else "many", language, number=f"{used:,}")
        fresh = _freshness(state["freshness"].get(name), language)
        out.print(text(STATUS, "calls", language, name=name, count=count, fresh=fresh), markup=False)
    sizes = {name: f"{count:,}" for name, count in state["outbox"].items()}
    out.print(text(STATUS, "outbox", language, **sizes), markup=False)
    for key in ("parked", "unreadable", "runs"):
        if state[key]:
            _table(state, key, language)
    day = state["scored_as_of"]
    out.print(text(STATUS, "scored" if day else "not_scored", language, day=day), markup=False)


def _table(state: Mapping[str, Any], key: str, language: Language) -> None:
    columns = TABLES[key]
    rows = [[_cell(row[column], column, language) for column in columns] for row in state[key] if _says(row, key)]
    show_table(text(STATUS, key, language), columns, rows, language=language, numbers=("rows", "run"))


def _says(row: Mapping[str, Any], key: str) -> bool:
    """Whether a line tells anything: the book of a reconciliation, beside its stream's, has no cursor and at times an error."""
    return key != "streams" or " " not in row["stream"] or row["last_error"] is not None


def _cell(value: Any, column: str, language: Language) -> Any:
    if column == "run":
        return str(value)
    return _age(value, language) if column == "lag" and value is not None else value


def _age(age: str, language: Language) -> str:
    """A stretch of time such as ``3 d 4 h``."""
    for unit, word in _UNITS.items() if language == "zh-CN" else ():
        age = age.replace(unit, word)
    return age


def _freshness(fresh: Mapping[str, Any] | None, language: Language) -> str:
    if fresh is None:
        return text(STATUS, "gone", language)
    if fresh["age"] is None:
        return text(STATUS, "never", language)
    read = text(STATUS, "read", language, age=_age(fresh["age"], language))
    late = SEPARATOR[language].join(fresh["late"])
    return text(STATUS, "stale", language, read=read, streams=late) if fresh["stale"] else read
