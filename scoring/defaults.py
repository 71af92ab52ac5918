"""The plan that works on any CRM without set-up. ``sync/defaults/plans/default.yaml`` says the same with comments."""

from decimal import Decimal

from scoring.plan import Component, MinMaxOptions, Normaliser, OpportunityScore, Plan, Rule, Scorecard


def _rule(rule_id: str, when: str, points: int, advice: str | None, english: str, chinese: str) -> Rule:
    return Rule(id=rule_id, when=when, points=Decimal(points), advice=advice, reason={"en": english, "zh-CN": chinese})


DEFAULT_RULES = (
    _rule("recent_meeting", "days_since_meeting <= 14", 15, "book_meeting",
          "met {days_since_meeting} days ago", "{days_since_meeting} 天前会面"),
    _rule("recent_activity", "days_since_activity <= 7", 10, "contact_customer",
          "last activity {days_since_activity} days ago", "{days_since_activity} 天前跟进"),
    _rule("silent", "(days_since_activity IS NULL AND age_days > 30) OR days_since_activity > 30", -15, "contact_customer",
          "no activity for more than 30 days", "超过 30 天无跟进"),
    _rule("several_contacts", "contacts >= 2", 10, "widen_contacts",
          "{contacts} contacts engaged", "已接触 {contacts} 位联系人"),
    _rule("next_step", "next_step IS NOT NULL AND next_step <> ''", 10, "set_next_step",
          "next step agreed", "已约定下一步"),
    _rule("planned_activity", "next_activity_in_days <= 14", 5, "plan_activity",
          "next activity in {next_activity_in_days} days", "{next_activity_in_days} 天后有跟进安排"),
    _rule("late_stage", "stage_probability >= 0.6", 15, None,
          "late stage: {stage_label}", "阶段靠后：{stage_label}"),
    _rule("pushed", "push_count >= 2", -10, "confirm_close_date",
          "close date pushed {push_count} times", "成交日期推迟 {push_count} 次"),
    _rule("past_due", "past_due_days > 0", -15, "correct_close_date",
          "close date passed {past_due_days} days ago", "成交日期已过 {past_due_days} 天"),
    _rule("stuck", "days_in_stage > 14 AND days_in_stage > stage_dwell_p80", -10, "advance_or_close",
          "{days_in_stage} days in this stage, most won deals took at most {stage_dwell_p80}",
          "本阶段已 {days_in_stage} 天，多数赢单不超过 {stage_dwell_p80} 天"),
    _rule("no_amount", "amount_original IS NULL", -10, "add_amount", "no amount", "缺少金额"),
)  # fmt: skip
"""Rules that need no history; one whose source a CRM does not tell is skipped, not held against the deal."""


def default_plan() -> Plan:
    """Everybody, per quarter: attainment where there are targets, win rate and cycle length against fixed bounds.

    Without targets the other two hold 0.60 of the weight, which is just enough to rate somebody.
    """
    return Plan(
        plan="default",
        version=1,
        scorecard=Scorecard(
            components=[
                Component(id="results", metric="attainment", weight=Decimal("0.4")),
                Component(
                    id="wins",
                    metric="win_rate",
                    weight=Decimal("0.35"),
                    normaliser=Normaliser(minmax=MinMaxOptions(lo=Decimal(0), hi=Decimal("0.5"))),
                ),
                Component(
                    id="speed",
                    metric="sales_cycle_median",
                    weight=Decimal("0.25"),
                    group="process",
                    normaliser=Normaliser(minmax=MinMaxOptions(lo=Decimal(180), hi=Decimal(30))),
                ),
            ]
        ),
        opportunity_score=OpportunityScore(start=Decimal(30), rules=list(DEFAULT_RULES)),
    )
