"""空间分析 at the desk without script: a step, the next one, undo and redo, kept as a layer, refused in words, others' not seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import shapely
from django.test import Client

from geo.jobs.actions import run_job
from geo.jobs.models import Job
from geo.jobs.progress import JobCancelled
from layers.analysis import jobs
from layers.analysis.saving import save_result
from layers.datasets.models import Dataset
from layers.datasets.revisions import held_now
from layers.processes.models import ProcessRun
from layers.registry import layer
from services.access.models import User
from tests.layers.analysis.grounds import KEEPER, grid, laid, squares, worked

pytestmark = pytest.mark.usefixtures("city", "own_folder")


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


def signed_in(name: str) -> Client:
    from services.access.demo import make_demo_accounts

    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["second_step"] = True
    session.save()
    return client


@pytest.fixture
def desk() -> Client:
    """Return the city's manager, signed in."""
    return signed_in("shi")


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def stepped(desk: Client, op: str, **fields: str) -> Any:
    """Fill in the form and send it; return the page of the step."""
    page = text_of(desk.get(f"/plan/analysis?op={op}"))
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    return desk.post("/plan/analysis", {"op": op, "key": key[1], **fields}, follow=True)


def run_at(answer: Any) -> ProcessRun:
    return ProcessRun.objects.get(pk=answer.redirect_chain[-1][0].rsplit("/", 1)[1])


def test_steps_follow_each_other_are_undone_done_again_and_kept(desk: Client) -> None:
    cells = laid("方格", "polygon", squares(grid(10, 10, 100), 90))
    first = stepped(desk, "buffer", one=f"layer:{cells}", metres="10", dissolve="1")
    assert "得到 1 个面" in text_of(first)
    assert "1.1600" not in text_of(first)
    grown = run_at(first)
    rows = stepped(desk, "overlay", one=f"layer:{cells}", other=f"run:{grown.pk}", how="intersect", sliver_m2="0.1")
    page, cut = text_of(rows), run_at(rows)
    assert "得到 100 个面" in page
    assert "0.8100" in page
    assert f'href="/plan/analysis/runs/{grown.pk}"' in page  # 撤销
    assert f'href="/plan/analysis/runs/{cut.pk}"' in text_of(desk.get(f"/plan/analysis/runs/{grown.pk}"))  # 重做
    again = text_of(desk.get(f"/plan/analysis?from={cut.pk}"))
    assert re.search(rf'<option value="run:{grown.pk}" selected>', again)
    assert re.search(rf'<option value="layer:{cells}" selected>', again)
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    fields = {"key": key[1], "title": "交出来的", "region": "310000", "audience": "staff"}
    kept = [desk.post(f"/plan/analysis/runs/{cut.pk}/save", fields) for _ in range(2)]
    assert kept[0]["Location"] == kept[1]["Location"]
    dataset = Dataset.objects.get(title="交出来的")
    assert held_now(dataset).count() == 100
    assert "叠加（相交）" in dataset.summary
    assert "方格 第 1 版" in dataset.summary
    assert dataset.recipe["lineage"]["sides"][0]["source"] == f"layer/{cells}"
    assert desk.get(f"/desk/layers/{dataset.key}").status_code == 200
    assert desk.get(f"/desk/layers/{dataset.key}/refresh").status_code == 404
    listed = text_of(desk.get("/plan/analysis"))
    assert listed.count("row-link") >= 2
    assert b'"FeatureCollection"' in b"".join(desk.get(f"/plan/analysis/runs/{cut.pk}/file").streaming_content)
    desk.post(f"/plan/analysis/runs/{cut.pk}/delete")
    assert not ProcessRun.objects.filter(pk=cut.pk).exists()
    assert Dataset.objects.filter(pk=dataset.pk).exists()


@pytest.mark.parametrize(
    ("op", "fields", "shown"),
    [
        ("near", {"metres": "60", "count": "2"}, "第几近"),
        ("relate", {"relation": "contains"}, "包含几个"),
        ("overlay", {"how": "union", "sliver_m2": "0"}, "面积合计"),
    ],
    ids=["near", "relate", "overlay"],
)
def test_operations_on_two_sides_take_a_drawn_shape(desk: Client, op: str, fields: dict[str, str], shown: str) -> None:
    cells = laid("方格", "polygon", squares(grid(3, 3, 100), 90))
    drawn = '{"type":"Polygon","coordinates":[[[121.46,31.22],[121.46,31.24],[121.49,31.24],[121.49,31.22],[121.46,31.22]]]}'
    page = text_of(stepped(desk, op, one="drawn", other=f"layer:{cells}", shape=drawn, **fields))
    assert shown in page
    assert "得到" in page


def test_dissolve_and_density_offer_the_fields_of_the_layer(desk: Client) -> None:
    points = laid("点", "point", shapely.points(grid(5, 5, 100)))
    cells = laid("方格", "polygon", squares(grid(5, 5, 100), 90), numbers=[1, 2, 2, 2, 2] * 5)
    page = text_of(desk.get(f"/plan/analysis?op=dissolve&one=layer:{cells}"))
    assert '<option value="shu">数量</option>' in page
    assert '<input type="checkbox" name="sums" value="shu">' in page
    answer = stepped(desk, "dissolve", one=f"layer:{cells}", by="shu", sums="shu")
    assert "得到 2 个面" in text_of(answer)
    assert "数量合计" in text_of(answer)
    assert "每平方公里" in text_of(
        stepped(desk, "density", one=f"layer:{points}", grid="square", size_m="500", radius_m="0")
    )


