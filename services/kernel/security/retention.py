"""How long records are kept that grow by themselves, as data in one place, and their clearing away when that time is over.

What belongs to a case, a row of a ledger or the audit log is kept with it and is not here; months of the log centre are kept by
``services.kernel.logs.spec``, files by their owners.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from services.access.actions import record_audit
from services.access.models import AuditAct

AT_ONCE: Final = 2_000
"""How many rows go in one transaction: a worker that dies loses no more than that, and the next one goes on."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Rows of a model go when their moment ``at`` is more than ``days`` ago; a row without that moment stays."""

    model: str
    at: str
    days: int
    what: str
    why: str


RETENTIONS: Final = (
    Retention(
        "selfreport.Confirmation", "confirmed_at", 1_096, "机构确认余位的记录", "看得出三年里谁按时确认，数字另有记录"
    ),
    Retention(
        "access_clients.ClientCall", "at", 400, "接口调用记录", "网络日志不少于六个月；多留到满一年零一个月，便于同比"
    ),
    Retention(
        "finder_recommending.Trace", "hour", 90, "推荐用的浏览记录", "说明里告诉本人的期限；再早的已说明不了今天的需要"
    ),
    Retention("finder_recommending.ShownCount", "day", 60, "推荐次数", "只看最近 28 天，多留一个月备查"),
    Retention("axes.AccessLog", "attempt_time", 183, "登录记录", "网络日志不少于六个月"),
    Retention("axes.AccessFailureLog", "attempt_time", 183, "登录失败记录", "网络日志不少于六个月"),
    Retention(
        "facilities_upkeep.FacilityDraft",
        "updated_at",
        30,
        "机构维护草稿",
        "一个月没有接着写的，按现在的情况重填更可靠",
    ),
    Retention("kernel_rules.DecisionRecord", "at", 3_653, "规则判断记录", "与所涉办件的定期档案同为十年"),
    Retention("kernel_rules.RuleFault", "at", 366, "规则故障", "查明原因以后一年"),
    Retention("fencing_following.FenceEvent", "told_at", 183, "围栏事件", "平台半年内可以再读；以后只看统计"),
    Retention("fencing_following.Subject", "heard_at", 183, "移动对象", "位置一天后已删；半年没有上报就连编号也删"),
    Retention("opinions.Comment", "unfit_since", 366, "没有公开的点评", "作者一年内可以改了再交"),
    Retention("opinions.CommentFlag", "at", 366, "点评举报", "审核以后不再有用"),
    Retention("opinions.Suggestion", "handled_at", 1_096, "答复过的建议", "三年后不再有用"),
    Retention("kernel_messages.Message", "visible_from", 1_096, "站内消息", "三年后不再有用"),
    Retention("facilities_preloading.PreloadRun", "done_at", 92, "预加载的记录", "看得出一个季度的变化就够了"),
    Retention("facilities_supervision.SupervisionPull", "at", 92, "监管信息取数的记录", "看得出一个季度是否取得到"),
    Retention("opinions.RatingReport", "ended_at", 366, "发给监管平台的评价", "对账一年；以后有变化会重新发"),
    Retention("waste.OneMapPush", "ended_at", 92, "发给“一张图”的预约和围栏", "一个季度里对得上账；以后有变化会重新发"),
    Retention("waste.Appointment", "wanted_on", 1_096, "装修垃圾预约单", "统计三年；姓名和手机在收运日三个月后先删"),
    Retention(
        "catchments.RuleImport", "made_at", 60, "对口规则的导入表", "写入的在版本里；没有写入的，两个月后名册已旧"
    ),
    Retention(
        "fencing_files.FenceImport", "made_at", 366, "围栏的导入文件", "写入的在版本里；原文件留一年，便于核对来源"
    ),
    Retention(
        "datasets.DatasetImport", "made_at", 366, "自建图层的导入文件", "写入的在版本里；原文件留一年，便于核对来源"
    ),
    Retention(
        "scenes.ScenePackage",
        "idle_since",
        92,
        "没有用上的三维模型文件",
        "发布过的留在版本里；换下来的留一个季度便于核对",
    ),
    Retention(
        "catchments_validating.Register",
        "made_at",
        183,
        "验证对口规则用的登记名册",
        "一个招生季用完即删，结果随名册一起删",
    ),
    Retention(
        "catchments_fairness.FairnessRun", "made_at", 183, "对口公平性分析", "一个招生季；规则和学位变了就要重算"
    ),
    Retention("checkins.CheckInPhoto", "at", 90, "打卡照片", "家庭照护床位的服务凭证；等待核验的三个月后已没有意义"),
    Retention("checkins.CheckInFacts", "at", 366, "打卡位置和说明", "对账和申诉一年；以后只留结果"),
    Retention("checkins.CheckIn", "at", 1_096, "打卡记录", "补贴结算的凭证留三年"),
    Retention("checkins.Visit", "to_at", 1_127, "上门任务", "比打卡记录多留一个月，先后有序"),
    Retention("jobs.Job", "finished_at", 366, "后台任务", "结果另有去处，记录留一年"),
    Retention("sessions.Session", "expire_date", 1, "会话", "过期即无用"),
)


def purge_records(*, now: dt.datetime | None = None) -> dict[str, int]:
    """Delete what was kept long enough, a piece at a time, and return how much by what it is; what went is audited."""
    at = now or timezone.now()
    gone = {each.what: count for each in RETENTIONS if (count := _purge(each, at))}
    if gone:
        record_audit(act=AuditAct.RECORDS_PURGED, actor="system", detail={"gone": gone})
    return gone


def _purge(kept: Retention, now: dt.datetime) -> int:
    rows = apps.get_model(kept.model)._base_manager.filter(**{f"{kept.at}__lt": now - dt.timedelta(days=kept.days)})
    count = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            rows.filter(pk__in=pks).delete()
        count += len(pks)
    return count
