"""Writes of one rule, of several, and of what an edition says of itself: each is one act that can be taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Max

from geo.errors import BadInput
from geo.scope import Scope
from services.catchments.changes import Told, edition_told, perform, rule_told
from services.catchments.entries import CHOICES, LONGEST_COMMUNITY, MODES, RULED, Choice, Mode, entry_point
from services.catchments.ground import Ground, ground_of
from services.catchments.models import CatchmentEdition, EditionChange
from services.catchments.queries import EDIT, edition_seen, rule_of
from services.catchments.writing import LONGEST, read_rule
from services.crypto.identifiers import new_id

BY_DOOR: Final = ("override", "address")
MOST_DELETED: Final = 20_000
_LIST: Final = re.compile(r"[、，,;；/\n]")


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """What a rule shall say: ids of regions and of a kindergarten, ``None`` where it says none."""

    mode: Mode
    street: int | None = None
    committee: int | None = None
    community: str = ""
    written: str = ""
    target: int | None = None
    choice: Choice = ""
    note: str = ""


def faults_of(said: RuleSaid, *, entry: str, ground: Ground) -> dict[str, str]:
    """Return what is wrong with a rule, by the field it is wrong in, in sentences that say what to do."""
    found = _place_faults(said, ground) | _goal_faults(said, ground)
    allowed = entry_point(entry)
    if said.mode not in RULED or allowed is None or said.mode not in allowed.modes:
        words = "、".join(MODES[mode] for mode in RULED if allowed and mode in allowed.modes)
        found["mode"] = f"“{allowed.name if allowed else entry}”入口只能用{words or '别的方式'}，请换一种方式。"
    if said.mode in BY_DOOR:
        faults = read_rule(said.written).faults
        if faults:
            found["written"] = "".join(fault.said for fault in faults[:3])
    elif said.mode == "community" and not said.community:
        found["community"] = "请写小区名称。"
    elif said.mode == "committee" and said.street is None:
        found.setdefault("street", "请选街镇。")
    return found


def _place_faults(said: RuleSaid, ground: Ground) -> dict[str, str]:
    found: dict[str, str] = {}
    if said.street is not None and said.street not in ground.streets:
        found["street"] = f"这个街镇不在{ground.name}，请重新选。"
    if said.committee is not None:
        name, street = ground.committees.get(said.committee, ("", 0))
        if not name:
            found["committee"] = f"这个居委不在{ground.name}，请重新选。"
        elif street != said.street:
            found["committee"] = (
                f"“{name}”不在所选的街镇，它属于{ground.streets.get(street, '别的街镇')}，请改街镇或居委。"
            )
    if _LIST.search(said.community):
        found["community"] = "一条规则写一个小区，请分成几条。"
    elif len(said.community) > LONGEST_COMMUNITY:
        found["community"] = (
            f"小区名称有 {len(said.community)} 个字，手机上显示不下，最多 {LONGEST_COMMUNITY} 个字，请用简称。"
        )
    return found


def _goal_faults(said: RuleSaid, ground: Ground) -> dict[str, str]:
    if bool(said.choice) is (said.target is not None):
        return {"target": "请选一所幼儿园。" if not said.choice else "公办园、民办园和指定园所只能选一样。"}
    if said.choice:
        if said.choice not in CHOICES or said.mode != "open":
            return {"target": "只有开放列表可以写“公办园”“民办园”，请选一所幼儿园。"}
        return {}
    site = ground.sites.get(said.target or 0)
    if site is None:
        return {"target": "没有找到这所幼儿园，请从列表里选。"}
    return {"target": f"“{site.name}”{site.fault}，请换一所。"} if site.fault else {}


def trimmed(said: RuleSaid) -> RuleSaid:
    """Return a rule without what its mode does not ask for, blanks cut off."""
    by_door, by_community = said.mode in BY_DOOR, said.mode == "community"
    return RuleSaid(
        said.mode,
        None if by_door else said.street,
        None if by_door else said.committee,
        said.community.strip() if by_community else "",
        said.written.strip()[: LONGEST + 1] if by_door else "",
        said.target,
        said.choice,
        said.note.strip()[:200],
    )


def told_of(said: RuleSaid, line: int) -> Told:
    """Return a rule as changes tell it."""
    plain = asdict(said)
    return {f"{name}_id": plain.pop(name) for name in ("street", "committee", "target")} | plain | {"line": line}


def save_rule(
    *, edition_id: UUID, same: UUID | None, said: RuleSaid, seen: int, key: UUID, scope: Scope
) -> EditionChange | None:
    """Add a rule to a draft, or change the one that is named ``same``.

    Raises ``BadInput`` with ``detail["fields"]``, and ``Conflict`` when the rule changed or went since ``seen``.
    """
    said = trimmed(said)

    def work(edition: CatchmentEdition) -> tuple[str, Mapping[str, Told | None]]:
        ground = ground_of(edition.district_id, targets=[said.target] if said.target else [])
        if faults := faults_of(said, entry=edition.entry, ground=ground):
            raise BadInput("rule_faulty", "这一条还不能保存，请改好标出的地方。", fields=faults)
        rule = rule_of(edition, same) if same else None
        line = rule.line if rule else next_line(edition)
        verb = "修改规则" if rule else "添加规则"
        name = said_briefly(said, ground)
        return f"{verb}“{name}”", {f"rule:{rule.same if rule else new_id()}": told_of(said, line)}

    return perform(
        edition_id, seen=seen, key=key, act="change" if same else "add", scope=scope, work=work
    )  # fmt: skip


def delete_rules(
    *, edition_id: UUID, sames: Sequence[UUID], seen: int, key: UUID, scope: Scope
) -> EditionChange | None:
    """Take rules out of a draft. Raises ``BadInput`` for none, ``Conflict`` when one of them changed since ``seen``."""
    if not sames:
        raise BadInput("rules_unchosen", "还没有选规则。请先勾选要删除的，再点“删除”。")

    def work(edition: CatchmentEdition) -> tuple[str, Mapping[str, Told | None]]:
        rules = list(edition.rules.filter(same__in=sames[:MOST_DELETED]))
        if not rules:
            rule_of(edition, sames[0])
        if len(rules) == 1:
            ground = ground_of(edition.district_id, targets=[rules[0].target_id] if rules[0].target_id else [])
            said = f"删除规则“{said_briefly(said_by(rule_told(rules[0])), ground)}”"
        else:
            said = f"删除 {len(rules):,} 条规则"
        return said, {f"rule:{rule.same}": None for rule in rules}

    return perform(edition_id, seen=seen, key=key, act="delete", scope=scope, work=work)


def set_steps(*, edition_id: UUID, steps: Sequence[str], seen: int, key: UUID, scope: Scope) -> EditionChange | None:
    """Set which modes are tried, and in which order. Raises ``BadInput`` for one that the entry does not allow, or twice."""

    def work(edition: CatchmentEdition) -> tuple[str, Mapping[str, Told | None]]:
        entry = entry_point(edition.entry)
        allowed = entry.modes if entry else ()
        if wrong := [MODES.get(step, step[:20]) for step in steps if step not in allowed]:  # type: ignore[call-overload]
            raise BadInput("mode_forbidden", f"“{entry.name if entry else ''}”入口不能用：{'、'.join(wrong)}。")
        if len(set(steps)) != len(steps):
            raise BadInput("mode_twice", "同一种方式只能排一次。")
        words = " → ".join(MODES[step] for step in steps) or "（没有方式）"  # type: ignore[index]
        return f"匹配顺序改为{words}", {"edition": edition_told(edition) | {"steps": list(steps)}}

    return perform(edition_id, seen=seen, key=key, act="steps", scope=scope, work=work)


def set_about(
    *, edition_id: UUID, policy: str, policy_url: str, office: str, office_phone: str, seen: int, key: UUID, scope: Scope
) -> EditionChange | None:  # fmt: skip
    """Set the paper an edition rests on and whom parents ask. Raises ``BadInput`` for what is too long or no address."""
    given = {"policy": policy, "policy_url": policy_url, "office": office, "office_phone": office_phone}
    most = {"policy": 200, "policy_url": 300, "office": 80, "office_phone": 40}
    given = {name: text.strip() for name, text in given.items()}
    fields = {name: f"最多 {most[name]} 个字，请写短一些。" for name, text in given.items() if len(text) > most[name]}
    parts = urlsplit(given["policy_url"]) if "\\" not in given["policy_url"] else None
    if given["policy_url"] and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
        fields["policy_url"] = "网址要以 https:// 开头，请从浏览器地址栏复制。"
    if fields:
        raise BadInput("about_faulty", "还不能保存，请改好标出的地方。", fields=fields)

    def work(edition: CatchmentEdition) -> tuple[str, Mapping[str, Told | None]]:
        return "修改政策依据和咨询电话", {"edition": edition_told(edition) | given}

    return perform(edition_id, seen=seen, key=key, act="about", scope=scope, work=work)


def said_by(told: Told) -> RuleSaid:
    """Return what a told rule says."""
    return RuleSaid(
        told["mode"], told["street_id"], told["committee_id"], told["community"], told["written"], told["target_id"],
        told["choice"], told["note"],
    )  # fmt: skip


def said_briefly(said: RuleSaid, ground: Ground) -> str:
    """Return a rule in a few words: who goes where."""
    street = ground.streets.get(said.street or 0, "")
    places = (street, ground.committee_name(said.committee), said.community)
    who = said.written if said.mode in BY_DOOR else "".join(places) or "全区"
    return f"{who[:40]} → {CHOICES[said.choice] if said.choice else ground.site_name(said.target)}"


def next_line(edition: CatchmentEdition) -> int:
    """Return the line for a rule that is added."""
    return int(edition.rules.aggregate(last=Max("line"))["last"] or 0) + 1


def ground_for(edition: CatchmentEdition) -> Ground:
    """Return the ground that an edition's rules speak of."""
    return ground_of(edition.district_id, targets=edition.rules.exclude(target=None).values_list("target", flat=True))


def may_edit(edition: CatchmentEdition, *, scope: Scope) -> bool:
    """Say whether the scope may change this edition now."""
    if edition.state == "published" or not scope.holds(EDIT):
        return False
    return bool(edition_seen(edition.pk, scope=scope))
