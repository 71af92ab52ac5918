"""The objects of an emulated tenant: the preset ones that are read or written here, and the company's own fields."""

from connectors.sandbox.fxiaoke.schema import ObjectType, read_object

_COMMON = (
    "_id text?:64 数据ID", "owner employee 负责人", "owner_department text? 负责人主属部门",
    "owner_department_id text? 负责人主属部门ID", "data_own_department department 归属部门",
    "created_by employee? 创建人", "create_time date_time? 创建时间", "last_modified_by employee? 最后修改人",
    "last_modified_time date_time? 最后修改时间",
    "life_status one?:ineffective=未生效,under_review=审核中,normal=正常,in_change=变更中,invalid=作废 生命状态",
    "lock_status one?:0=未锁定,1=锁定 锁定状态", "is_deleted true_or_false? 是否删除",
    "record_type one:default__c=预设业务类型 业务类型", "version text? 版本",
    "relevant_team embedded_object_list? 相关团队",
)  # fmt: skip
"""What every object has."""

_PRESET: dict[str, tuple[str, tuple[str, ...]]] = {
    "AccountObj": (
        "客户",
        (
            "name text! 客户名称", "account_type text:100 客户类型", "industry one 行业", "deal_status one:未成交,已成交 成交状态",
            "account_source one:官网,转介绍,展会 客户来源", "last_followed_time date_time? 最后跟进时间",
            "tel phone_number 电话", "address text:500 详细地址", "website url 网址", "high_seas_id ref?:HighSeasObj 公海",
            "parent_account_id ref:AccountObj 上级客户",
        ),
    ),
    "ContactObj": ("联系人", ("name text! 姓名", "account_id ref:AccountObj 客户名称", "email email 邮件", "mobile phone_number 手机")),
    "NewOpportunityObj": (
        "商机2.0",
        (
            "name text! 商机名称", "account_id ref:AccountObj 客户名称", "amount currency:2 商机金额", "close_date date 预计成交日期",
            "sales_process_id one 销售流程", "sales_stage one 商机阶段", "sales_status one:进行中,赢单,输单,无效 商机状态",
            "probability percentile:2 赢率", "probability_amount formula:2 预测金额", "opp_discount percentile:2 整单折扣",
            "opp_lines_sum count:2 商机明细合计", "last_followed_time date_time? 最后跟进时间",
            "stg_changed_time date_time? 阶段变更时间", "cost_time formula:0 商机耗时",
        ),
    ),
    "NewOpportunityLinesObj": (
        "商机2.0明细",
        (
            "name text? 明细编号", "new_opportunity_id of:NewOpportunityObj 商机名称", "product_id ref:ProductObj 产品名称",
            "quantity number:6 数量", "sales_price currency:2 销售单价", "sales_amount currency:2 小计",
        ),
    ),
    "NewOpportunityContactsObj": (
        "商机联系人",
        ("name text? 编号", "new_opportunity_id of:NewOpportunityObj 商机名称", "contact_id ref:ContactObj 联系人"),
    ),
    "ProductObj": ("产品", ("name text! 产品名称", "price currency:2 标准价格", "product_status one:1=已上架,2=已下架 上下架")),
    "ActiveRecordObj": (
        "销售记录",
        (
            "name text? 编号", "active_record_content long_text 销售记录内容", "active_record_type one:跟进记录 销售记录类型",
            "interactive_types one:电话,拜访,邮件,微信,其他 跟进方式", "interactive_scenario one:售前,售中,售后 跟进场景",
            "related_api_names array 关联对象", "related_object_data array 关联业务数据", "account_id ref:AccountObj 客户",
            "new_opportunity_id ref:NewOpportunityObj 商机2.0",
        ),
    ),
    "CheckinsObj": (
        "高级外勤",
        (
            "name text? 编号", "customer_id ref:AccountObj 客户", "communicate_record long_text 沟通记录",
            "new_stat_date date 统计日期", "checkins_scene text:100 外勤场景", "checkin_time date_time 签到时间",
            "related_object_data array 关联业务数据",
        ),
    ),
    "ScheduleObj": (
        "日程",
        (
            "name text? 编号", "participants employee 参与人", "content long_text 日程内容", "begin_time date_time 开始时间",
            "end_time date_time 结束时间", "related_object_data array 关联业务数据",
        ),
    ),
    "TelesalesRecordObj": ("电销记录", ("name text? 编号",)),
    "ServiceRecordObj": ("通话记录", ("name text? 编号",)),
    "JournalObj": (
        "日志",
        ("name text? 编号", "work_summary long_text 工作总结", "work_plan long_text 工作计划", "journal_time date_time 日志时间"),
    ),
    "ContractObj": (
        "合同",
        (
            "name text? 合同编号", "account_id ref:AccountObj 客户名称", "contract_amount currency:2 合同金额",
            "confirm_time date_time 确认时间", "start_date date 开始日期", "end_date date 结束日期",
        ),
    ),
    "SalesOrderObj": (
        "销售订单",
        (
            "name text? 销售订单编号", "account_id ref:AccountObj 客户名称", "new_opportunity_id ref:NewOpportunityObj 商机2.0",
            "order_amount currency:2 销售订单金额", "order_time date 下单日期", "order_status one:6=确认中,7=已确认 状态",
            "delivered_amount_sum currency:2 已发货金额",
        ),
    ),
    "PaymentObj": (
        "回款",
        (
            "name text? 回款编号", "account_id ref:AccountObj 客户名称", "order_id ref:SalesOrderObj 销售订单",
            "amount currency:2 本次回款总金额", "payment_time date 回款日期",
        ),
    ),
    "RefundObj": (
        "退款",
        (
            "name text? 退款编号", "account_id ref:AccountObj 客户名称", "order_id ref:SalesOrderObj 销售订单",
            "refunded_amount currency:2 退款金额", "refunded_time date 退款日期",
        ),
    ),
    "InvoiceApplicationObj": (
        "开票申请",
        (
            "name text? 开票申请编号", "account_id ref:AccountObj 客户名称", "order_id ref:SalesOrderObj 销售订单",
            "invoice_applied_amount currency:2 开票金额", "invoice_date date 开票日期",
        ),
    ),
    "GoalRuleObj": ("目标规则", ("name text! 规则名称",)),
    "GoalRuleDetailObj": ("子目标", ("name text! 子目标名称", "goal_rule_id ref:GoalRuleObj 目标规则")),
    "GoalValueObj": (
        "目标值",
        (
            "name text? 编号", "goal_rule_id ref:GoalRuleObj 目标规则", "goal_rule_detail_id ref:GoalRuleDetailObj 子目标", "goal_type one:1=部门,2=人员 考核对象类型",
            "check_object_id text:100 考核对象", "fiscal_year text:10 财年", "annual_value currency:2 年度目标",
            "january_value currency:2 一月", "february_value currency:2 二月", "march_value currency:2 三月",
            "april_value currency:2 四月", "may_value currency:2 五月", "june_value currency:2 六月",
            "july_value currency:2 七月", "august_value currency:2 八月", "september_value currency:2 九月",
            "october_value currency:2 十月", "november_value currency:2 十一月", "december_value currency:2 十二月",
        ),
    ),
    "CasesObj": ("工单", ("name text? 工单编号", "account_id ref:AccountObj 客户名称", "new_opportunity_id ref:NewOpportunityObj 商机2.0")),
    "PersonnelObj": (
        "人员",
        (
            "name text! 姓名", "user_id text?:100 员工ID", "email email 邮箱", "phone phone_number 手机", "position text:100 职位",
            "leader employee 汇报对象", "main_department department 主属部门", "status one:0=启用,1=停用 状态",
        ),
    ),
    "DepartmentObj": ("部门", ("name text! 部门名称", "parent_id department 上级部门", "manager_id employee 部门负责人")),
    "OpportunityObj": ("商机", ("name text! 商机名称", "account_id ref:AccountObj 客户名称", "expected_deal_amount currency:2 商机金额")),
    "HighSeasObj": ("公海", ("name text! 公海名称",)),
    "LeadsObj": ("销售线索", ("name text! 姓名", "company text 公司")),
}  # fmt: skip

