"""Deciding by the rules that hold for a region on a day, and keeping what was decided.

A decision that cannot be made is never passed over: the caller gets a named error, the fault is written down by a worker (the
caller's transaction may well roll back), and the keepers of the rules are told.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, NotFound, Unavailable
from services.crypto.masking import mask_text
from services.kernel.expressions import Value
from services.kernel.messages.actions import send_message
from services.kernel.rules.deciding.tables import Decision, Step, plain_value
from services.kernel.rules.message_events import RULES_BROKEN
from services.kernel.rules.models import DecisionRecord, RuleFault, RuleVersion
from services.kernel.rules.queries import keepers_of, published_table, version_for
from services.kernel.rules.registry import rule_set_named

log = logging.getLogger(__name__)
NOTE_TASK: Final = "services.kernel.rules.note_fault"


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided, by which version, and under which number it is kept."""

    decision: Decision
    version: RuleVersion
    record: UUID | None

    @property
    def outputs(self) -> Mapping[str, Value]:
        """The results of the first row that applied; every result None where none did."""
        return self.decision.outputs

    @property
    def results(self) -> tuple[Mapping[str, Value], ...]:
        """The results of every row that applied."""
        return self.decision.results

    @property
    def rows(self) -> tuple[int, ...]:
        """The numbers of the rows that applied."""
        return self.decision.rows

    @property
    def decided(self) -> bool:
        """Whether any row applied."""
        return self.decision.decided

    @property
    def explanation(self) -> list[Step]:
        """Why it is so, step by step in Chinese."""
        return self.decision.explanation


def decide(
    key: str,
    facts: Mapping[str, object],
    *,
    region_id: int,
    on: dt.date | None = None,
    subject: str = "",
    keep: bool = True,
) -> Decided:
    """Decide about some facts by the rules that hold for a region on a day (today), and keep the decision.

    ``subject`` says what it is about, as "case:0190…", and names no person. Raises ``NotFound`` (``rules_absent``) where no
    version holds, and ``Unavailable`` (``rules_broken``) where rules or facts are at fault, after their keepers were told.
    """
    spec = rule_set_named(key)
    day = on or timezone.localdate()
    version = version_for(key, region_id=region_id, on=day)
    if version is None:
        raise NotFound("rules_absent", f"“{spec.title}”还没有发布规则，请先由管理员在“规则”里发布。", rules=key)
    try:
        decision = published_table(version.pk).decide(facts)
    except BadInput as fault:
        report_fault(key, version, region_id, code=fault.code, message=fault.message, subject=subject)
        raise Unavailable(
            "rules_broken",
            f"“{spec.title}”的规则没能给出结果：{fault.message}已通知维护规则的人。",
            rules=key,
            cause=fault.code,
        ) from fault
    record = keep_decision(decision, version, region_id=region_id, day=day, subject=subject) if keep else None
    return Decided(decision, version, record.pk if record else None)


def keep_decision(
    decision: Decision, version: RuleVersion, *, region_id: int, day: dt.date, subject: str
) -> DecisionRecord:
    """Keep a decision with its facts, numbers of people in free texts masked, and return the row."""
    return DecisionRecord.objects.create(
        rule_set=version.rule_set,
        version=version,
        region_id=region_id,
        facts={name: masked(plain_value(value)) for name, value in decision.values.items() if value is not None},
        results=plain_results(decision),
        rows=list(decision.rows),
        day=day,
        subject=subject[:100],
    )


def plain_results(decision: Decision) -> list[dict[str, Any]]:
    """Return the results of a decision as JSON holds them."""
    return [{name: plain_value(value) for name, value in given.items()} for given in decision.results]


def masked(value: Any) -> Any:
    """Return a plain value without the mobile and identity numbers that a free text may hold."""
    return mask_text(value) if isinstance(value, str) else value


def report_fault(key: str, version: RuleVersion, region_id: int, *, code: str, message: str, subject: str = "") -> None:
    """Have a worker write down that a version could not decide, or decided what cannot be done, and tell its keepers."""
    log.error("rules broken", extra={"rules": key, "version": str(version.pk), "code": code})
    args = [key, str(version.pk), region_id, code, message[:500], subject[:100]]
    current_app.send_task(NOTE_TASK, args=args)  # at once: the caller's transaction may well roll back


@transaction.atomic
def note_fault(*, key: str, version_id: str, region_id: int, code: str, message: str, subject: str) -> RuleFault:
    """Write down that a version could not decide, and tell its keepers: once a day for each kind of fault."""
    spec = rule_set_named(key)
    version = RuleVersion.objects.filter(pk=version_id).first()
    fault = RuleFault.objects.create(
        rule_set=key, version=version, region_id=region_id, code=code, message=masked(message), subject=subject
    )
    if version is not None:
        RuleVersion.objects.filter(pk=version.pk, broken_at=None).update(broken_at=timezone.now())
    send_message(
        event=RULES_BROKEN,
        key=f"rules:{version_id}:{code}:{timezone.localdate():%Y%m%d}",
        region_id=region_id,
        values={"规则": spec.title, "版本": f"第 {version.number} 版" if version else "", "原因": masked(message)},
        users=keepers_of(key, region_id=version.region_id if version else region_id),
        link=f"/desk/rules/{key}",
    )
    return fault
