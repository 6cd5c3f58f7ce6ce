"""Forms and addresses of layers, exports, analysis and base maps filled in by somebody who means harm: refused in words, never a fault."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from django.test import Client

from layers.datasets.editing import add_feature
from layers.datasets.models import Dataset
from layers.processes.models import ProcessRun
from tests.layers.datasets.making import made, point, sent
from tests.web.test_analysis import signed_in

pytestmark = pytest.mark.usefixtures("city", "own_folder")
HARM: Final = {
    "number 0": "甲\0乙",
    "deep": '{"type":"Polygon","coordinates":' + "[" * 400 + "]" * 400 + "}",
    "markup": "</script><img src=x onerror=alert(1)>",
    "many digits": "9" * 5_000,
}


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


@pytest.fixture
def desk() -> Client:
    client = signed_in("shi")
    client.raise_request_exception = False
    return client


@pytest.fixture
def dataset() -> Dataset:
    one = made()
    add_feature(sent(one), shape=point(), said={"mingcheng": "一号"})
    return one


def fields_of(page: str) -> list[str]:
    return sorted(set(re.findall(r'<(?:input|select|textarea|button)[^>]*\bname="([^"]+)"', page)))


def attacked(client: Client, address: str, more: dict[str, str], *, post: bool) -> list[str]:
    """Return what went wrong when each field of a page was filled in with each harm."""
    page = client.get(address, more)
    assert page.status_code == 200, (address, page.status_code)
    text = page.content.decode()
    plain = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))
    wrong = []
    for name in fields_of(text):
        for harm, value in HARM.items():
            said = {**plain, **more, name: value}
            answer = client.post(address, said) if post else client.get(address, said)
            if answer.status_code >= 500 or (not answer.streaming and b"<img src=x" in answer.content):
                wrong.append(f"{'POST' if post else 'GET'} {address} {name} {harm}: {answer.status_code}")
            redis_clear()
    return wrong


def redis_clear() -> None:
    from django.conf import settings

    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    ProcessRun.objects.all().delete()


ADDRESSES: Final = [
    ("/layers", {}, False),
    ("/layers/places", {}, False),
    ("/layers/places/export", {"format": "csv"}, True),
    ("/layers/places/export", {"format": "csv"}, False),
    ("/plan/analysis", {"op": "buffer"}, True),
    ("/plan/analysis", {"op": "buffer"}, False),
    ("/plan/analysis", {"op": "overlay"}, True),
    ("/plan/analysis", {"op": "density"}, True),
    ("/desk/layers/new", {}, True),
    ("/desk/layers/query", {}, False),
    ("/desk/layers/query", {}, True),
    ("/desk/layers", {}, False),
    ("/desk/basemaps/new", {}, True),
    ("/desk/preloads/new", {}, True),
    ("/desk/layers/{key}", {}, True),
    ("/desk/layers/{key}", {}, False),
    ("/desk/layers/{key}/settings", {}, True),
    ("/desk/layers/{key}/versions", {}, True),
    ("/desk/layers/{key}/files", {}, True),
    ("/desk/layers/{key}/history", {}, False),
]


@pytest.mark.timeout(300, func_only=True)
@pytest.mark.parametrize(("address", "more", "post"), ADDRESSES)
def test_no_field_of_a_form_makes_a_fault(
    desk: Client, dataset: Dataset, address: str, more: dict[str, str], post: bool
) -> None:
    assert attacked(desk, address.format(key=dataset.key), more, post=post) == []
