"""A resident's data: consent with its text, everything to take away, and erasing after fifteen days, with what the law keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.utils import timezone
from pghistory.models import Event

from geo.addresses.standardising.models import Batch
from geo.errors import Conflict
from services.access.actions import create_api_key
from services.access.demo import make_demo_accounts
from services.access.models import ApiKey, AuditEntry, User, UserKind
from services.access.personal.actions import COOLING, ask_erasure, cancel_erasure, erase_due, give_consent
from services.access.personal.models import Consent, Erasure
from services.access.personal.naming import naming_models, unchanging
from services.access.personal.queries import has_consented
from services.access.personal.registry import call, parts, purposes
from services.access.signed import SIGNED
from services.access.signin.actions import IDENTITY_FIELD, bind_identity
from services.access.signin.models import ExternalIdentity
from services.crypto.actions import keep_secrets
from services.crypto.models import Secret
from services.crypto.sealing import unseal
from services.crypto.signed_rows import check_signed_rows
from services.integrations.identity.spec import Identified, Provider
from services.kernel.documents.models import Attachment
from services.kernel.forms.models import Submission
from services.kernel.messages.actions import TEXT_FIELD
from services.kernel.messages.models import Delivery, Message
from services.kernel.workflow.models import Application, Case
from tests.services.access.hidden_world import HiddenWorld

STANDING = {"sign_ins", "keys", "contact"}
"""Parts that another part of the same app erases."""
NUMBER = "310101195003070028"
DOOR = Provider("door", "suishenban", "随申办", "resident", "http://x", "http://x", "a", "s")
ModelBackend = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def resident(city: None) -> User:
    make_demo_accounts()
    user = User.objects.create_user("ssb-1", display_name="李晓梅", kind=UserKind.RESIDENT)
    give_consent(user=user, purpose="real_name", version=1)
    bind_identity(user=user, provider=DOOR, identified=Identified("u-1", "李晓梅", NUMBER, "13800000021"))
    create_api_key(user=user, name="小程序")
    Message.objects.create(
        key="k1", recipient=user, event="x", title="您的申请已受理", body="请留意", visible_from=timezone.now()
    )
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=ModelBackend)
    return client


def draft_of(user: User) -> Submission:
    from geo.regions.models import Region
    from services.kernel.forms.models import FormVersion

    version = FormVersion.objects.first()
    if version is None:
        region = Region.objects.filter(versions__code="310000").first()
        fields: dict[str, Any] = {"form": "trial", "number": 1, "region": region, "made_by": "x"}
        known = {field.name for field in FormVersion._meta.get_fields()}
        version = FormVersion.objects.create(**{name: value for name, value in fields.items() if name in known})
    row = Submission.objects.create(
        form="trial", entry="web", form_version=version, region=version.region, account=user, made_by=user.username
    )
    keep_secrets(owner=row.pk, values={"identity": NUMBER})
    return row


def everything(client: Client) -> dict[str, Any]:
    answer = client.get("/my/data/all.json")
    return dict(json.loads(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]


class TestConsent:
    def test_it_is_given_to_a_text_and_withdrawn_with_what_it_kept(self, resident: User) -> None:
        client = client_of(resident)
        page = client.get("/my/data").content.decode()
        assert purposes()["real_name"].versions[-1][:30] in page
        assert has_consented(resident, "real_name")
        client.post("/my/data/consent/real_name", {"give": "0"})
        assert not has_consented(resident, "real_name")
        assert not Secret.objects.filter(owner=resident.uid).exists()
        row = Consent.objects.get()
        assert (row.version, row.withdrawn_at is not None) == (1, True)
        acts = AuditEntry.objects.filter(actor="ssb-1").values_list("act", flat=True)
        assert {"consent_given", "consent_withdrawn"} <= set(acts)

    def test_a_text_that_changed_is_asked_for_anew(self, resident: User, monkeypatch: pytest.MonkeyPatch) -> None:
        from dataclasses import replace

        old = purposes()["real_name"]
        monkeypatch.setitem(purposes(), "real_name", replace(old, versions=(*old.versions, "新的说明。")))
        assert not has_consented(resident, "real_name")
        with pytest.raises(Conflict, match="新的说明"):
            give_consent(user=resident, purpose="real_name", version=1)
        give_consent(user=resident, purpose="real_name", version=2)
        assert has_consented(resident, "real_name")
        assert Consent.objects.filter(user=resident, withdrawn_at=None).count() == 1

    def test_an_unknown_purpose_is_unknown(self, resident: User) -> None:
        assert client_of(resident).post("/my/data/consent/other", {"give": "1"}).status_code == 404


class TestTakingAway:
    def test_everything_is_there_and_nothing_of_others(self, resident: User) -> None:
        draft_of(resident)
        other = User.objects.create_user("ssb-2", display_name="王大力", kind=UserKind.RESIDENT)
        Message.objects.create(
            key="k2", recipient=other, event="x", title="别人的消息", body="", visible_from=timezone.now()
        )
        client = client_of(resident)
        said = everything(client)
        assert set(said) == set(parts())
        assert said["account"]["内容"][0]["证件号码"] == NUMBER
        assert said["messages"]["内容"][0]["标题"] == "您的申请已受理"
        assert said["submissions"]["内容"][0]["加密内容"] == {"identity": NUMBER}
        assert "别人" not in str(said) + client.get("/my/data/all").content.decode()
        assert "王大力" not in str(said)
        assert "李晓梅" in client.get("/my/data/all").content.decode()
        assert AuditEntry.objects.filter(act="data_exported", actor="ssb-1").count() == 3

    def test_strangers_are_asked_to_sign_in(self, resident: User) -> None:
        for path in ("/my/data", "/my/data/all", "/my/data/all.json"):
            assert Client().get(path)["Location"].startswith("/sign-in")


class TestErasing:
    def test_it_waits_fifteen_days_and_then_forgets_all_but_what_the_law_keeps(self, resident: User) -> None:
        draft_of(resident)
        client = client_of(resident)
        page = client.get("/my/data").content.decode()
        assert all(part.kept in page for part in parts().values() if part.kept)
        client.post("/my/data/erase", {})
        assert not Erasure.objects.exists()  # not by one careless tap
        client.post("/my/data/erase", {"sure": "1"})
        with time_machine.travel(timezone.now() + COOLING * 0.99):
            assert erase_due() == 0
        with time_machine.travel(timezone.now() + COOLING * 1.01):
            assert erase_due() == 1
            assert erase_due() == 0
        resident.refresh_from_db()
        assert (resident.is_active, resident.display_name, resident.username.startswith("gone-")) == (False, "", True)
        assert not Secret.objects.exists()  # those of the account and of its drafts
        assert not Submission.objects.exists()
        assert not Message.objects.filter(recipient=resident).exists()
        assert not ExternalIdentity.objects.filter(user=resident).exists()
        assert not ApiKey.objects.filter(user=resident, revoked_at=None).exists()
        assert Consent.objects.filter(user=resident).exists()
        assert AuditEntry.objects.filter(act="erasure_done").exists()
        assert [finding for table in SIGNED for finding in check_signed_rows(table)[1]] == []
        assert client.get("/my/data").status_code == 302
        kept = (
            str(list(User.objects.values()))
            + str(list(Consent.objects.values()))
            + str(list(AuditEntry.objects.values()))
        )
        assert NUMBER not in kept
        assert "李晓梅" not in kept

    def test_it_is_taken_back_in_time(self, resident: User) -> None:
        client = client_of(resident)
        client.post("/my/data/erase", {"sure": "1"})
        assert "取消注销" in client.get("/my/data").content.decode()
        client.post("/my/data/erase", {"cancel": "1"})
        with time_machine.travel(timezone.now() + COOLING * 2):
            assert erase_due() == 0
        resident.refresh_from_db()
        assert resident.is_active

    def test_what_is_under_way_comes_first(self, resident: User, monkeypatch: pytest.MonkeyPatch) -> None:
        from services.kernel.workflow import personal_data

        waiting = ["您还有 1 件事项在办理。"]
        monkeypatch.setattr(personal_data, "under_way", lambda _: waiting[0])
        with pytest.raises(Conflict, match="在办理"):
            ask_erasure(user=resident)
        waiting[0] = ""
        ask_erasure(user=resident)
        waiting[0] = "又有一件。"
        with time_machine.travel(timezone.now() + COOLING * 1.01):
            assert erase_due() == 0  # it waits a day, and is not forgotten
            waiting[0] = ""
            assert erase_due() == 0
        with time_machine.travel(timezone.now() + COOLING * 1.01 + COOLING / 14):
            assert erase_due() == 1

    def test_staff_are_stopped_by_their_keepers(self, resident: User) -> None:
        with pytest.raises(Conflict, match="管理员"):
            ask_erasure(user=User.objects.get(username="qu"))

    def test_asking_twice_is_asking_once(self, resident: User) -> None:
        assert ask_erasure(user=resident) == ask_erasure(user=resident)
        cancel_erasure(user=resident)
        assert ask_erasure(user=resident).cancelled_at is None


def test_every_model_that_points_at_an_account_is_told_of_by_a_part() -> None:
    told = {label for part in parts().values() for label in part.models}
    pointing = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith(("geo.", "services.")) and not issubclass(model, Event)
        and any(field.related_model is User for field in model._meta.concrete_fields)
    }  # fmt: skip
    assert pointing - told == set(), "name them in the personal_data of their app"
    assert {apps.get_model(label)._meta.label for label in told} == told
    assert [
        part.key for part in parts().values() if not part.erases and not part.kept and part.key not in STANDING
    ] == []


def test_files_of_drafts_lists_and_names_go_with_the_account(resident: User, tmp_path: Path) -> None:
    world = HiddenWorld(tmp_path)
    mine = world.person
    drafts = [str(row.pk) for row in world.drafts]
    assert Attachment.objects.filter(owner_id__in=drafts).count() > 2
    Case.objects.filter(applicant=mine).update(closed_at=timezone.now(), state="approved")
    Batch.objects.create(actor=mine.username, name="名单.csv", rows=1, width=1, expires_at=timezone.now() + COOLING)
    name, said = mine.username, everything(client_of(mine))
    assert {row["文件"] for row in said["files"]["内容"]} == {world.rows[Attachment].name}
    assert [row["名单"] for row in said["lists"]["内容"]] == ["名单.csv"]
    assert [row["内容"] for row in said["deliveries"]["内容"]] == [world.mark(Delivery)]
    assert {row["记录"] for row in said["names"]["内容"]} >= {"填报轮次"}
    ask_erasure(user=mine)
    with time_machine.travel(timezone.now() + COOLING * 1.01):
        assert erase_due() == 1
    assert not Attachment.objects.filter(owner_id=drafts[1]).exists(), "papers of a draft are nobody's archive"
    assert Attachment.objects.filter(owner_id=drafts[0]).exists(), "what was handed in is kept with its case"
    assert not Batch.objects.filter(name="名单.csv").exists()
    assert Application.objects.filter(applicant=mine).count() == 1
    sent = Delivery.objects.get()
    assert (sent.recipient, unseal(sent.text, field=TEXT_FIELD, owner=sent.pk), sent.phone_blind) == (None, "", "")
    mine.refresh_from_db()
    left = {
        model._meta.label
        for model, columns in naming_models()
        for column in columns
        if model._base_manager.filter(**{column: name}).exists()
    }
    assert left <= unchanging(), "the name is gone where it may be"
    assert [finding for table in SIGNED for finding in check_signed_rows(table)[1]] == []


def test_every_part_can_be_read_for_an_account_that_has_nothing(resident: User) -> None:
    empty = User.objects.create_user("empty", kind=UserKind.RESIDENT)
    for part in parts().values():
        rows = list(call(part.gives, empty))
        assert len(rows) <= 1
    assert IDENTITY_FIELD not in str(everything(client_of(empty)))
