"""A world in 杨浦 that others must not see: one row of every kind that any app keeps, each with a telltale word of its own.

Rows are made from their models, so that what a new app keeps is hidden too, without a word here; ``MADE`` says what a model needs
beyond that. Every text of a row carries its mark, and the accounts that made it are marked as well.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Any, Final

import numpy as np
import pghistory.models
from django.apps import apps
from django.contrib.gis.db import models as gis
from django.contrib.gis.geos import MultiPolygon, Point
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from PIL import Image

from geo.addresses.models import Address, AddressConflict
from geo.addresses.standardising.models import Batch, BatchRow
from geo.addresses.upkeep.conflicts import Statement
from geo.grids import cell_at
from geo.imports.models import Refusal, Source
from geo.jobs.models import Job
from geo.regions.models import Region, RegionVersion
from layers.datasets.models import Feature
from services.access.actions import declare_roles, grant_role
from services.access.models import Organisation, User, UserKind
from services.access.queries import Caller, scope_of
from services.catchments.fairness.measuring import Figures
from services.catchments.models import RuleImportRow
from services.crypto.identifiers import new_id
from services.crypto.sealing import blind_indexes, seal
from services.facilities.models import Facility
from services.fencing.checkins.models import CheckInFacts, Visit
from services.fencing.checkins.sealing import Home, facts_from, sealed_facts, sealed_home
from services.fencing.files.models import FenceImportRow
from services.gaps import ground as gaps_ground
from services.gaps.measuring import walks_of
from services.kernel.documents.actions import attach_file
from services.kernel.documents.models import Attachment
from services.kernel.forms.actions import save_draft, submit
from services.kernel.forms.models import Submission, SubmissionRound
from services.kernel.forms.queries import form_of, papers_shown
from services.kernel.forms.versions.actions import ensure_city_version
from services.kernel.ledger.models import LedgerImport, SavedView
from services.kernel.messages.actions import TEXT_FIELD
from services.kernel.messages.models import Delivery
from services.kernel.messages.phones import PHONE_FIELD
from services.kernel.rules.deciding.sheets import starting_sheet
from services.kernel.rules.models import RuleVersion
from services.kernel.rules.registry import rule_set_named
from services.kernel.workflow.applying import begin_application, case_of_submission
from services.kernel.workflow.choosing import declared_flow
from services.kernel.workflow.models import Application, Case, CaseReview, FlowVersion, Task
from services.kernel.workflow.reviewing import Finding
from services.modules.advisers.models import SITE_KIND
from services.modules.selfreport.models import SelfReport
from services.modules.waste.models import Appointment
from tests.services.kernel.module.answering import Ground, answers_for

DISTRICT: Final = "310110"
LON, LAT = 121.5140, 31.3000
SOUGHT: Final = "隐巷托育园"
"""The part of a hidden place's name that somebody may guess and search for."""
SIGN: Final = re.compile(r"(?:暗记|anji|\\u6697\\u8bb0|%E6%9A%97%E8%AE%B0)(\d{3})", re.IGNORECASE)
OURS: Final = ("geo.", "layers.datasets.", "layers.processes.", "layers.scenes.", "services.")
PUBLIC: Final = {
    "regions": "the published division of the city",
    "roads": "the published road graph",
    "basemap": "the published ground",
    "calendars": "the days the city works",
    "crypto": "ciphertexts and digests, read by no page",
}
"""Apps whose rows are nobody's: everybody may see them, or nobody can."""
CITYWIDE: Final = {
    "access.Role": "roles are declared",
    "finder_recommending.RecommendingSwitch": "one for the city",
    "addresses.Address": "the city's standard addresses, published",
    "addresses.AddressAlias": "published with the address",
    "addresses.Community": "published with the address",
    "imports.Source": "names of published sources",
    "facilities.FacilityKind": "kinds are published",
    "facilities.CitySettings": "one for the city",
    "facilities_arranging.ArrangementVersion": "one list for the city",
    "careservice.OutsideEntry": "one for the city",
    "finder_channels.ChannelSetting": "one for the city",
    "islands.LayerSetting": "layers of a public map",
    "facilities_preloading.Preload": "of the city's public map",
    "basemaps.BaseMap": "one list for the city",
    "facilities_preloading.PreloadRun": "of the city's public map",
    "kernel_forms.FormDictionary": "the city's library, shared by all districts",
    "kernel_forms.DictionaryTerm": "the city's library, shared by all districts",
    "kernel_forms.LibraryField": "the city's library, shared by all districts",
    "kernel_forms.Certificate": "the city's library, shared by all districts",
    "kernel_forms.CertificateVersion": "the city's library, shared by all districts",
    "kernel_workflow.MatterTemplate": "the city's templates of matters, shared by all districts",
}
"""Models whose rows belong to the whole city: its staff may see them wherever they work."""
IN_DISTRICT: Final = {"kernel_knowledge.KnowledgePage": {"institution_head"}}
"""Models whose rows are for everybody of a role in the district, of whatever institution."""
OWN: Final = {
    "finder_recommending.Taste", "finder_recommending.Trace",
    "jobs.Job", "standardising.Batch", "standardising.BatchRow", "access.ApiKey", "access_signin.OpenSession",
    "access_signin.ExternalIdentity", "kernel_messages.Message", "kernel_messages.Contact", "kernel_ledger.SavedView",
    "kernel_workflow.Application", "kernel_workflow.Delegation", "access_personal.Consent", "access_personal.Erasure",
    "finder.Favourite", "facilities_upkeep.FacilityDraft", "processes.ProcessRun",
}  # fmt: skip
"""Models whose rows are one person's: a colleague of the very same district does not see them either."""
UNSEEN: Final = {
    "checkins.CheckInFace": "has no words",
    "checkins.CheckInFacts": "sealed",
    "checkins.CheckInPhoto": "has no words",
    "finder_recommending.ShownCount": "figures",
    "finder_recommending.Taste": "sealed",
    "finder_recommending.Trace": "told to whom it is of only, under a digest",
    "finder_recommending.RecommendingSwitch": "only that of the city is shown, and this one is of none",
    "addresses.AddressChange": "acts are shown by their kind, the account by its name",
    "imports.DraftRow": "counted until it is written",
    "imports.Correction": "applied, not shown",
    "access.Grant": "shown by role, region and account",
    "access_clients.ClientKey": "shown by its label",
    "access_signin.SecondStep": "a secret",
    "access_signin.RecoveryCode": "a digest",
    "access_personal.Erasure": "has no words",
    "facilities.CapacityReport": "figures",
    "gaps.GapGround": "figures",
    "gaps.GapWalk": "figures",
    "kernel_messages.EventChoice": "has no words",
    "kernel_messages.SendingRule": "has no words",
    "kernel_messages.Contact": "sealed",
    "kernel_messages.ReceiptCursor": "one for the city",
    "kernel_ledger.ImportedRow": "figures",
    "kernel_logs.Mark": "how far collecting is",
    "kernel_logs.NotedChange": "shown as a line of the log",
    "kernel_workflow.StepSetting": "has no words",
    "kernel_workflow.ReviewSetting": "has no words",
    "kernel_workflow.Watch": "has no words",
    "advisers.ElderFigures": "figures",
    "facilities_upkeep.FacilityChange": "told in the history of a place, and this one is of none",
    "facilities_upkeep.FacilityDraft": "shown by the name that was typed",
    "facilities_upkeep.MergedFacility": "leads from one place to another",
    "finder.Favourite": "shown by the place, its note is sealed",
    "finder.UseBatch": "a mark against writing twice",
    "finder.UseCount": "figures",
    "selfreport.Confirmation": "has no words",
    "selfreport.Reminder": "has no words",
    "opinions.CommentFlag": "shown by its reason",
    "standardising.BatchRow": "shown beside its line of the file",
    "access_signin.DeviceCertificate": "shown by its number",
    "addresses.AddressAudit": "figures",
    "kernel_documents.DocumentTemplate": "has no words",
    "kernel_documents.TemplateAct": "has no words",
    "kernel_forms.SubmissionRound": "the first one is the submission",
    "kernel_ledger.LedgerImport": "shown by its file, which is the run's",
    "kernel_rules.DecisionRecord": "read by trials",
    "kernel_rules.RuleEdit": "shown by its cells",
    "kernel_rules.Trial": "shown by its rows",
    "kernel_workflow.Delegation": "shown by accounts and days",
    "kernel_workflow.Feedback": "for the source of a case",
    "catchments_validating.Validation": "shown by its rows",
    "catchments_fairness.FairnessRun": "shown by its lines",
    "facilities_arranging.ArrangementVersion": "only that of the city is shown, and this one is of none",
    "facilities_preloading.PreloadRun": "figures of a run",
    "careservice.OutsideEntry": "only those of declared kinds are shown",
    "finder_channels.ChannelSetting": "only those of declared channels are shown",
    "islands.LayerSetting": "only those of declared layers are shown",
    "scenes.SceneFile": "given out below the address of its package",
    "facilities_supervision.SupervisionFacts": "published by the platform of supervision, shown with places only",
    "facilities_supervision.SupervisionPull": "figures of a run",
    "opinions.RatingReport": "figures, for the platform of supervision",
    "waste.OneMapPush": "shown by the number of its appointment",
    "fencing_following.Feed": "figures",
    "fencing_following.Reader": "a name and a number, for its platform",
    "fencing_following.Subject": "counted, never named",
    "fencing_following.Following": "shown by its platform",
    "fencing_following.FenceDelivery": "shown by its event",
}
"""Models whose rows say nothing of their own on any page, and why; all others are seen by those they belong to."""
ACTORS: Final = re.compile(r"(^|_)(by|actor|username)$")


