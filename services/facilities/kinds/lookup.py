"""What everybody asks of kinds: one by its key, those of a group, those that words name. Always the kinds as they stand now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geo.errors import BadInput
from services.facilities.kinds.current import current_book, look_for_more
from services.facilities.kinds.declared import GROUPS, Attribute, Kind


class UnknownKind(BadInput):
    """A word of ``kinds=`` is neither a kind nor a group."""

    def __init__(self, word: str) -> None:
        shown = word[:40]
        super().__init__(
            "kind_unknown",
            f"没有“{shown}”这个类别。可用的类别列在 known 里，例如 childcare（托育）、eldercare（养老）、nursery（托育机构）。",
            kind=shown,
            known=list(current_book().words),
        )


def known_kind(key: str) -> Kind | None:
    """Return the kind of a key, retired or not; ``None`` when there is none. One that just came is found."""
    return current_book().by_key.get(key) or look_for_more().by_key.get(key)


def kind_of(key: str) -> Kind:
    """Return the kind of a facility; for a key of the past, which only histories and old lists hold, one called 其他."""
    return known_kind(key) or Kind(key, "", "其他", "map-pin")


def all_kinds() -> tuple[Kind, ...]:
    """Return the kinds that are offered, in the order people see."""
    return current_book().offered


def every_kind() -> tuple[Kind, ...]:
    """Return all kinds with those retired, whose places are still there."""
    return current_book().every


def kinds_of_group(group: str) -> tuple[Kind, ...]:
    """Return the kinds that are offered in a group, in order."""
    return tuple(kind for kind in all_kinds() if kind.group == group)


def filterable_attributes() -> Mapping[str, Attribute]:
    """Return by key the attributes a list may be narrowed by; the bounds of age are asked for through ``age_months``."""
    return current_book().filterable


def kind_choices() -> tuple[tuple[str, str], ...]:
    """Return key and name of every kind, for lists that hold places of retired ones too."""
    return tuple((kind.key, f"{kind.name}（已停用）" if kind.retired else kind.name) for kind in every_kind())


def offered_kind_choices() -> tuple[tuple[str, str], ...]:
    """Return key and name of the kinds a new place may be of."""
    return tuple((kind.key, kind.name) for kind in all_kinds())


def kinds_named(words: str | Iterable[str]) -> tuple[str, ...]:
    """Return the keys of the kinds that words name, groups spelled out, in order and each once.

    ``words`` is a comma-separated text or several words. Only its own key names a retired kind. Nothing named gives nothing.
    Raises ``UnknownKind``.
    """
    if isinstance(words, str):
        words = words.replace("，", ",").split(",")
    wanted: set[str] = set()
    for word in (word.strip() for word in words):
        if not word:
            continue
        members = {kind.key for kind in kinds_of_group(word)} if word in GROUPS else set()
        if not members:
            kind = known_kind(word)
            if kind is None:
                raise UnknownKind(word)
            members = {kind.key}
        wanted |= members
    return tuple(kind.key for kind in every_kind() if kind.key in wanted)


def spoken_kinds(keys: Iterable[str]) -> str:
    """Return how people would name a choice of kinds: 托育 for the whole group, else the kinds' own names, “服务设施” for all."""
    chosen = set(keys)
    if not chosen or chosen >= {kind.key for kind in all_kinds()}:
        return "服务设施"
    names = []
    for group, group_name in GROUPS.items():
        members = [kind for kind in every_kind() if kind.group == group and kind.key in chosen]
        if members and {kind.key for kind in members} == {kind.key for kind in kinds_of_group(group)}:
            names.append(group_name)
        else:
            names += [kind.name for kind in members]
    return "、".join(names) if len(names) <= 3 else f"{'、'.join(names[:2])}等{len(names)}类服务"
