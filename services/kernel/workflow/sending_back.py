"""A case sent back to who applied for it (补正): its form opens for what is asked, a notice is made, all concerned are told."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.utils import timezone

from geo.errors import BadInput, CityError
from geo.regions.queries import path_of
from geo.scope import Scope
from services.kernel.documents.actions import attach_document
from services.kernel.documents.rendering.documents import digest_of_data, render_document
from services.kernel.documents.spec import FileType
from services.kernel.documents.templates.queries import text_for
from services.kernel.forms.actions import end_supplement, reopen_for_supplement
from services.kernel.forms.library.queries import VIEW
from services.kernel.forms.models import Submission
from services.kernel.forms.queries import form_of
from services.kernel.forms.spec import Question
from services.kernel.workflow import message_events as told
from services.kernel.workflow.models import Case
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.telling import tell_applicant, tell_registrar
from services.kernel.workflow.transitions import State
from services.kernel.workflow.turning import Turn, stop_clock

log = logging.getLogger(__name__)
NOTICE: Final = "case-supplement"
"""The template of the notice (补正通知书)."""


def send_back(turn: Turn, what: str, text: str, items: Sequence[str], labels: Mapping[str, str]) -> None:
    """Send a case back for items of its form (keys with their labels) and for other papers, and tell by every channel."""
    case, scope = turn.case, turn.scope
    if labels:
        _reopen(case, labels, text, scope)
    wanted = [*labels.values(), *items]
    case.needed = {"note": text, "items": wanted, "keys": list(labels), "asked_by": turn.user.username}
    turn.note(f"{what} {'、'.join(wanted)}", opinion=text, open_to_applicant=True, items=wanted, keys=list(labels))
    stop_clock(turn, State.SUPPLEMENT)
    make_notice(case, scope)
    values = {"内容": text, "材料": "、".join(wanted)}
    tell_applicant(told.CASE_SUPPLEMENT, case, f"{turn.key}:supplement", **values)
    tell_registrar(told.CASE_SUPPLEMENT_WINDOW, case, f"{turn.key}:window", **values)


def labels_asked(case: Case, keys: Collection[str]) -> dict[str, str]:
    """Return what the asked items of a case's form are called, in the order of the form. Raises ``BadInput``."""
    if not keys:
        return {}
    row = (
        Submission.objects.select_related("form_version").filter(pk=case.submission).first()
        if case.submission
        else None
    )
    found = {
        item.key: item.field.label if isinstance(item, Question) else item.certificate.name
        for item in (form_of(row).items() if row else ())
        if item.key in keys
    }
    if len(found) != len(set(keys)):
        raise BadInput("supplement_items", "请勾选申请表里有的内容。")
    return found


def _reopen(case: Case, labels: Mapping[str, str], text: str, scope: Scope) -> None:
    # who handles the case may ask, whether or not they may open every form of the region
    path = path_of(case.region_id, scope=Scope.public())
    theirs = Scope(paths=(path[-1].path,) if path else (), duties=frozenset({VIEW}), actor=scope.actor)
    reopen_for_supplement(
        submission_id=case.submission or "", fields=list(labels), certificates=[], why=text[:300], scope=theirs
    )


def make_notice(case: Case, scope: Scope) -> None:
    """Make the notice (补正通知书) as a document of the case. Where its template is broken the rest goes on, and it is logged."""
    owner = str(case.uid)
    text = text_for(key=NOTICE, region_id=case.region_id)
    data = notice_of(case)
    try:
        content = render_document(text, data, "pdf")
        made = {"template": NOTICE, "title": text.spec.title, "region": text.region_id, "number": text.number,
                "text_sha256": text.sha256, "data_sha256": digest_of_data(text.spec, data)}  # fmt: skip
        name = f"{text.spec.title} {case.number}-{case.version}.pdf"
        attach_document(
            kind="cases", owner_id=owner, content=content, type=FileType.PDF, name=name, made=made, scope=scope
        )
    except CityError as fault:
        log.exception("notice not made", extra={"case": case.number, "code": fault.code})


def notice_of(case: Case) -> dict[str, Any]:
    """Return what the notice of a case in 补正 says."""
    path = path_of(case.region_id, scope=Scope.public())
    place = path[-1].name if path else ""
    return {
        "编号": case.number,
        "事项": matter_named(case.matter).title,
        "名称": case.title,
        "申请人": (case.applicant.display_name or case.applicant.username) if case.applicant else "申请人",
        "提交日期": f"{timezone.localtime(case.opened_at):%Y年%-m月%-d日}",
        "材料": [{"项目": each} for each in case.needed.get("items", ())],
        "说明": case.needed.get("note", ""),
        "窗口": place if case.source != "online" else "",
        "区划": place,
        "通知日期": f"{timezone.localdate():%Y年%-m月%-d日}",
    }


def close_supplement(case: Case) -> None:
    """Let the form of a case stand as it was handed in last: nothing of it is waited for any more."""
    if case.submission is not None:
        end_supplement(submission_id=case.submission)
