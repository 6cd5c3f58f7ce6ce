"""Templates of regions: the nearest counts, versions go forward and back, and a document says what it was made of."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from django.db import connection

from geo.errors import CityError, Conflict, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.facilities.models import Facility
from services.kernel.documents.models import Attachment, DocumentTemplate, TemplateVersion
from services.kernel.documents.queries import folders_of
from services.kernel.documents.store import path_of
from services.kernel.documents.templates.actions import (
    delete_version,
    make_document,
    publish_template,
    upload_template,
    withdraw_template,
)
from services.kernel.documents.templates.queries import kept_template, templates_kept, text_for
from tests.geo.regions.builders import drawn, published
from tests.services.kernel.documents.files import pdf, plain_of, repacked, word

Upload = Callable[[bytes], Path]
KEY = "place-sheet"
DUTIES = frozenset({"templates.edit", "facilities.view", "facilities.edit"})


def scope(*paths: str, actor: str = "keeper") -> Scope:
    return Scope(paths=paths, duties=DUTIES, actor=actor)


CITY, HUANGPU, YANGPU = scope("310000."), scope("310000.310101."), scope("310000.310110.")


def region(code: str) -> int:
    return int(RegionVersion.objects.get(edition__state="published", code=code).region_id)


def put(upload: Upload, code: str, line: str, by: Scope = CITY, *, publish: bool = True) -> TemplateVersion:
    version = upload_template(key=KEY, region_id=region(code), source=upload(word(line)), name="表.docx", scope=by)
    return publish_template(version_id=version.pk, scope=by) if publish else version


@pytest.fixture
def place(city: None) -> Facility:
    return Facility.objects.filter(
        region__versions__path__startswith="310000.310101.", region__versions__edition__state="published", status="open"
    ).first()


def said(held: Any) -> str:
    document = docx.Document(io.BytesIO(plain_of(held.path)))
    return "\n".join(one.text for one in document.paragraphs)


def test_the_nearest_region_counts(place: Facility, upload: Upload) -> None:
    assert text_for(key=KEY, region_id=place.region_id).number == 0
    put(upload, "310000", "市：{{名称}}")
    assert said(make_document(key=KEY, owner_id=str(place.pk), format="docx", scope=HUANGPU)) == f"市：{place.name}"
    put(upload, "310101", "区：{{名称}}")
    put(upload, "310110", "杨浦：{{名称}}")
    assert said(make_document(key=KEY, owner_id=str(place.pk), format="docx", scope=HUANGPU)) == f"区：{place.name}"
    street = RegionVersion.objects.get(edition__state="published", region=place.region_id).path.split(".")[2]
    put(upload, street, "街道：{{名称}}")
    put(upload, "310101", "区，未发布：{{名称}}", publish=False)
    assert said(make_document(key=KEY, owner_id=str(place.pk), format="docx", scope=HUANGPU)) == f"街道：{place.name}"
    kept = kept_template(key=KEY, region_id=region("310101"), scope=HUANGPU)
    assert [version.number for version in kept.versions] == [2, 1]
    assert (kept.now.number, kept.from_region) == (1, kept.region.name)


def test_forward_back_and_to_the_text_above(place: Facility, upload: Upload) -> None:
    first, second = put(upload, "310101", "一：{{名称}}"), put(upload, "310101", "二：{{名称}}")
    here = region("310101")
    assert text_for(key=KEY, region_id=here).number == 2
    publish_template(version_id=first.pk, scope=HUANGPU)
    publish_template(version_id=first.pk, scope=HUANGPU)
    assert text_for(key=KEY, region_id=here).number == 1
    withdraw_template(key=KEY, region_id=here, scope=HUANGPU)
    assert text_for(key=KEY, region_id=here).number == 0
    with pytest.raises(Conflict, match="没有发布过"):
        withdraw_template(key=KEY, region_id=here, scope=HUANGPU)
    acts = kept_template(key=KEY, region_id=here, scope=HUANGPU).acts
    assert [act.version_id for act in acts] == [None, first.pk, second.pk, first.pk]


def test_only_what_was_never_published_is_deleted(city: None, upload: Upload) -> None:
    here = region("310101")
    before, now = put(upload, "310101", "一：{{名称}}"), put(upload, "310101", "二：{{名称}}")
    wrong = put(upload, "310101", "错：{{名称}}", publish=False)
    assert kept_template(key=KEY, region_id=here, scope=HUANGPU).deletable == {wrong.pk}
    for version, code in ((before, "template_was_published"), (now, "template_in_force")):
        with pytest.raises(Conflict) as refused:
            delete_version(version_id=version.pk, scope=HUANGPU)
        assert refused.value.code == code
    assert delete_version(version_id=wrong.pk, scope=HUANGPU).number == 3
    with pytest.raises(NotFound):
        delete_version(version_id=wrong.pk, scope=HUANGPU)
    with pytest.raises(NotFound):
        publish_template(version_id=wrong.pk, scope=HUANGPU)
    kept = kept_template(key=KEY, region_id=here, scope=HUANGPU)
    assert ([version.number for version in kept.versions], kept.now.number) == ([2, 1], 2)
    # Withdrawn, what was published still stays; its region has the text above.
    withdraw_template(key=KEY, region_id=here, scope=HUANGPU)
    with pytest.raises(Conflict, match="发布过"):
        delete_version(version_id=now.pk, scope=HUANGPU)


def test_a_deleted_text_goes_from_the_store_unless_another_region_uses_it(
    city: None, upload: Upload, django_capture_on_commit_callbacks: Any
) -> None:
    alone = put(upload, "310101", "独：{{名称}}", publish=False)
    text = word("同：{{名称}}")
    shared, _ = (
        upload_template(key=KEY, region_id=region(code), source=upload(text), name="表.docx", scope=CITY)
        for code in ("310101", "310110")
    )
    for digest in (alone.sha256, shared.sha256):
        os.utime(path_of(digest), (0, 0))  # brought longer ago than anybody may be about to name it
    with django_capture_on_commit_callbacks(execute=True):
        for version in (alone, shared):
            delete_version(version_id=version.pk, scope=HUANGPU)
    assert not path_of(alone.sha256).exists()
    assert path_of(shared.sha256).exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (word("{{名字}}"), "template_field_unknown"),
        (word("{{ ''.__class__ }}"), "template_forbidden"),
        (word("{{名称"), "template_syntax"),
        (word("{{ 开放时间[0].没有 }}"), "template_failed"),
        (pdf(), "file_type_refused"),
        (repacked(word(), {"word/vbaProject.bin": b"x"}), "office_macro"),
        (b"", "file_empty"),
    ],
)
def test_a_text_that_would_fail_is_not_taken(city: None, upload: Upload, data: bytes, code: str) -> None:
    with pytest.raises(CityError) as refused:
        upload_template(key=KEY, region_id=region("310101"), source=upload(data), name="表", scope=HUANGPU)
    assert refused.value.code == code
    assert not TemplateVersion.objects.exists()


def test_nobody_else_keeps_a_region_s_templates(city: None, upload: Upload) -> None:
    version = put(upload, "310101", "{{名称}}", HUANGPU)
    draft = put(upload, "310101", "草：{{名称}}", HUANGPU, publish=False)
    nobody = Scope(paths=("310000.",), duties=frozenset({"facilities.view"}), actor="x")
    for other in (YANGPU, nobody, Scope.public()):
        acts: list[Callable[[], Any]] = [
            lambda other=other: put(upload, "310101", "别人：{{名称}}", other),
            lambda other=other: publish_template(version_id=version.pk, scope=other),
            lambda other=other: delete_version(version_id=draft.pk, scope=other),
            lambda other=other: withdraw_template(key=KEY, region_id=region("310101"), scope=other),
            lambda other=other: templates_kept(region_id=region("310101"), scope=other),
        ]
        for act in acts:
            with pytest.raises(Forbidden):
                act()
    # A district does not write for the city.
    with pytest.raises(Forbidden):
        put(upload, "310000", "{{名称}}", HUANGPU)
    assert DocumentTemplate.objects.get().published_id == version.pk
    assert set(TemplateVersion.objects.values_list("pk", flat=True)) == {version.pk, draft.pk}


def test_what_was_sent_can_be_answered(place: Facility, upload: Upload) -> None:
    version = put(upload, "310101", "一：{{名称}}，{{经办人}}")
    held = make_document(key=KEY, owner_id=str(place.pk), format="docx", scope=HUANGPU)
    again = make_document(key=KEY, owner_id=str(place.pk), format="docx", scope=HUANGPU)
    assert again.row.pk == held.row.pk
    made = held.row.made
    assert (made["template"], made["number"], made["region"]) == (KEY, 1, region("310101"))
    assert made["text_sha256"] == version.sha256
    put(upload, "310101", "二：{{名称}}")
    later = make_document(key=KEY, owner_id=str(place.pk), format="docx", scope=HUANGPU)
    assert later.row.made["data_sha256"] == made["data_sha256"]
    assert later.row.made["text_sha256"] != made["text_sha256"]
    assert said(held).startswith("一：")  # what was sent stays as it was
    folder = folders_of(kind="facilities", owner_id=str(place.pk), scope=HUANGPU)[-1]
    assert (folder.purpose.key, len(folder.files)) == ("document", 2)
    assert held.row.name == f"服务设施登记表－{place.name}.docx"


def test_a_document_of_a_place_elsewhere_is_not_made(place: Facility) -> None:
    with pytest.raises(Forbidden):
        make_document(key=KEY, owner_id=str(place.pk), format="pdf", scope=YANGPU)
    with pytest.raises(NotFound):
        make_document(key=KEY, owner_id="999999999", format="pdf", scope=CITY)
    with pytest.raises(NotFound):
        make_document(key="nothing", owner_id=str(place.pk), format="pdf", scope=CITY)
    assert not Attachment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_get_two_numbers(upload: Upload) -> None:
    published(drawn("AA"))
    own = region("310000")
    sources = [upload(word(f"{at}：{{{{名称}}}}")) for at in range(3)]

    def work(source: Path) -> None:
        upload_template(key=KEY, region_id=own, source=source, name="表.docx", scope=CITY)
        connection.close()

    threads = [threading.Thread(target=work, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(TemplateVersion.objects.values_list("number", flat=True)) == [1, 2, 3]
