"""The pages of cases without a browser: a case from the applicant to its end, the inbox, many at once, the pool, who is let in."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from services.access.models import User
from services.kernel.forms.models import Submission
from services.kernel.workflow.models import Case, Task
from tests.services.kernel.workflow.conftest import STREET, World, clock, code_of, world

__all__ = ["clock", "world"]


def client(user: User) -> Client:
    made = Client()
    made.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return made


def text(response: Any) -> str:
    return str(response.content.decode())


def do(user: User, case: Case, act: str, *, door: str = "desk", **more: str) -> Any:
    """Do an act as a page would, with the version it shows and a key of its own."""
    case.refresh_from_db()
    typed = {"key": str(uuid4()), "version": str(case.version)} | more
    answer = client(user).post(f"/{door}/cases/{case.uid}/{act}", typed, follow=True)
    case.refresh_from_db()
    return answer


ANSWERS: dict[str, Any] = {
    "point_name": "小南门服务点", "point_services": ["meal"], "point_address": "复兴东路 1 号", "area": "50",
    "contact_name": "张三", "contact_identity": "310101199001010012", "contact_phone": "13800000000",
}  # fmt: skip


def begin(page: Client, **more: str) -> Any:
    """Begin an application as the page does, and return the answer."""
    form = {"region": code_of(STREET), "key": str(uuid4())} | more
    return page.post("/my/cases/new/service_point", form)


def hand_in(page: Client, at: str, **answers: Any) -> Any:
    """Fill a form in and hand it in, following to where that leads."""
    row = Submission.objects.get(pk=at.rstrip("/").split("/")[-1])
    page.post(at, ANSWERS | answers | {"seen": row.version, "act": "preview"})
    row.refresh_from_db()
    return page.post(f"{at}/preview", {"seen": row.version}, follow=True)


def apply(
    world: World, *, area: str = "50", title: str = "小南门服务点", note: str = "", by: User | None = None, **more: str
) -> Case:
    page = client(by or world.zhang)
    answer = hand_in(page, begin(page, **more)["Location"], point_name=title, area=area, point_note=note)
    assert "已提交，办件编号" in text(answer)
    return Case.objects.latest("pk")


def test_from_application_to_approval(world: World) -> None:
    case = apply(world)
    page = text(client(world.zhang).get(f"/my/cases/{case.uid}"))
    assert case.number in page
    assert "撤回申请" in page
    inbox = text(client(world.wang).get("/desk/cases"))
    assert case.title in inbox
    assert "还有 5 个工作日" in inbox
    page = text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    assert "街镇审核" in page
    assert "撤回申请" not in text(client(world.zhang).get(f"/my/cases/{case.uid}"))  # it was opened
    # a refusal without an opinion is told, and what was typed stays
    answer = do(world.wang, case, "decide", outcome="refuse", opinion=" ")
    assert answer.status_code == 400
    assert "请写下“不通过”的意见" in text(answer)
    assert re.search(r'value="refuse" required checked', text(answer))
    do(world.wang, case, "decide", outcome="approve", opinion="材料齐全")
    do(world.qu, case, "return", step="street", opinion="地址写错")
    assert "地址写错" in text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    do(world.wang, case, "ask_supplement", items="租赁合同\n平面图", opinion="请补两份材料")
    page = text(client(world.zhang).get(f"/my/cases/{case.uid}"))
    assert "租赁合同" in page
    do(world.zhang, case, "supplement", door="my", opinion="已传")
    do(world.wang, case, "decide", outcome="approve", opinion="已改")
    do(world.qu, case, "decide", outcome="approve")
    do(world.qu, case, "decide", outcome="approve", opinion="同意登记")
    assert case.state == "approved"
    trail = text(client(world.zhang).get(f"/my/cases/{case.uid}"))
    for said in ("材料齐全", "地址写错", "请补两份材料", "同意登记"):
        assert said in trail
    assert "wang" not in trail  # applicants are not told who it was


def test_many_at_once_and_double_clicks(world: World) -> None:
    cases = [apply(world, title=f"服务点{n}") for n in range(3)]
    page, key = client(world.wang), str(uuid4())
    ids = [str(task.pk) for task in Task.objects.order_by("pk")]
    answer = page.post("/desk/cases/bulk", {"act": "claim", "id": ids, "key": key}, follow=True)
    assert "已签收 3 个任务" in text(answer)
    assert Task.objects.filter(assignee=world.wang).count() == 3
    answer = client(world.li).post("/desk/cases/bulk", {"act": "claim", "id": ids, "key": str(uuid4())}, follow=True)
    assert "您现在不能签收" in text(answer)
    key = str(uuid4())
    for _ in range(2):
        page.post("/desk/cases/bulk", {"act": "approve", "id": ids, "key": key, "opinion": "批量通过"})
    assert [case.events.filter(act="decide").count() for case in cases] == [1, 1, 1]
    answer = page.post("/desk/cases/bulk", {"act": "approve", "key": key}, follow=True)
    assert "请先选中" in text(answer)
    done = text(page.get("/desk/cases?box=done"))
    assert all(case.title in done for case in cases)


def test_a_dispatcher_sees_the_pool_and_gives_out_work(world: World) -> None:
    case = apply(world)
    task = Task.objects.get()
    assert client(world.wang).get("/desk/cases/pool").status_code == 403
    page = text(client(world.qu).get("/desk/cases/pool"))
    assert case.title in page
    assert "经办人员" in page
    answer = client(world.qu).post(
        "/desk/cases/bulk",
        {"act": "assign", "id": [task.pk], "to": world.li.pk, "key": str(uuid4()), "from": "pool"},
        follow=True,
    )
    assert "已派单 1 个任务" in text(answer)
    assert "派给li" in text(client(world.qu).get("/desk/cases/pool/log?act=assign&q=li"))
    assert "没有符合" in text(client(world.qu).get("/desk/cases/pool/log?act=urge"))
    client(world.qu).post("/desk/cases/pool/share-out", {"from_user": world.li.pk})
    task.refresh_from_db()
    assert task.assignee == world.wang


def test_cases_are_a_ledger(world: World) -> None:
    small, big = apply(world, title="小点"), apply(world, title="大点", area="600")
    do(world.wang, small, "decide", outcome="refuse", opinion="不符")
    desk = client(world.wang)
    found = text(desk.get("/desk/ledgers/cases?f.state=refused"))
    assert "小点" in found
    assert "大点" not in found
    assert "大点" in text(desk.get(f"/desk/ledgers/cases?q={big.number}"))
    assert "大点" in text(desk.get(f"/desk/ledgers/cases/{big.pk}"))
    assert desk.get(f"/desk/cases/of/{big.pk}").status_code == 302
    sheet = desk.get("/desk/ledgers/cases/export?format=csv&f.category=%E7%A4%BE%E5%8C%BA%E6%9C%8D%E5%8A%A1")
    body = b"".join(sheet.streaming_content) if sheet.streaming else sheet.content
    assert big.number in body.decode("utf-8-sig")
    assert big.number not in text(client(world.other).get("/desk/ledgers/cases"))


def test_odd_addresses_and_people_of_elsewhere(world: World) -> None:
    case = apply(world)
    for path in (
        "/desk/cases?box=%00&q=%27%00&sort=x&lit=x&pool=x&page=-1", "/desk/cases?box=watched&matter=none",
        "/desk/cases/pool?view=x&page=9999", "/desk/cases/pool/log?act=x&q=%00", "/desk/cases/deputies", "/my/cases",
    ):  # fmt: skip
        assert client(world.qu).get(path).status_code == 200
    for user in (world.other, User.objects.create(username="stranger")):
        assert client(user).get(f"/desk/cases/{case.uid}").status_code == 404
        assert client(user).get(f"/my/cases/{case.uid}").status_code == 404
        assert do(user, case, "decide", outcome="approve").status_code == 404
        assert do(user, case, "watch", on="1").status_code == 404
    assert (
        client(world.zhang).get(f"/desk/cases/{case.uid}").status_code == 404
    )  # the applicant has a page of their own
    assert client(world.wang).get("/my/cases/new/none").status_code == 404
    assert client(world.zhang).get("/my/cases/new/service_point?at=window").status_code == 403
    assert do(world.wang, case, "explode").status_code == 404
    bad = client(world.zhang).post(
        "/my/cases/new/service_point", {"title": "x", "region": "1", "key": "k", "fact-area": "1e9"}
    )
    assert bad.status_code == 400


def test_following_delegating_and_the_window(world: World) -> None:
    case = apply(world, by=world.wang, title="窗口件", at="window", source="one_stop")
    assert (case.source, case.applicant) == ("one_stop", None)
    do(world.qu, case, "watch", on="1")
    assert case.title in text(client(world.qu).get("/desk/cases?box=watched"))
    do(world.wang, case, "claim")
    form = {"to": str(world.li.pk), "matter": "", "from_day": "2026-05-11", "to_day": "2026-05-12"}
    assert "已委托li" in text(client(world.wang).post("/desk/cases/deputies", form, follow=True))
    do(world.li, case, "decide", outcome="approve", opinion="代办")
    assert "（代wang）" in text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    assert client(world.wang).post("/desk/cases/deputies", form | {"to_day": "x"}).status_code == 400


@pytest.mark.parametrize("name", ["wang", "qu", "shi", "zhang"])
def test_the_navigation_counts_what_waits(world: World, name: str) -> None:
    apply(world)
    page = text(client(getattr(world, name)).get("/desk"))
    assert ("我的办件" in page) == (name != "zhang")