def test_the_fields_of_another_layer_are_asked_for_without_a_token_in_the_address(desk: Client) -> None:
    cells = laid("方格", "polygon", squares(grid(5, 5, 100), 90))
    page = text_of(desk.get("/plan/analysis?op=dissolve"))
    assert "csrfmiddlewaretoken" in page
    assert "formmethod" not in page  # a form with a token is posted, whichever of its buttons is pressed
    assert 'type="submit" name="act" value="fields" formnovalidate' in page
    asked = {"op": "dissolve", "act": "fields", "one": f"layer:{cells}", "one_filter": "shu > 1", "shape": "{"}
    answer = desk.post("/plan/analysis", asked)
    assert answer.status_code == 200
    assert '<option value="shu">数量</option>' in text_of(answer)
    assert 'value="shu &gt; 1"' in text_of(answer)  # what was filled in stays
    assert not ProcessRun.objects.exists()


def test_only_a_part_is_taken_by_region_condition_and_drawn_shape(desk: Client) -> None:
    points = laid("点", "point", shapely.points(grid(10, 10, 100)))
    answer = stepped(desk, "buffer", one=f"layer:{points}", metres="5", one_filter="shu <= 3")
    assert run_at(answer).rows == 3
    tiny = '{"type":"Polygon","coordinates":[[[121.0,30.9],[121.0,30.91],[121.01,30.91],[121.01,30.9],[121.0,30.9]]]}'
    answer = stepped(desk, "buffer", one=f"layer:{points}", metres="5", one_within="1", shape=tiny)
    assert "没有符合的结果" in text_of(answer)
    assert "改一改再做" in text_of(answer)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"op": "buffer", "metres": "500"}, "请选图层。"),
        ({"op": "buffer", "one": "layer:places", "metres": "很远"}, "“距离（米）”要填数字。"),
        ({"op": "buffer", "one": "drawn", "metres": "5"}, "还没有画图形。"),
        ({"op": "buffer", "one": "drawn", "shape": "{", "metres": "5"}, "图形读不懂。"),
        ({"op": "buffer", "one": "layer:places", "metres": "5", "rings": "1.5"}, "要填整数。"),
        ({"op": "near", "one": "layer:places", "metres": "5"}, "请选另一个图层。"),
        ({"op": "relate", "one": "layer:places", "other": "layer:places", "relation": "crosses"}, "之间没有“穿越”"),
        ({"op": "overlay", "one": "run:nothing", "other": "layer:places", "how": "union"}, "不合要求"),
    ],
    ids=["layer", "number", "undrawn", "unreadable", "whole", "other", "never", "run"],
)
def test_what_cannot_be_meant_is_told_beside_what_was_typed(desk: Client, fields: dict[str, str], said: str) -> None:
    answer = desk.post("/plan/analysis", {"key": str(uuid4()), **fields})
    assert answer.status_code == 400
    assert said in text_of(answer)
    if fields.get("metres"):
        assert f'value="{fields["metres"]}"' in text_of(answer)
    assert not ProcessRun.objects.exists()


def test_a_large_result_is_kept_in_the_background_once_and_whole_or_not_at_all(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 5)
    monkeypatch.setattr("web.doors.analysis.pages.AT_ONCE", 5)
    points = laid("点", "point", shapely.points(grid(5, 5, 100)))
    run = worked(desk, "buffer", {"metres": 5, "layer": points})
    fields = {"key": str(uuid4()), "title": "大的", "region": "310000", "audience": "everyone"}
    places = {desk.post(f"/plan/analysis/runs/{run.pk}/save", fields)["Location"] for _ in range(2)}
    assert len(places) == 1
    place = places.pop()
    assert "排队" in text_of(desk.get(place))

    def stop(share: float, message: str) -> None:
        raise JobCancelled("job_cancelled", "停")

    with pytest.raises(JobCancelled):
        save_result(
            run_id=run.pk, title="半个", region="310000", audience="staff", key=uuid4(), scope=KEEPER, step=stop
        )
    assert not Dataset.objects.filter(title="半个").exists()
    run_job(job_id=Job.objects.get(kind=jobs.SAVE_JOB).pk)
    assert desk.get(place)["Location"] == f"/desk/layers/{Dataset.objects.get(title='大的').key}"


def test_a_result_of_a_closed_layer_is_never_kept_for_more_people(desk: Client) -> None:
    inner = laid("内部点", "point", shapely.points(grid(3, 3, 100)), audience="staff")
    answer = stepped(desk, "buffer", one=f"layer:{inner}", metres="5")
    assert "存成的图层也是" in text_of(answer)
    run = run_at(answer)
    fields = {"key": str(uuid4()), "title": "不公开", "audience": "everyone"}
    refused = desk.post(f"/plan/analysis/runs/{run.pk}/save", {**fields, "region": "310101"})
    assert refused.status_code == 403  # staff of the district alone must not see rows of the whole city
    desk.post(f"/plan/analysis/runs/{run.pk}/save", {**fields, "region": "310000"})
    dataset = Dataset.objects.get(title="不公开")
    assert (dataset.audience, dataset.recipe["restricted"]) == ("staff", True)
    assert layer(inner, scope=KEEPER)


def test_others_and_people_without_the_duty_see_nothing(desk: Client) -> None:
    points = laid("点", "point", shapely.points(grid(3, 3, 100)))
    run = run_at(stepped(desk, "buffer", one=f"layer:{points}", metres="5"))
    other = signed_in("qu")
    for path in (f"/plan/analysis/runs/{run.pk}", f"/plan/analysis/runs/{run.pk}/file"):
        assert other.get(path).status_code == 404
    assert other.post(f"/plan/analysis/runs/{run.pk}/save", {"key": str(uuid4()), "title": "偷"}).status_code in (
        403,
        404,
    )
    assert not Dataset.objects.filter(title="偷").exists()
    assert Client().get("/plan/analysis").status_code == 302
    assert Client().get("/help/analysis").status_code == 200
