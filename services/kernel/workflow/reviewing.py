"""Smart review (智能审核): when a case opens and after each 补正, rules say whether it is true, complete and eligible.

It never refuses. What it finds is kept with the steps that explain it and shown to the handlers; where a region set so, what is
incomplete goes back to the applicant once, by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Final

from django.db.models import Max

from geo.errors import NotFound, Unavailable
from services.kernel.messages.choosing import chain_of
from services.kernel.rules.decisions import Decided, decide
from services.kernel.workflow.models import Case, CaseEvent, CaseReview, ReviewSetting
from services.kernel.workflow.registry import matter_named, matters
from services.kernel.workflow.review_facts import (
    answers_to_review,
    cases_of_same,
    facts_of_matter,
    facts_of_truth,
    items_shown,
)
from services.kernel.workflow.rules import TRUTH, complete_key, eligible_key
from services.kernel.workflow.sending_back import labels_asked, send_back
from services.kernel.workflow.spec import VERDICTS
from services.kernel.workflow.transitions import Act, State
from services.kernel.workflow.turning import Turn

KINDS: Final = {"truth": "真实性", "complete": "完整性", "eligible": "资格性"}


@dataclass(frozen=True)
class Finding:
    """One thing that a review found: of which kind, its verdict, a sentence, the steps behind it, and which items it is about."""

    kind: str
    verdict: str
    text: str
    steps: tuple[str, ...] = ()
    keys: tuple[str, ...] = field(default=())
    record: str = ""


def setting_for(matter: str, region_id: int) -> ReviewSetting:
    """Return what the nearest region set of the review of a matter; an unsaved one that asks all rules where none did."""
    chain = chain_of(region_id)
    rows = {row.region_id: row for row in ReviewSetting.objects.filter(matter=matter, region__in=chain)}
    found = next((rows[region] for region in chain if region in rows), None)
    return found or ReviewSetting(matter=matter, region_id=region_id, kinds=list(KINDS))


def review_case(turn: Turn) -> CaseReview | None:
    """Review a case in its turn: keep what was found, write a line of the timeline, and send it back where that was set.

    Returns the review; None for a case that is not open, and where nobody wrote rules or set what is looked at.
    """
    case = turn.case
    if case.state != State.OPEN:
        return None
    setting = setting_for(case.matter, case.region_id)
    findings = list(_findings(case, setting))
    if not findings:
        return None
    number = (case.reviews.aggregate(last=Max("number"))["last"] or 0) + 1
    verdict = max((each.verdict for each in findings), key=list(VERDICTS).index, default="pass")
    review = CaseReview.objects.create(
        case=case, number=number, verdict=verdict, findings=[asdict(each) for each in findings], at=turn.now
    )
    case.review = verdict
    case.save(update_fields=["review"])
    wrong = [each for each in findings if each.verdict != "pass"]
    CaseEvent.objects.create(
        case=case, act=Act.REVIEW, what=f"智能审核：{VERDICTS[verdict]}", opinion="\n".join(each.text for each in wrong),
        detail={"review": number}, at=turn.now,
    )  # fmt: skip
    missing = tuple(dict.fromkeys(key for each in wrong if each.kind == "complete" for key in each.keys))
    if number == 1 and setting.on_fail == "supplement" and missing and case.submission is not None:
        _send_back(turn, missing, [each.text for each in wrong if each.kind == "complete"])
    return review


def _send_back(turn: Turn, keys: tuple[str, ...], texts: list[str]) -> None:
    beside = Turn(turn.case, Act.REVIEW, f"{turn.key}:review"[:80], turn.handler, turn.now, scope=turn.scope)
    send_back(beside, "智能审核退回补正：", "；".join(texts)[:300], [], labels_asked(turn.case, keys))


def _findings(case: Case, setting: ReviewSetting) -> Iterable[Finding]:
    if "truth" in setting.kinds:
        yield from _by_rules("truth", TRUTH.key, facts_of_truth(case), case)
    if "complete" in setting.kinds:
        yield from _missing(case, setting)
        yield from _by_rules("complete", complete_key(case.matter), facts_of_matter(case), case)
    if "eligible" in setting.kinds:
        yield from _relations(case, setting)
        yield from _by_rules("eligible", eligible_key(case.matter), facts_of_matter(case), case)


def _by_rules(kind: str, key: str, facts: dict[str, object], case: Case) -> Iterable[Finding]:
    """Yield what rules say, one finding of each row that applied; nothing where nobody wrote rules."""
    try:
        decided = decide(key, facts, region_id=case.region_id, subject=f"case:{case.number}")
    except NotFound:
        return
    except Unavailable as fault:
        yield Finding(kind, "check", f"{KINDS[kind]}规则没能给出结果，请人工审核。{fault.message}")
        return
    steps = tuple(step.text for step in decided.explanation)
    record = str(decided.record or "")
    if not decided.decided:
        yield Finding(kind, "pass", f"{KINDS[kind]}规则：没有一条适用，未发现问题。", steps, record=record)
    for given in decided.results:
        verdict = str(given.get("verdict") or "check")
        reason = str(given.get("reason") or VERDICTS.get(verdict, verdict))
        yield Finding(kind, verdict, f"{reason}（{_source(decided)}）", steps, record=record)


def _source(decided: Decided) -> str:
    return f"规则第 {decided.version.number} 版第 {'、'.join(str(row) for row in decided.rows)} 行"


def _missing(case: Case, setting: ReviewSetting) -> Iterable[Finding]:
    """Yield what the region wants to be there: questions, facts and certificates that are asked for here."""
    if not setting.fields:
        return
    answers, labels, files = answers_to_review(case)
    shown = items_shown(case)
    if shown is None:
        labels = {fact.key: fact.label for fact in matter_named(case.matter).facts}
    for key in setting.fields:
        if key not in labels or (shown is not None and key not in shown):
            continue
        there = answers.get(key) not in (None, "", []) or files.get(key, 0) > 0
        said = f"“{labels[key]}”{'已提供' if there else '没有提供'}"
        keys = (key,) if shown and not there else ()
        yield Finding("complete", "pass" if there else "fail", said, (f"审核字段：{labels[key]}，要求提供",), keys)


def _relations(case: Case, setting: ReviewSetting) -> Iterable[Finding]:
    """Yield whether the applicant has what must be approved before (业务关联), and has not what excludes this (互斥)."""
    same = cases_of_same(case)
    for key in setting.requires:
        title = matters()[key].title if key in matters() else key
        found = same.filter(matter=key, state=State.APPROVED).first()
        steps = (f"业务关联：要有已通过的“{title}”", f"找到 {found.number}" if found else "没有找到")
        said = f"业务关联：“{title}”{'已通过' if found else '还没有通过'}"
        yield Finding("eligible", "pass" if found else "fail", said, steps)
    for key in setting.excludes:
        title = matters()[key].title if key in matters() else key
        found = same.filter(matter=key, closed_at=None).first()
        steps = (f"互斥：不能有在办的“{title}”", f"找到在办的 {found.number}" if found else "没有在办的")
        said = f"互斥：“{title}”{'有在办件 ' + found.number if found else '没有在办件'}"
        yield Finding("eligible", "fail" if found else "pass", said, steps)