WORLD_FIELDS: dict[str, tuple[str, ...]] = {
    "AccountObj": ("region__c text:100 区域",),
    "NewOpportunityObj": (
        "external_id__c text:100 外部编号", "product__c text 产品", "source__c text:100 来源", "type__c text:100 类型",
        "next_step__c text 下一步", "forecast_category__c text:100 预测类别",
    ),
    "ActiveRecordObj": ("direction__c one:呼入,呼出 呼叫方向", "duration_seconds__c number:0 时长秒"),
    "PersonnelObj": ("territory__c text:100 区域划分", "ended_on__c date 离职日期"),
    "CasesObj": (
        "survey_scale__c text:20 评分方式", "satisfaction__c number:2 满意度", "survey_sent_time__c date_time 发送时间",
        "survey_answered_time__c date_time 回复时间",
    ),
}  # fmt: skip
"""Fields that the simulated company made for itself."""

SPLIT_OBJECT, FORECAST_OBJECT = "object_Sp7Lt__c", "object_Fc4St__c"
ABSENCE_OBJECT, RATE_OBJECT, RATING_OBJECT = "object_Ab9Sn__c", "object_Rt2Xc__c", "object_Rg5Ev__c"
OWN_OBJECTS: dict[str, tuple[str, ...]] = {
    SPLIT_OBJECT: (
        "new_opportunity__c ref:NewOpportunityObj 商机2.0", "person__c employee 业绩归属人", "share__c percentile:2 分成比例",
        "kind__c one:revenue,overlay 分成类型",
    ),
    FORECAST_OBJECT: (
        "period_start__c date 开始日期", "period_end__c date 结束日期", "layer__c one:rep,manager 预测层级",
        "category__c text:50 预测类别", "amount__c currency:2 预测金额", "currency__c text:10 币种", "reason__c long_text 说明",
        "said_at__c date_time 预测时间",
    ),
    ABSENCE_OBJECT: ("person__c employee 请假人", "start_on__c date 开始日期", "end_on__c date 结束日期", "paid__c true_or_false 带薪"),
    RATE_OBJECT: ("from__c text:10 币种", "to__c text:10 目标币种", "rate__c number:12 汇率", "on__c date 生效日期"),
    RATING_OBJECT: (
        "subject__c employee 被评价人", "rater__c employee 评价人", "item__c text:200 评价项", "rating__c number:2 评分",
        "note__c long_text 备注", "rated_at__c date_time 评价时间",
    ),
}  # fmt: skip
"""Objects that the simulated company made for what Fxiaoke has none for."""

