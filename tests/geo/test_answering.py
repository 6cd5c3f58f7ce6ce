"""What one answer asks several times is read once for it, and anew for the next."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from geo.addresses.gazetteer import published_now
from geo.answering import each_time, once, one_answer
from geo.imports.models import Source
from web.middleware import OneAnswer


def test_within_an_answer_a_thing_is_read_once() -> None:
    read: list[str] = []

    def reading(word: str) -> str:
        read.append(word)
        return word.upper()

    with one_answer():
        assert [
            once("a", lambda: reading("a")),
            once("b", lambda: reading("b")),
            once("a", lambda: reading("c")),
        ] == list("ABA")
    assert read == ["a", "b"]
    assert once("a", lambda: reading("d")) == "D"
    with one_answer():
        assert once("a", lambda: reading("e")) == "E"


def test_what_writes_and_takes_it_back_reads_each_time() -> None:
    said = iter("abcd")
    with one_answer():
        assert once("a", lambda: next(said)) == "a"
        with each_time():
            assert [once("a", lambda: next(said)), once("a", lambda: next(said))] == ["b", "c"]
        assert once("a", lambda: next(said)) == "a"


def test_what_failed_to_be_read_is_not_held() -> None:
    def fail() -> str:
        raise LookupError

    with one_answer():
        with pytest.raises(LookupError):
            once("a", fail)
        assert once("a", lambda: "later") == "later"


@pytest.mark.parametrize(("method", "seen"), [("GET", False), ("HEAD", False), ("POST", True), ("DELETE", True)])
def test_a_request_that_writes_sees_what_it_published(city: Any, method: str, seen: bool) -> None:
    def view(_: HttpRequest) -> HttpResponse:
        before = published_now().key
        Source.objects.update(published_at=None)
        return HttpResponse(str(before != published_now().key))

    answer = OneAnswer(view)(RequestFactory().generic(method, "/"))
    assert answer.content.decode() == str(seen)
    assert not published_now().sources
