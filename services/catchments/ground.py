"""What the rules of a district may name: its streets, its committees and kindergartens, each found as people write it."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from geo.regions.models import RegionVersion
from geo.regions.queries import published_edition, versions_of
from geo.scope import Scope
from services.facilities.models import Facility, FacilityStatus

KINDERGARTEN: Final = "kindergarten"
_STREET_ENDS: Final = re.compile(r"(?<=.)(街道办事处|街道办|街道|镇人民政府|镇|乡)$")
_COMMITTEE_ENDS: Final = re.compile(
    r"(?<=.)(社区居民委员会|居民委员会|社区居委会|村民委员会|居委会|村委会|居委|村委|社区|村)$"
)
_ABOVE: Final = re.compile(r"^(上海市)?([\u4e00-\u9fff]{2,4}(?:新区|区))(?=.{2,})")


@dataclass(frozen=True, slots=True)
class Site:
    """A kindergarten as rules name it: ``street`` is the id of its street, ``fault`` why no rule may lead there."""

    id: int
    name: str
    street: int | None = None
    ownership: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """The district with its streets and committees by id of region, and its kindergartens by id.

    ``sites`` holds kindergartens elsewhere too, where rules lead to them; those have a fault.
    """

    district: int
    name: str
    streets: Mapping[int, str]
    committees: Mapping[int, tuple[str, int]]
    sites: Mapping[int, Site]
    _streets: Mapping[str, list[int]] = field(repr=False)
    _committees: Mapping[str, list[int]] = field(repr=False)
    _sites: Mapping[str, list[int]] = field(repr=False)

    def streets_named(self, text: str) -> list[int]:
        """Return the streets of that name, with or without 街道 and the district before it."""
        return list(self._streets.get(fold_street(text), ()))

    def committees_named(self, text: str, street: int | None = None) -> list[int]:
        """Return the committees of that name, of one street where it is given."""
        found = self._committees.get(fold_committee(text), ())
        exact = [each for each in found if self.committees[each][0] == text.strip()]
        return [each for each in exact or found if street in (None, self.committees[each][1])]

    def sites_named(self, text: str) -> list[int]:
        """Return the kindergartens of that name that a rule may lead to; else those it may not, for the reason."""
        found = self._sites.get(fold_site(text)) or self._sites.get(fold_site(f"{text}幼儿园"), [])
        return [each for each in found if not self.sites[each].fault] or list(found)

    def committee_name(self, region: int | None) -> str:
        """Return the name of a committee; '' for none."""
        return self.committees.get(region or 0, ("", 0))[0]

    def site_name(self, site: int | None) -> str:
        """Return the name of a kindergarten; '' for none."""
        found = self.sites.get(site or 0)
        return found.name if found else ""

    def open_sites(self) -> list[Site]:
        """Return the kindergartens that rules may lead to, by name."""
        return sorted((site for site in self.sites.values() if not site.fault), key=lambda site: (site.name, site.id))


def fold_street(text: str) -> str:
    """Return the name of a street as it is compared."""
    return _STREET_ENDS.sub("", _ABOVE.sub("", _narrow(text)))


def fold_committee(text: str) -> str:
    """Return the name of a committee as it is compared."""
    return _COMMITTEE_ENDS.sub("", _narrow(text))


def fold_site(text: str) -> str:
    """Return the name of a kindergarten as it is compared: a campus in brackets reads like one without."""
    return _ABOVE.sub("", _narrow(text))


def ground_of(district_id: int, *, targets: Iterable[int] = ()) -> Ground:
    """Return the ground of a district of the published regions; ``targets`` are kindergartens that rules lead to already."""
    below = list(_below(district_id))
    district = next((version.name for version in below if version.region_id == district_id), "")
    streets = {version.region_id: version.name for version in below if version.level == "street"}
    committees = {
        version.region_id: (version.name, version.parent_id or 0) for version in below if version.level == "committee"
    }
    inside = {version.region_id for version in below}
    street_of = {region: region for region in streets} | {region: street for region, (_, street) in committees.items()}
    sites = {
        row.pk: Site(
            row.pk, row.name, street_of.get(row.region_id or 0), str(row.attributes.get("ownership", "")),
            _fault(row, inside),
        )
        for row in _facilities(inside, set(targets))
    }  # fmt: skip
    return Ground(
        district_id, district, streets, committees, sites,
        _by_name((fold_street(name), region) for region, name in streets.items()),
        _by_name((fold_committee(name), region) for region, (name, _) in committees.items()),
        _by_name((fold_site(site.name), site.id) for site in sites.values()),
    )  # fmt: skip


def _below(district_id: int) -> Iterable[RegionVersion]:
    rows = versions_of(scope=Scope.public(), edition=published_edition())
    path = rows.filter(region_id=district_id).values_list("path", flat=True).first()
    return rows.filter(path__startswith=path) if path else rows.none()


def _facilities(inside: set[int], targets: set[int]) -> Iterable[Facility]:
    fields = ("id", "name", "region_id", "kind_id", "status", "retired_at", "attributes")
    rows = Facility.objects.only(*fields).order_by("name", "id")
    yield from rows.filter(kind=KINDERGARTEN, region__in=inside)
    if elsewhere := targets:
        yield from rows.filter(pk__in=elsewhere).exclude(kind=KINDERGARTEN, region__in=inside)


def _fault(row: Facility, inside: set[int]) -> str:
    if row.kind_id != KINDERGARTEN:
        return "不是幼儿园"
    if row.retired_at is not None:
        return "已从机构名录里撤下"
    if row.status == FacilityStatus.CLOSED:
        return "已关闭"
    return "" if row.region_id in inside else "不在本区"


def _by_name(named: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for name, key in named:
        found[name].append(key)
    return found


def _narrow(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign.isalnum())
