"""Words of tables and reports for people, in English and Simplified Chinese. CSV and JSON keep our names, which programs read."""

from collections.abc import Mapping
from typing import Any

from scoring.language import METRIC_NAMES, Language

Texts = Mapping[str, Mapping[Language, str]]


def both(english: str, chinese: str) -> Mapping[Language, str]:
    """One text in both languages."""
    return {"en": english, "zh-CN": chinese}


COLUMNS: Texts = {
    "amount": both("amount", "金额"), "as_of": both("as of", "截至"), "attainment": both("attainment", "目标完成率"),
    "band": both("band", "等级"), "blocks_pay": both("blocks pay", "暂缓计酬"), "code": both("code", "代码"),
    "command": both("command", "命令"), "confidence": both("confidence", "置信度"), "connection": both("connection", "连接"),
    "currency": both("currency", "币种"), "cursor": both("cursor", "读取位置"), "deals": both("deals", "商机数"),
    "deals_with_faults": both("deals with faults", "有问题的商机"), "evidence": both("evidence", "依据"),
    "fault": both("fault", "问题"), "field": both("field", "字段"), "new": both("new", "新值"), "old": both("old", "原值"), "faults": both("faults", "问题数"), "grade": both("grade", "评级"),
    "lag": both("lag", "滞后"), "last_error": both("last error", "最近错误"), "name": both("name", "名称"),
    "next_best_action": both("next best action", "下一步建议"), "owner": both("owner", "负责人"),
    "penalty": both("penalty", "扣减"), "people": both("people", "人数"), "period": both("period", "期间"),
    "plan": both("plan", "方案"), "quality": both("quality", "数据质量"), "reasons": both("reasons", "理由"),
    "record": both("record", "记录"), "region": both("region", "大区"), "remote_id": both("id", "编号"),
    "rows": both("rows", "行数"), "run": both("run", "运行"), "score": both("score", "得分"),
    "skipped_for": both("skipped for", "跳过的连接"), "started": both("started", "开始时间"), "status": both("status", "状态"),
    "stream": both("stream", "数据流"), "subject": both("subject", "对象"), "team": both("team", "团队"),
    "text": both("text", "说明"),
}  # fmt: skip
"""Column heads by the column's name in CSV and JSON."""

WORDS: Texts = {
    "ok": both("ok", "正常"), "no_data": both("no data", "无数据"), "low_sample": both("low sample", "样本不足"),
    "not_applicable": both("not applicable", "不适用"), "blocked": both("blocked", "待核"),
    "not_rated": both("not rated", "不评分"), "low_confidence": both("low confidence", "置信度低"),
    "not_scored": both("not scored", "未评分"), "counted": both("counted", "计入"), "zero": both("counts 0", "按 0 计"),
    "few_peers": both("few peers", "同类过少"), "skipped": both("skipped", "已跳过"), "yes": both("yes", "是"),
    "no": both("no", "否"), "review": both("review", "待复核"), "done": both("done", "完成"), "failed": both("failed", "失败"),
    "running": both("running", "进行中"), "interrupted": both("interrupted", "中断"), "unknown": both("unknown", "未知"),
    "days": both("days", "天"), "day": both("day", "天"),
}  # fmt: skip
"""Words of a status column, and units."""

FAULTS: Mapping[str, str] = {
    "missing_amount": "缺少金额", "missing_close_date": "缺少成交日期", "missing_owner": "缺少负责人", "past_due": "成交日期已过",
    "stage_probability_mismatch": "概率与阶段不符", "duplicate": "疑似重复", "inactive_owner": "负责人已停用", "currency": "无汇率",
    "amount_outlier": "金额异常", "closed_without_activity": "无跟进即赢单", "backdated_close": "补录成交日期",
    "same_day": "当日创建当日赢单", "no_next_step": "缺少下一步", "stage_skipped": "跳过阶段", "no_open_history": "无进行中记录",
}  # fmt: skip
"""Chinese names of data checks; in English a check is called by its name."""

TITLES: Texts = {
    "metrics": both("metrics by {by}", "指标，按{by}"),
    "scores": both("appraisals", "人员评分"),
    "deals": both("scores of open deals", "进行中商机评分"),
    "faults": both("data faults", "数据问题"),
    "quality": both("data quality of people", "人员数据质量"),
    "checks": both("data faults by check", "各项检查的数据问题"),
    "diff": both("What a push would write", "将写入的内容"),
    "part": both("{title} ({number} of {count})", "{title}（{number}/{count}）"),
}
"""Titles of reports."""

NOTES: Texts = {
    "low_sample": both("* rests on fewer cases than the metric's minimum", "* 样本少于该指标的最低要求"),
    "unknown": both("unknown for everybody here: {names}", "以下指标全部未知：{names}"),
    "dropped": both(
        "left out at this width: {names}. A wider terminal or --format csv shows them",
        "宽度不足，未显示：{names}。加宽终端或使用 --format csv 可查看",
    ),
}
"""Notes below tables."""

DIMENSIONS: Texts = {
    "person": both("person", "人员"), "team": both("team", "团队"), "region": both("region", "大区"),
    "territory": both("territory", "区域"), "role": both("role", "角色"), "product": both("product", "产品"),
    "account": both("account", "客户"), "account.region": both("account.region", "客户大区"),
    "industry": both("industry", "行业"), "type": both("type", "类型"), "source": both("source", "来源"),
    "pipeline": both("pipeline", "销售流程"), "stage": both("stage", "阶段"), "connection": both("connection", "连接"),
    "month": both("month", "月"), "quarter": both("quarter", "季度"), "organisation": both("organisation", "组织"),
}  # fmt: skip
"""What a metric can be grouped by."""

SEPARATOR: Mapping[Language, str] = {"en": ", ", "zh-CN": "、"}


def text(texts: Texts, key: str, language: Language, **values: Any) -> str:
    """The text in the language with its values filled in; a key that has none, such as an admin's own metric, stands for itself."""
    found = texts.get(key)
    return key if found is None else found[language].format(**values) if values else found[language]


def column_head(name: str, language: Language) -> str:
    """What stands above a column of a table."""
    if name in COLUMNS:
        return COLUMNS[name][language]
    return METRIC_NAMES.get(name, name) if language == "zh-CN" else name
