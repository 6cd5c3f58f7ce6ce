"""The ways through the house for the walk of scopes: every route, its parameters filled with what is hidden, and who walks."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from geo.addresses.models import Address, AddressChange, AddressConflict
from geo.addresses.standardising.models import Batch
from geo.fences.models import FenceEdition
from geo.jobs.models import Job
from geo.regions.models import Region
from layers.datasets.models import Dataset, DatasetImport
from layers.processes.models import ProcessRun
from layers.scenes.models import Scene, ScenePackage
from services.access.actions import grant_role
from services.access.clients.models import ApiClient, ClientKey
from services.access.models import ApiKey, Organisation, User, UserKind
from services.access.signin.models import OpenSession
from services.basemaps.models import BaseMap
from services.catchments.fairness.models import FairnessRun
from services.catchments.models import CatchmentEdition, EditionChange, RuleImport
from services.catchments.validating.models import Validation
from services.facilities.models import FacilityKind
from services.facilities.upkeep.models import FacilityChange, FacilityDraft
from services.fencing.checkins.models import CheckIn, Visit
from services.fencing.files.models import FenceImport
from services.kernel.documents.models import Attachment, TemplateVersion
from services.kernel.forms.models import Certificate, FormDictionary, FormVersion, LibraryField
from services.kernel.ledger.models import LedgerImport, SavedView
from services.kernel.ledger.registry import ledgers
from services.kernel.logs.models import Alert, AlertRule, LogLine
from services.kernel.messages.knowledge.models import KnowledgePage
from services.kernel.messages.models import Delivery, Message
from services.kernel.messages.notices.models import Notice
from services.kernel.rules.models import RuleVersion, Trial
from services.kernel.workflow.models import Case, FlowVersion, MatterTemplate
from services.modules.finder.models import PlaceReport
from services.modules.selfreport.links import token_of
from services.modules.selfreport.models import SelfReport
from services.modules.waste.models import Appointment, OneMapPush
from tests.services.access.hidden_world import HiddenWorld

PARAMETER: Final = re.compile(r"<(?:(\w+):)?(\w+)>|{(\w+)}")
HOME: Final = "310101"
"""The district of those who walk and belong to another one."""


def routes() -> Iterator[str]:
    """Yield the pattern of every route of the house."""

    def walk(resolver: URLResolver, root: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            pattern = root + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, pattern)
            elif isinstance(entry, URLPattern):
                yield pattern.replace("^", "").replace("$", "")

    yield from dict.fromkeys(walk(get_resolver(), "/"))


def samples(world: HiddenWorld) -> dict[str, dict[str, str]]:
    """Return what stands for each parameter, by the beginning of the route; the longest beginning that names it counts.

    What is hidden stands for it where there is something, and else something that is declared. A parameter such as ``undo_id``
    needs no word here: it is the row of the model of that name.
    """

    def key(model: Any) -> str:
        return str(world.rows[model].pk)

    rule = {"version_id": key(RuleVersion), "trial_id": key(Trial), "key": "advisers.staffing"}
    form = {"version_id": key(FormVersion), "other_id": key(FormVersion), "submission_id": str(world.handed.pk)}
    step = {"matter": "service_point", "step": "street", "code": world.rows[MatterTemplate].code}
    return {
        "/": {f"{model.__name__.lower()}_id": str(row.pk) for model, row in world.rows.items()}
        | {
            "place_id": str(world.place.pk), "institution_id": str(world.place.pk), "facility_id": str(world.place.pk),
            "batch_id": key(Batch), "address_id": key(Address), "change_id": key(AddressChange),
            "conflict_id": key(AddressConflict), "message_id": key(Message), "delivery_id": key(Delivery),
            "notice_id": key(Notice), "page_id": key(KnowledgePage), "import_id": key(LedgerImport),
            "file_id": key(Attachment), "view_id": key(SavedView), "username": world.clerk.username, "job_id": key(Job),
            "app": world.rows[ApiClient].app, "label": world.rows[ClientKey].label, "prefix": world.rows[ApiKey].prefix,
            "number": "1", "page": "1", "x": "13719", "y": "6688", "z": "14", "act": "stop", "event": "case.opened",
            "channel": "in_app", "form": "service-point", "entry": "all", "purpose": "real_name", "name": "light",
        },
        "/plan": {"edition_id": key(CatchmentEdition), "import_id": key(RuleImport), "change_id": key(EditionChange)},
        "/exports": {"run_id": key(ProcessRun)},
        "/api/v1/exports": {"run_id": key(ProcessRun)},
        "/layers": {"key": "places"},
        "/api/v1/layers": {"key": "places"},
        "/desk/layers": {"key": world.rows[Dataset].key, "revision": "1", "import_id": key(DatasetImport)},
        "/scenes": {"key": world.rows[Scene].key, "digest": world.rows[ScenePackage].digest[:16], "path": "model.glb"},
        "/desk/scenes": {"key": world.rows[Scene].key},
        "/twin": {"key": world.rows[Scene].key},
        "/ogc/processes": {"key": "buffer"},
        "/ogc/jobs": {"run_id": key(ProcessRun), "name": "result"},
        "/ogc/crs": {"key": "shanghai2000"},
        "/ogc/collections": {"key": "places", "feature": "1", "scheme": "WebMercatorQuad"},
        "/ogc/tileMatrixSets": {"scheme": "WebMercatorQuad"},
        "/desk/preloads/archives": {"key": "places"},
        "/plan/validations": {"run_id": key(Validation), "ending": "csv"},
        "/plan/fairness": {"run_id": key(FairnessRun), "name": "sites.csv"},
        "/plan/analysis": {"run_id": key(ProcessRun)},
        "/plan/fences": {"edition_id": key(FenceEdition), "import_id": key(FenceImport)},
        "/api/v1/fences": {"edition_id": key(FenceEdition)},
        "/enrol": {"edition_id": key(CatchmentEdition)},
        "/tiles": {"key": "places", "keys": "places,green", "scheme_id": "CGCS2000Quad"},
        "/functions": {"key": "geocode"},
        "/desk/islands": {"key": "guesthouses"},
        "/pins": {"theme": "dark", "name": "drop-1-tent"},
        "/basemaps": {"key": world.rows[BaseMap].key},
        "/desk/basemaps": {"pk": key(BaseMap)},
        "/desk/modules": {"key": "advisers"},
        "/desk/kinds": {"key": key(FacilityKind)},
        "/c/": {"code": "ssb"},
        "/desk/channels": {"key": "paper"},
        "/desk/places": {"draft_id": key(FacilityDraft), "change_id": key(FacilityChange)},
        "/desk/templates": {"key": "place-sheet", "version_id": key(TemplateVersion)},
        "/desk/files": {"kind": "facilities", "owner_id": str(world.place.pk)},
        "/desk/rules": rule,
        "/desk/cases": {"uid": str(world.rows[Case].uid), "pk": key(Case), "act": "take"},
        "/my/cases": {"uid": str(world.rows[Case].uid), "act": "withdraw", "matter": "service_point"},
        "/my/recommending": {"side": "elder"},
        "/my/visits": {"uid": str(world.rows[Visit].uid)},
        "/desk/visits": {"number": world.rows[Visit].number},
        "/desk/checkins": {"pk": key(CheckIn)},
        "/waste": {"uid": str(world.rows[Appointment].uid)},
        "/desk/waste": {"pk": key(Appointment)},
        "/desk/onemap": {"pk": key(OneMapPush)},
        "/desk/matters": step,
        "/desk/flows": {"version_id": key(FlowVersion), "act": "publish", "matter": "service_point"},
        "/forms": form | {"key": "service-point"},
        "/desk/forms": form | {"key": "service-point"},
        "/desk/forms/library/fields": {"key": world.rows[LibraryField].key},
        "/desk/forms/library/dictionaries": {"key": world.rows[FormDictionary].key},
        "/desk/forms/certificates": {"code": world.rows[Certificate].code},
        "/desk/forms/versions/": {"key": "point_name"},
        "/desk/accounts": {"act": "reset"},
        "/desk/place-reports": {"report_id": key(PlaceReport)},
        "/desk/self-reports": {"report_id": key(SelfReport), "act": "approve"},
        # the link itself is a key: who walks here guessed its signature
        "/fill": {"token": token_of(world.rows[SelfReport])[:-4] + "AAAA", "photo_id": key(Attachment)},
        "/desk/finder": {"kinds": "eldercare", "entry": "web"},
        "/watch": {"theme": "elder"},
        "/watch/areas": {"key": "childcare"},
        "/api/v1/heat": {"fact": "places"},
        "/watch/heat": {"key": "places"},
        "/desk/logs": {"pk": key(LogLine)},
        "/desk/logs/alerts": {"pk": key(Alert)},
        "/desk/logs/rules": {"pk": key(AlertRule)},
        "/sign-in": {"key": "door"},
        "/account": {"key": "door", "uid": str(world.rows[OpenSession].pk)},
    }  # fmt: skip


def paths_of(pattern: str, world: HiddenWorld, known: dict[str, dict[str, str]]) -> list[str]:
    """Return a route with its parameters filled; those of a ledger once for every ledger. Refuses a parameter nobody named."""
    if pattern.startswith("/desk/ledgers/<slug:key>"):
        filled = []
        for key, spec in ledgers().items():
            row = next((row for model, row in world.rows.items() if model._meta.label == spec.model), world.site)
            filled.append(pattern.replace("<slug:key>", key).replace("<int:pk>", str(row.pk)))
        return filled
    naming = sorted((start for start in known if pattern.startswith(start)), key=len)
    values = {name: value for start in naming for name, value in known[start].items()}
    if pattern.startswith("/desk/files/of"):
        owners = (("facilities", world.place.pk), ("submission", world.handed.pk), ("cases", world.rows[Case].pk))
        return [f"/desk/files/of/{kind}/{pk}" for kind, pk in owners]

    def sample(found: re.Match[str]) -> str:
        name = found[2] or found[3]
        assert name in values, f"name in samples() what stands for {name} of {pattern}"
        return values[name]

    first = PARAMETER.sub(sample, pattern)
    if pattern.startswith("/forms/fill/"):
        return [first, first.replace(str(world.handed.pk), str(world.draft.pk))]
    return [first]


def walkers(world: HiddenWorld) -> dict[str, Client]:
    """Return the browsers of everybody from whom the world is hidden: every role of another district, another institution
    and another person of the very district, and nobody."""
    home = Region.objects.get(versions__code=HOME, versions__edition__state="published")
    other = Organisation.objects.create(name="另一家机构", region=world.region)
    found = {"": Client(raise_request_exception=False)}
    for role in ("city_manager", "district_manager", "street_clerk", "planner", "intake_clerk"):
        found[role] = signed_in(f"far-{role}", role, region=home)
    found["institution_head"] = signed_in("other-head", "institution_head", organisation=other)
    found["resident"] = signed_in("other-person", "resident", person_id=9_111)
    return found


def signed_in(name: str, role: str, **over: Any) -> Client:
    """Return the browser of a new account with one role."""
    kind = UserKind.RESIDENT if role == "resident" else UserKind.STAFF
    user = User.objects.create_user(name, kind=kind)
    grant_role(user=user, role=role, granted_by="test", **over)
    return browser(user)


def browser(user: User) -> Client:
    """Return the browser of an account."""
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def said(answer: Any) -> str:
    """Return all that an answer says, the sheets of a workbook as well."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = b"".join(packed.read(name) for name in packed.namelist())
    return str(content.decode(errors="ignore")) + str(dict(answer.headers))


