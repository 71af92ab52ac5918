"""The languages of our texts, and what scoring is called in them."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh-CN"]

LANGUAGES: tuple[Language, ...] = ("en", "zh-CN")

SEPARATOR: Mapping[Language, str] = {"en": "; ", "zh-CN": "；"}
"""Between the reasons of one score."""

METRIC_NAMES: Mapping[str, str] = {
    "attainment": "目标完成率",
    "bookings": "签约额",
    "won_count": "赢单数",
    "lost_count": "丢单数",
    "average_deal_size": "平均单额",
    "median_deal_size": "单额中位数",
    "win_rate": "赢单率",
    "win_rate_by_value": "按金额赢单率",
    "new_customers": "新客户数",
    "expansion_bookings": "增购额",
    "sales_cycle_median": "销售周期中位数",
    "sales_cycle_mean": "平均销售周期",
    "pipeline_coverage": "商机覆盖率",
    "pipeline_velocity": "商机流速",
}
"""Chinese names of metrics; in English a metric is called by its name, an own one always."""