def kinds() -> list[type[models.Model]]:
    """Return every model that keeps something of somebody or of some place."""
    return [
        model
        for model in apps.get_models()
        if model.__module__.startswith(OURS)
        and model._meta.managed
        and model._meta.app_label not in PUBLIC
        and not issubclass(model, pghistory.models.Event)
    ]


def label_of(number: int) -> str:
    """Return the model that a mark stands for."""
    return kinds()[number]._meta.label


class HiddenWorld:
    """The rows by their models, and the accounts they belong to."""

    def __init__(self, folder: Path) -> None:
        declare_roles()
        self.numbers = {model: number for number, model in enumerate(kinds())}
        self.drafts: list[Submission] = []
        self.rows: dict[type[models.Model], Any] = {}
        self.region = Region.objects.get(versions__code=DISTRICT, versions__edition__state="published")
        self.path = RegionVersion.objects.get(region=self.region, edition__state="published").path
        self.source = Source.objects.get(family="facilities", published_at__isnull=False)
        self.organisation = self.row(Organisation)
        self.clerk = self._account("clerk", "district_manager", region=self.region)
        self.head = self._account("head", "institution_head", organisation=self.organisation)
        self.person = self._account("person", "resident", person_id=9_110)
        self.rows[User] = self.person
        self.place = self.row(Facility)
        self.site = Facility.objects.create(**self._values(Facility) | {"kind_id": SITE_KIND, "ext_id": "hidden-site"})
        self._handed_in(folder)
        for model in kinds():
            self.row(model)

    def mark(self, model: type[models.Model], sign: str = "暗记") -> str:
        """Return the telltale word of a model."""
        return f"{sign}{self.numbers[model]:03d}"

    def row(self, model: type[models.Model]) -> Any:
        """Return the hidden row of a model, made now if it is not there yet."""
        if model not in self.rows:
            self.rows[model] = model._default_manager.create(**self._values(model))
        return self.rows[model]

    def kept(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that is kept of the hidden rows, to compare."""
        found = {}
        for model, row in self.rows.items():
            found[model._meta.label] = list(model._default_manager.filter(pk=row.pk).values_list())
        return found

    def _handed_in(self, folder: Path) -> None:
        """Let the person hand in an application with a paper, and begin another one; the first is a case."""
        scope = scope_of(Caller(self.person))
        for key in ("kept", "draft"):
            row = begin_application(matter="service_point", region=DISTRICT, user=self.person, scope=scope, id=new_id())
            form, mark = form_of(row), self.mark(Submission if key == "kept" else Application)
            texts = {"point_name": mark, "point_note": mark, "point_address": mark, "night": False}
            answers = answers_for(form, Ground(mark, {}, {})) | texts
            row = save_draft(submission_id=row.pk, answers=answers, seen=row.version, scope=scope).row
            for each in papers_shown(row, form):
                paper = folder / f"{key}-{each.key}.png"
                Image.new("RGB", (90, 60), (len(list(folder.iterdir())), 90, 120)).save(paper)
                held = attach_file(
                    kind="submission", owner_id=str(row.pk), purpose=each.key, source=paper,
                    name=f"{self.mark(Attachment)}.png", scope=scope,
                )  # fmt: skip
                self.rows[Attachment] = held.row
            self.drafts.append(row)
        self.handed, self.draft = self.drafts
        done = submit(submission_id=self.handed.pk, answers=None, seen=self.handed.version, scope=scope)
        assert done.checked.faults == (), done.checked.faults
        self.rows[Submission] = self.handed
        self.rows[Application] = Application.objects.get(pk=self.draft.pk)
        case = case_of_submission(self.handed.pk)
        assert case is not None
        self.rows[Case] = case
        self.rows[Task] = case.tasks.get()
        Case.objects.filter(pk=case.pk).update(title=self.mark(Case))
        Task.objects.filter(case=case).update(name=self.mark(Task))
        self.rows[SubmissionRound] = self.handed.rounds.get()

    def _account(self, name: str, role: str, **over: Any) -> User:
        mark = self.mark(User, "anji")
        user = User.objects.create_user(
            f"{mark}{name}", display_name=f"{self.mark(User)}{name}",
            kind=UserKind.RESIDENT if role == "resident" else UserKind.STAFF,
        )  # fmt: skip
        grant_role(user=user, role=role, granted_by=user.username, **over)
        return user

    def _values(self, model: type[models.Model]) -> dict[str, Any]:
        made = MADE.get(model._meta.label, {})
        values = dict(made(self) if callable(made) else made)
        for field in model._meta.concrete_fields:
            if field.name in values or field.attname in values:
                continue
            if (value := self._value(model, field)) is not models.NOT_PROVIDED:
                values[field.name] = value
        return values

    def _value(self, model: type[models.Model], field: models.Field[Any, Any]) -> Any:
        if isinstance(field, models.ForeignKey):
            return self._target(model, field)
        if field.primary_key or getattr(field, "generated", False):
            return (
                uuid.uuid4() if isinstance(field, models.UUIDField) and not field.has_default() else models.NOT_PROVIDED
            )
        if field.name in {"region_id", "organisation_id"}:
            return getattr(self, field.name.removesuffix("_id")).pk
        if isinstance(field, (models.CharField, models.TextField)) and not field.choices:
            return self._text(model, field)
        if (
            field.has_default()
            or field.null
            or getattr(field, "db_default", models.NOT_PROVIDED) is not models.NOT_PROVIDED
        ):
            return models.NOT_PROVIDED
        if field.choices:
            return field.choices[0][0]  # type: ignore[index]
        for kind, value in _PLAIN:
            if isinstance(field, kind):
                return value()
        return models.NOT_PROVIDED

    def _target(self, model: type[models.Model], field: models.ForeignKey[Any, Any]) -> Any:
        target = field.related_model
        if target is Region:
            return self.region
        if target is User:
            return self.person if field.name in {"applicant", "account", "recipient", "reporter"} else self.clerk
        if target is model or (field.null and target not in self.rows):
            return None
        if target not in self.numbers:
            found = target._default_manager.order_by("pk").first()  # type: ignore[union-attr]
            return None if field.null else found
        return self.row(target)  # type: ignore[arg-type]

    def _text(self, model: type[models.Model], field: models.Field[Any, Any]) -> str:
        if ACTORS.search(field.name):
            return str(self.clerk.username)
        plain = isinstance(field, models.SlugField) or field.unique or field.name in {"key", "code", "prefix", "app"}
        text = self.mark(model, "anji" if plain else "暗记")
        return text[: field.max_length] if field.max_length else text


_PLAIN: Final[tuple[tuple[type[models.Field[Any, Any]], Callable[[], Any]], ...]] = (
    (gis.PointField, lambda: Point(LON, LAT, srid=4490)),
    (models.DateTimeField, timezone.now),
    (models.DateField, timezone.localdate),
    (models.TimeField, lambda: dt.time(8)),
    (models.BooleanField, lambda: True),
    (models.UUIDField, uuid.uuid4),
    (models.GenericIPAddressField, lambda: "203.0.113.7"),
    (models.FloatField, lambda: 1.0),
    (models.IntegerField, lambda: 1),
    (models.JSONField, dict),
    (ArrayField, list),
)


def _rules(world: HiddenWorld) -> dict[str, Any]:
    spec = rule_set_named("advisers.staffing")
    sheet = starting_sheet(spec).data() | {
        "lines": [{"key": "a", "tests": ["-"] * 5, "results": ["3"], "note": world.mark(RuleVersion)}]
    }
    return {"rule_set": spec.key, "sheet": sheet}


def _form(world: HiddenWorld) -> dict[str, Any]:
    city = ensure_city_version(form="service-point", entry="all")
    return {"form": "service-point", "entry": "all", "composition": city.composition}


def _delivery(world: HiddenWorld) -> dict[str, Any]:
    id, phone = new_id(), "13800000021"
    return {
        "id": id, "event": "case.opened", "recipient": world.person, "phone_blind": blind_indexes(phone, field=PHONE_FIELD)[0],
        "phone": seal(phone, field=PHONE_FIELD, owner=id), "text": seal(world.mark(Delivery), field=TEXT_FIELD, owner=id),
    }  # fmt: skip


def _visit(world: HiddenWorld) -> dict[str, Any]:
    uid, begins = new_id(), timezone.now()
    home = Home(world.mark(Visit), "13800000021", world.mark(Visit), LON, LAT)
    return {
        "uid": uid, "kind": "care_subsidy", "from_at": begins, "to_at": begins + dt.timedelta(hours=1), "fence": None,
        "details": sealed_home(home, owner=uid),
    }  # fmt: skip


def _checkin_facts(world: HiddenWorld) -> dict[str, Any]:
    owner = new_id()
    return {"owner": owner, "sealed": sealed_facts(facts_from(None, world.mark(CheckInFacts)), owner=owner)[0]}


def _contact(world: HiddenWorld) -> dict[str, Any]:
    id, phone = new_id(), "13800000021"
    blind = blind_indexes(phone, field=PHONE_FIELD)[0]
    return {"id": id, "user": world.clerk, "phone": seal(phone, field=PHONE_FIELD, owner=id), "phone_blind": blind}


def _expires(world: HiddenWorld) -> dict[str, Any]:
    columns = {"address": 0, "header": True}
    head = [["地址"], [world.mark(Batch)]]
    return {
        "expires_at": timezone.now() + dt.timedelta(days=3),
        "head": head,
        "columns": columns,
        "job": world.row(Job),
    }


def _imported(world: HiddenWorld) -> dict[str, Any]:
    head = [["名称", "类型", "地址"], [world.mark(LedgerImport), "托育机构", world.mark(LedgerImport)]]
    header = {"row": 0, "columns": {"name": 0, "kind": 1, "address": 2}}
    return {
        "ledger": "facilities", "paths": [world.path], "checked_at": timezone.now(),
        "sheet": {"head": head, "width": 3, "header": header},
    }  # fmt: skip


def _statement(world: HiddenWorld, source: str) -> dict[str, Any]:
    mark, address = world.mark(AddressConflict), world.row(Address).pk
    return asdict(Statement("address", address, mark, source, LON, LAT, 20.0, world.region.pk, mark))


def _flow(world: HiddenWorld) -> dict[str, Any]:
    declared = declared_flow("service_point")
    known = {field.name for field in FlowVersion._meta.concrete_fields} - {"id", "region", "number", "state", "made_by"}
    return {name: getattr(declared, name) for name in known} | {
        "number": 7,
        "note": world.mark(FlowVersion),
        "state": "draft",
    }


def _logged(world: HiddenWorld) -> dict[str, Any]:
    from services.kernel.logs.storage import ensure_partitions

    ensure_partitions()
    return {"account": world.person.pk}


def _ground_of(world: HiddenWorld) -> gaps_ground.Ground:
    """Return a ground of one cell, where all of the hidden region live."""
    first = np.zeros(1, dtype=np.int32)
    one = np.ones(1)
    return gaps_ground.Ground(np.array([cell_at(LON, LAT)]), first, np.array([world.region.pk]), one, first, first, one)


_NAMED: Final = [{"name": "mingcheng", "title": "名称", "kind": "text", "required": False, "choices": []}]
MADE: Final[dict[str, Any]] = {
    "kernel_logs.LogLine": _logged,
    "access.Grant": lambda world: {
        "user": world.clerk,
        "role_id": "street_clerk",
        "organisation": None,
        "person_id": None,
    },
    "access.AuditEntry": {"act": "refused"},
    "access_clients.ApiClient": lambda world: {
        "networks": ["203.0.113.0/24"],
        "operations": ["institutions.read"],
        "per_day": 1,
    },
    "access_clients.ClientCall": {"outcome": "answered", "status": 200},
    "access_personal.Erasure": lambda world: {"user": world.person, "due_at": timezone.now() + dt.timedelta(days=9)},
    "access_signin.SecondStep": lambda world: {"confirmed_at": None},
    "scenes.Scene": lambda world: {"path": world.path},
    "scenes.SceneVersion": {"outline": Point(LON, LAT, srid=4490).buffer(0.002)},
    "waste.Appointment": lambda world: {"user": world.person, "amount": 12},
    "waste.OneMapPush": lambda world: {"appointment": world.row(Appointment), "edition": None},
    "advisers.Adviser": lambda world: {"site": world.site, "engaged": "full"},
    "catchments_validating.Register": {"sealed_key": ""},
    "catchments_validating.Validation": lambda world: {
        "job": None,
        "done_at": timezone.now(),
        "counts": {"none": {"no_rule": 1}},
    },
    "catchments_fairness.FairnessRun": lambda world: {
        "job": None,
        "done_at": timezone.now(),
        "totals": dict.fromkeys(Figures.__dataclass_fields__, 1),
    },
    "gaps.GapGround": lambda world: {"arrays": _ground_of(world).pack()},
    "gaps.GapWalk": lambda world: {"arrays": walks_of(_ground_of(world), np.array([60.0])).pack()},
    "catchments_validating.Verdict": {
        "outcome": "none",
        "reason": "no_rule",
        "sites": [],
        "possible": [],
        "choices": [],
    },
    "catchments.CatchmentEdition": lambda world: {"steps": ["override"]},
    "catchments.CatchmentArea": lambda world: {
        "geom": MultiPolygon(Point(LON, LAT, srid=4490).buffer(0.002), srid=4490)
    },
    "fences.Fence": lambda world: {
        "kind": "polygon",
        "definition": {},
        "hours": {},
        "from_day": None,
        "to_day": None,
        "geom": MultiPolygon(Point(LON, LAT, srid=4490).buffer(0.002), srid=4490),
    },
    "datasets.Dataset": lambda world: {
        "key": "own-anji",
        "geometry": "point",
        "path": world.path,
        "audience": "staff",
        "recipe": {},
        "retired_at": None,
        "attributes": _NAMED,
        "names": ["mingcheng"],
        "revision": 1,
    },
    "datasets.Feature": lambda world: {
        "number": 1,
        "from_revision": 1,
        "to_revision": None,
        "geom": Point(LON, LAT, srid=4490),
        "properties": {"mingcheng": world.mark(Feature)},
        "origin": "",
    },
    "datasets.DatasetAct": lambda world: {"revision": 1, "act": "add", "attributes": _NAMED, "undoes": None},
    "datasets.DatasetVersion": lambda world: {"number": 1, "revision": 1, "attributes": _NAMED},
    "datasets.DatasetImport": lambda world: {
        "id": new_id(),
        "state": "read",
        "columns": [],
        "report": {"rows": 1, "ready": 0},
        "datum": "wgs84",
        "job": None,
        "act": None,
    },
    "fencing_files.FenceImport": lambda world: {
        "system": "wgs84",
        "guessed": "wgs84",
        "likely": "",
        "written_at": None,
    },
    "fencing_files.FenceImportRow": lambda world: {
        "cells": {"name": world.mark(FenceImportRow)},
        "kind": "polygon",
        "geom": None,
        "before": None,
    },
    "catchments.RuleImportRow": lambda world: {"cells": {"target": world.mark(RuleImportRow)}},
    "advisers.StaffingAlert": lambda world: {"site": world.site, "state": "open", "cleared_at": None},
    "advisers.WorkRecord": lambda world: {"site": world.site},
    "checkins.Visit": _visit,
    "checkins.CheckIn": {"verdict": "suspect", "hint": "mock", "hints": ["mock"]},
    "checkins.CheckInFacts": _checkin_facts,
    "facilities.Facility": lambda world: {
        "kind_id": "nursery",
        "source": world.source,
        "organisation": world.organisation,
        "name": f"{world.mark(Facility)}{SOUGHT}",
        "cell": cell_at(LON, LAT),
        "status": "preparing",
    },
    "addresses.AddressAudit": lambda world: {"path": world.path, "ended_at": timezone.now()},
    "addresses.AddressChange": lambda world: {
        "act": "alias",
        "addresses": [world.row(Address).pk],
        "before": {},
        "after": {},
        "corrections": [],
    },
    "addresses.AddressConflict": lambda world: {
        "kind": "apart",
        "facts": {"statements": [_statement(world, "a"), _statement(world, "b")]},
        "metres": 90.0,
        "seen_at": timezone.now(),
    },
    "selfreport.SelfReport": lambda world: {
        "kind": "nursery",
        "phone": "138****0021",
        "state": "submitted",
        "expires_at": timezone.now() + dt.timedelta(days=9),
        "tries_left": 8,
        "answers": {"phone": world.mark(SelfReport)},
    },
    "imports.Refusal": lambda world: {
        "run": world.row(LedgerImport).run,
        "row": 1,
        "raw": {"cells": {"name": world.mark(Refusal)}, "faults": [["name", "name_bad", world.mark(Refusal)]]},
    },
    "imports.Source": {"family": "facilities"},
    "standardising.BatchRow": lambda world: {"status": "matched", "answer": dumps({"w": world.mark(BatchRow)})},
    "kernel_ledger.ImportedRow": {"fate": "added"},
    "kernel_rules.RuleEdit": lambda world: {"version": world.row(RuleVersion), "revision": 1},
    "kernel_workflow.CaseReview": lambda world: {
        "number": 9,
        "verdict": "pass",
        "findings": [asdict(Finding("truth", "pass", world.mark(CaseReview)))],
    },
    "kernel_workflow.Watch": lambda world: {"user": world.clerk},
    "jobs.Job": lambda world: {"kind": "flows.move", "state": "done", "result": {"note": world.mark(Job)}},
    "kernel_documents.DocumentTemplate": {"key": "place-sheet"},
    "kernel_forms.FormVersion": _form,
    "kernel_ledger.LedgerImport": _imported,
    "kernel_ledger.SavedView": lambda world: {"ledger": "facilities", "query": f"q={world.mark(SavedView)}"},
    "kernel_messages.Contact": _contact,
    "kernel_messages.Delivery": _delivery,
    "kernel_messages.EventChoice": {"event": "case.opened"},
    "kernel_messages.Message": lambda world: {"recipient": world.clerk},
    "kernel_messages.TemplateVersion": {"event": "case.opened", "channel": "in_app"},
    "kernel_notices.Notice": {"state": "draft"},
    "kernel_rules.RuleVersion": _rules,
    "kernel_rules.DecisionRecord": {"rule_set": "advisers.staffing"},
    "kernel_rules.RuleFault": {"rule_set": "advisers.staffing"},
    "kernel_rules.Trial": lambda world: {"sheet": _rules(world)["sheet"], "source": "cases", "job": world.row(Job)},
    "kernel_workflow.Delegation": lambda world: {"giver": world.clerk, "taker": world.head, "matter": ""},
    "kernel_workflow.FlowVersion": _flow,
    "kernel_workflow.MatterSetting": {"matter": "service_point"},
    "kernel_workflow.ReviewSetting": {"matter": "service_point"},
    "kernel_workflow.StepSetting": {"matter": "service_point", "step": "street"},
    "standardising.Batch": _expires,
    "processes.ProcessRun": lambda world: {
        "process": "export",
        "layer": "places",
        "inputs": {"layer": "places", "format": "gpkg"},
        "expires_at": timezone.now() + dt.timedelta(days=3),
        "job": world.row(Job),
    },
}
