"""What the advisers check when a form is handed in: that it fits the points, advisers and records there are.

Said at the item, while whoever fills it in is still there; what is decided later checks again, for much may change meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from geo.regions.queries import path_of
from geo.scope import Scope
from services.facilities.models import Facility
from services.kernel.forms.answering import Fault
from services.kernel.forms.models import Submission
from services.modules.advisers.actions import covers_site
from services.modules.advisers.models import SITE_KIND, Adviser, RecordState, WorkRecord

_TAKEN = "已有顾问员用这个证书编号登记。请核对证书编号；已登记的顾问员调动请改用“养老顾问员变更申请”。"
_UNKNOWN = "本街镇没有用这个证书编号登记的顾问员，请核对证书编号和申请的街镇。"
_NOT_THERE = "那天这个顾问点没有用这个证书编号的顾问员，请核对顾问点、编号和日期。"


def check_new_adviser(*, submission: Submission, answers: Mapping[str, Any], scope: Scope) -> Iterator[Fault]:
    """Yield that a certificate is an adviser's already."""
    if Adviser.objects.filter(certificate=answers.get("adviser_certificate")).exists():
        yield Fault("adviser_certificate", "certificate_taken", _TAKEN)


def check_adviser_change(*, submission: Submission, answers: Mapping[str, Any], scope: Scope) -> Iterator[Fault]:
    """Yield that nobody in the street applied in has the certificate."""
    adviser = Adviser.objects.select_related("site").filter(certificate=answers.get("adviser_certificate")).first()
    if adviser is None or not _within(adviser.site, submission):
        yield Fault("adviser_certificate", "adviser_unknown", _UNKNOWN)


def check_record(*, submission: Submission, answers: Mapping[str, Any], scope: Scope) -> Iterator[Fault]:
    """Yield what does not fit of a record of work: the earlier one it is about, the point, or who was there on the day."""
    if number := answers.get("record_number"):
        old = WorkRecord.objects.select_related("site").filter(number=number).first()
        if old is None or not covers_site(scope, old.site):
            yield Fault("record_number", "record_unknown", "没有找到要更正的记录，请从台账里核对编号。")
        elif old.state != RecordState.VALID:
            said = f"这条记录{old.get_state_display()}，不能再改。请更正代替它的那一条。"
            yield Fault("record_number", "record_settled", said)
        if answers.get("record_cancels"):
            return
    site = Facility.objects.filter(pk=answers["adviser_site"], kind=SITE_KIND, retired_at=None).first()
    if site is None or not covers_site(scope, site):
        yield Fault("adviser_site", "site_outside", "这个顾问点不在您的范围内，请从列出的顾问点里选。")
        return
    on = dt.date.fromisoformat(str(answers["record_on"]))
    adviser = Adviser.objects.filter(site=site, certificate=answers["adviser_certificate"], from_day__lte=on).first()
    if adviser is None or (adviser.to_day is not None and adviser.to_day < on):
        yield Fault("adviser_certificate", "adviser_not_there", _NOT_THERE)


def _within(site: Facility, submission: Submission) -> bool:
    if site.region_id is None:
        return False
    return submission.region_id in {each.region_id for each in path_of(site.region_id, scope=Scope.public())}
