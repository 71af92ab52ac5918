"""Fxiaoke's answers: always status 200, the result in ``errorCode``; a refusal is raised and turned into an answer."""

import secrets
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.routing import Reply

BAD_TOKEN = 20016
MISSING = 20017
BAD_SIGN_IN = 10006
BAD_ARGUMENT = 15002
REFUSED_RECORD = 32000
"""What a record refuses; Fxiaoke publishes no code of its own for it."""
TOO_FAR = 10013
TOO_FAST = 30004
TOO_FAST_OTHER = 14001
DAY_SPENT = 30002
NOT_BOUGHT = 30003
NO_PERSON = 20012
NO_RIGHT = 20014
NO_DEPARTMENT = 30007
NO_EMPLOYEE = 30027
BUSY = -1
BROKEN = -2
TIMED_OUT = 50009

MESSAGES: dict[int, str] = {
    BAD_TOKEN: "the cropId,cropAccessToken or authorization is error",
    BAD_SIGN_IN: "the parameter appSecret is missing or illegal",
    TOO_FAR: "offset out of range 10000",
    TOO_FAST: "秒频次超限",
    TOO_FAST_OTHER: "接口调用超过限制",
    DAY_SPENT: "当天访问频次超限",
    NOT_BOUGHT: "客户没有购买openapi配额，需要提open api订单购买",
    NO_PERSON: "openUserId未找到",
    NO_RIGHT: "应用没有获取该员工的数据的权限",
    NO_DEPARTMENT: "部门不存在",
    NO_EMPLOYEE: "员工不存在",
    BUSY: "系统繁忙",
    BROKEN: "系统错误",
    TIMED_OUT: "服务异常",
}
"""The text of each code. The misspelt words of 20016 are the vendor's."""


class Refusal(Exception):  # noqa: N818 - a vendor's answer, not a defect of ours
    """The call is refused with this code; ``message`` where the code has no text of its own."""

    def __init__(self, code: int, message: str = "", description: str = "") -> None:
        super().__init__(message or MESSAGES.get(code, ""))
        self.code = code
        self.message = message or MESSAGES.get(code, "")
        self.description = description

    def reply(self, trace: str = "E-O.null.-1000") -> Reply:
        """The answer: status 200, as every answer of Fxiaoke."""
        body = {"traceId": trace_id(trace), "errorMessage": self.message, "errorCode": self.code}
        if self.description:
            body["errorDescription"] = self.description
        return Reply(200, body)


def missing(name: str) -> Refusal:
    """A key that must be there is not."""
    return Refusal(MISSING, f"{name}为必填项，不能为空")


def bad_argument(text: str) -> Refusal:
    """15002, with what is wrong."""
    return Refusal(BAD_ARGUMENT, f"参数不合法: {text}")


def refused_record(text: str) -> Refusal:
    """The record does not take this: locked, invalid, gone, or not the actor's."""
    return Refusal(REFUSED_RECORD, text)


def trace_id(start: str) -> str:
    """A fresh trace id."""
    return f"{start}-{secrets.token_hex(6)}"


def success(trace: str, more: Mapping[str, Any]) -> Reply:
    """The envelope of every business answer around ``data`` or whatever the endpoint puts at the top."""
    head = {"traceId": trace_id(trace), "errorDescription": "success", "errorMessage": "OK", "errorCode": 0}
    return Reply(200, {**head, **more})