CURRENCY_FIELDS = ("mc_currency one 币种", "mc_exchange_rate number:8 汇率")
"""What objects with amounts have besides in a tenant with several currencies."""
WITH_CURRENCY = (
    "NewOpportunityObj",
    "ContractObj",
    "SalesOrderObj",
    "PaymentObj",
    "RefundObj",
    "InvoiceApplicationObj",
)

APPRAISAL_OBJECT = "object_Sb7Kq__c"
SCORE_FIELDS: dict[str, tuple[str, ...]] = {
    "NewOpportunityObj": (
        "scoreback_score__c number:2 AI评分", "scoreback_grade__c text:100 AI评分等级",
        "scoreback_reasons__c long_text AI评分说明", "scoreback_next_step__c long_text AI建议行动",
        "scoreback_scored_at__c date_time AI评分时间", "scoreback_plan__c text AI评分方案",
        "scoreback_digest__c text AI评分摘要",
    ),
    APPRAISAL_OBJECT: (
        "scoreback_key__c text 考核键", "scoreback_person__c employee 被考核人", "scoreback_score__c number:2 考核得分",
        "scoreback_band__c text:100 考核等级", "scoreback_attainment__c number:4 目标完成率",
        "scoreback_period__c text:100 考核期间", "scoreback_reasons__c long_text 考核说明",
        "scoreback_scored_at__c date_time 考核时间", "scoreback_plan__c text 考核方案", "scoreback_digest__c text 考核摘要",
    ),
}  # fmt: skip
"""What an administrator made by hand for Scoreback: no public API makes fields or objects."""


LABELS = {
    APPRAISAL_OBJECT: "销售考核", SPLIT_OBJECT: "业绩分成", FORECAST_OBJECT: "销售预测", ABSENCE_OBJECT: "请假", RATE_OBJECT: "汇率",
    RATING_OBJECT: "同事评价",
}  # fmt: skip
"""What objects of the company's own are called."""


def preset_objects() -> dict[str, ObjectType]:
    """Fresh copies of the preset objects; the old opportunity is switched off."""
    objects = {name: read_object(name, label, (*lines, *_COMMON)) for name, (label, lines) in _PRESET.items()}
    objects["OpportunityObj"].active = False
    return objects


def custom_object(name: str, label: str, lines: tuple[str, ...]) -> ObjectType:
    """An object that an administrator made; its name is unique."""
    kind = read_object(name, label, ("name text! 名称", *lines, *_COMMON))
    kind.fields["name"].unique = True
    return kind