class Form(NamedTuple):
    """A form as a page offers it: where it goes, and what it carries."""

    action: str
    fields: dict[str, list[str]]


class _Forms(HTMLParser):
    """Reads the forms of a page that write something."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.forms, self.form, self.choosing = path, [], None, ""  # type: ignore[var-annotated]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            writes = given.get("method", "").lower() == "post"
            self.form = Form(urljoin(self.path, given.get("action", "")), {}) if writes else None
            if self.form:
                self.forms.append(self.form)
        elif self.form and (name := given.get("name")) and name != "csrfmiddlewaretoken":
            kept = self.form.fields.setdefault(name, [])
            if tag == "select":
                self.choosing = name
            elif tag == "textarea":
                kept.append("x")
            elif given.get("type") not in {"checkbox", "radio"} or "checked" in given or not kept:
                kept.append(given.get("value") or "x")
        elif (
            self.form
            and tag == "option"
            and self.choosing
            and ("selected" in given or not self.form.fields[self.choosing])
        ):
            self.form.fields[self.choosing] = [given.get("value", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        if tag == "select":
            self.choosing = ""


def forms_of(path: str, page: str) -> list[Form]:
    """Return the forms of a page that write something, with what they carry as it was served."""
    reader = _Forms(path)
    reader.feed(page)
    return reader.forms
