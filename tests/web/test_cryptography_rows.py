"""What the two systems ask of cryptography as a whole: who signs in, what rights say, what travels and what is kept."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from PIL import Image

from layers.scenes.models import Scene
from services.access.transport.letters import Letter
from services.crypto.models import Secret
from services.integrations.gateway.simulator import Simulator
from services.kernel.documents.models import Attachment
from services.kernel.workflow.models import CaseEvent
from tests.services.access.certificates.handset import Handset
from tests.services.integrations.gateway.conftest import gateway
from tests.services.kernel.workflow.conftest import World, clock, world
from tests.services.modules.advisers.conftest import World as Advisers
from tests.web.test_cases import ANSWERS
from tests.web.test_sealed_transport import FORM, Phones, hand_in, page, phone_of, writings

__all__ = ["clock", "gateway", "phone_of", "world"]
IDENTITY, TELEPHONE = ANSWERS["contact_identity"], ANSWERS["contact_phone"]


def found(capsys: Any, *parts: str) -> list[str]:
    """Run the command that verifies, and return what it found; its exit code must agree."""
    code = 0
    try:
        call_command("verify", "--json", *parts)
    except SystemExit as end:
        code = int(str(end.code))
    told = json.loads(capsys.readouterr().out)
    assert code == (0 if told["good"] else 1)
    return [finding["text"] for section in told["sections"] for finding in section["findings"]]


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def opened(phone: Handset) -> dict[str, int]:
    """Ask for the ledger of a street's cases and for the accounts of the house, and return how each is answered."""
    return {path: phone.ask("GET", path)[0] for path in ("/desk/ledgers/cases", "/desk/accounts")}


def stolen() -> str:
    """Return every row of the tables of people, forms, files and cases, as who stole the database reads them."""
    told = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename ~ '^(access|crypto|forms|documents|workflow|kernel|django)_'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{name}" AS t')
            told += [row for (row,) in cursor.fetchall()]
    return "\n".join(told)


def send_photo(phone: Handset, place: int) -> tuple[Attachment, bytes]:
    """Send a photograph of a place, sealed, and return its row and its bytes."""
    photo = BytesIO()
    Image.effect_noise((300, 300), 100).convert("RGB").save(photo, "PNG")
    edge = "b0undary"
    parts = {"kind": "facilities", "owner_id": str(place), "purpose": "photo"}
    head = "".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in parts.items()
    )
    head += (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    body = head.encode() + photo.getvalue() + f"\r\n--{edge}--\r\n".encode()
    status, _, _ = phone.ask("POST", "/desk/files/upload", body, content_type=f"multipart/form-data; boundary={edge}")
    assert status == 302
    return Attachment.objects.latest("uploaded_at"), photo.getvalue()


@pytest.mark.covers("ELD-NFR-07", "CIV-NFR-08", via="services.access.signin.certificates:judge")
def test_people_rights_and_data_are_true_secret_and_whole_by_cryptography(
    world: World, gateway: Simulator, phone_of: Phones, settings: Any, tmp_path: Path, capsys: Any
) -> None:
    settings.MEDIA_ROOT, settings.SCANNER = tmp_path / "media", ""
    Scene.objects.all().delete()  # their files lie where the city was made
    # 登录用户身份鉴别: the key of the certificate proves who signs in; who has all but that key is nobody
    parent, clerk = phone_of(world.zhang), phone_of(world.wang)
    assert parent.inside()
    assert "zhang" in parent.client.get("/account").content.decode()
    thief = Handset(gateway)
    thief.container.certificate = parent.container.certificate
    assert thief.sign_in().json()["code"] == "certificate_signature_wrong"
    assert not thief.inside()

    # 访问控制信息的完整性: a right that was written into the table opens nothing, and the check says whose it is
    assert found(capsys, "rights", "accounts") == []
    grant = world.wang.grants.get()
    assert opened(clerk) == {"/desk/ledgers/cases": 200, "/desk/accounts": 403}
    sql("UPDATE access_grant SET role_id = 'city_manager' WHERE id = %s", grant.pk)
    assert opened(clerk) == {"/desk/ledgers/cases": 403, "/desk/accounts": 403}
    assert found(capsys, "rights") == ["授权“wang city_manager”与签名不符，可能被绕过系统改动"]
    sql("UPDATE access_grant SET role_id = 'street_clerk' WHERE id = %s", grant.pk)
    assert opened(clerk) == {"/desk/ledgers/cases": 200, "/desk/accounts": 403}
    assert found(capsys, "rights") == []

    # 传输: an application with somebody's number and a photograph go over the wire unread and unchanged, or not at all
    case = hand_in(parent)
    advisers = Advisers()
    keeper = phone_of(advisers.clerk)
    row, photo = send_photo(keeper, advisers.site.pk)
    assert IDENTITY in page(parent, f"/my/cases/{case.uid}")
    wire = b"\n".join(body for each in (parent, keeper) for body in (*each.sent, *each.received))
    assert [word for word in (IDENTITY, TELEPHONE) for written in writings(word) if written in wire] == []
    assert photo[1000:1100] not in wire
    told = CaseEvent.objects.count()
    asked = urlencode({"key": str(uuid4()), "version": case.version, "text": "改过的话"}).encode()
    headers, sealed = clerk.seal(Letter("POST", f"/desk/cases/{case.uid}/watch", {"content-type": FORM}, asked))
    altered = clerk.wire(headers, sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    assert (altered.status_code, altered.json()["code"], CaseEvent.objects.count()) == (409, "sealed_tampered", told)
    plain = parent.client.get(f"/my/cases/{case.uid}")
    assert (plain.status_code, plain.json()["code"]) == (403, "sealing_required")

    # 存储: neither the database nor the disk says what it is, and both come back whole to whom they are for
    dump = stolen()
    assert "小南门服务点" in dump, "the tables of forms are read"
    assert [word for word in (IDENTITY, TELEPHONE) if word in dump] == []
    assert keeper.ask("GET", f"/files/{row.pk}/content?inline")[2] == photo
    lying = [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
    assert [path for path in lying if photo[1000:1100] in path.read_bytes() or b"PNG" in path.read_bytes()] == []
    assert found(capsys, "secrets", "files", "--all") == []

    # what is altered where it lies is not given out, and the check names it
    secret = Secret.objects.get(field="contact_identity")
    at = len(secret.ciphertext) // 2
    other = secret.ciphertext[:at] + ("A" if secret.ciphertext[at] != "A" else "B") + secret.ciphertext[at + 1 :]
    sql("UPDATE crypto_secret SET ciphertext = %s WHERE id = %s", other, secret.pk)
    refused, _, shown = parent.ask("GET", f"/my/cases/{case.uid}")
    assert (refused, IDENTITY in shown.decode()) == (409, False)
    (named,) = found(capsys, "secrets", "--all")
    assert f"加密内容 {secret.pk} 打不开" in named
    (kept,) = [path for path in lying if path.stat().st_size >= len(photo)]
    sealed = kept.read_bytes()
    kept.write_bytes(sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    assert keeper.ask("GET", f"/files/{row.pk}/content?inline")[0] == 409
    (named,) = found(capsys, "files", "--all")
    assert kept.name in named
