"""The contract with the face service, held by our client and the simulator over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from pydantic import ValidationError

from services.crypto.primitives import Tampered
from services.integrations.faces.client import FaceService, face_service, is_connected
from services.integrations.faces.schemas import Verdict, open_picture, seal_picture
from services.integrations.faces.simulator import Mood, Simulator
from services.integrations.faults import RESTING, AnswerUnclear, NotConnected, NotReached
from services.integrations.http import Upstream
from tests.services.fencing.checkins.visiting import face

ANNA, BERT = "u-anna", "u-bert"
TWO = (face("a"), face("a", turned=1))


@pytest.fixture
def running(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s3cret", known={ANNA: face("a"), BERT: face("b")}) as simulator:
        settings.FACES_URL, settings.FACES_APP, settings.FACES_SECRET = simulator.url, "quantu", "s3cret"
        settings.FACES_TIMEOUT_S, settings.INSIDE_HOSTS = 2.0, ["127.0.0.1"]
        yield simulator
    cache.clear()


def verify(subject: str = ANNA, pictures: tuple[bytes, ...] = TWO, token: str | None = None, key: str = "k1") -> Any:
    service = face_service()
    said = service.begin(subject=subject).token if token is None else token
    return service.verify(request_id=key, subject=subject, token=said, pictures=pictures)


def test_a_face_is_matched_alive(running: Simulator) -> None:
    assert is_connected()
    told = verify()
    assert (told.verdict, told.live, told.request_id) == (Verdict.MATCHED, True, "k1")
    assert told.score > 0.9
    assert told.number


@pytest.mark.parametrize(
    ("subject", "pictures", "verdict"),
    [
        (BERT, TWO, Verdict.DIFFERENT),
        (ANNA, TWO[:1], Verdict.NOT_LIVE),
        (ANNA, (TWO[0], TWO[0]), Verdict.NOT_LIVE),
        (ANNA, (b"no picture", TWO[0]), Verdict.UNCLEAR),
        ("u-carl", TWO, Verdict.NOT_ENROLLED),
    ],
)
def test_anything_else_is_told_apart(
    running: Simulator, subject: str, pictures: tuple[bytes, ...], verdict: Verdict
) -> None:
    assert verify(subject, pictures).verdict is verdict


def test_without_a_token_faces_are_compared_and_nothing_is_said_of_life(running: Simulator) -> None:
    told = verify(pictures=TWO[:1], token="")
    assert (told.verdict, told.live) == (Verdict.MATCHED, False)


def test_the_same_request_again_gets_the_first_answer_and_spends_no_token(running: Simulator) -> None:
    token = face_service().begin(subject=ANNA).token
    first = verify(token=token)
    assert verify(token=token) == first
    with pytest.raises(AnswerUnclear) as spent:
        verify(token=token, key="k2")
    assert spent.value.code == "token_spent"


def test_a_token_is_of_one_person_and_for_a_short_time(running: Simulator) -> None:
    other = face_service().begin(subject=BERT).token
    with pytest.raises(AnswerUnclear):
        verify(token=other)
    running.token_s = 0.05
    late = face_service().begin(subject=ANNA).token
    time.sleep(0.1)
    with pytest.raises(AnswerUnclear):
        verify(token=late)


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.BROKEN, Mood.GARBAGE, Mood.STRANGER])
def test_a_wrong_answer_is_a_fault(running: Simulator, mood: Mood) -> None:
    token = face_service().begin(subject=ANNA).token
    running.mood = mood
    with pytest.raises(AnswerUnclear):
        verify(token=token)


def test_a_busy_service_is_asked_once_more(running: Simulator) -> None:
    token = face_service().begin(subject=ANNA).token
    running.mood = Mood.BUSY_ONCE
    assert verify(token=token).verdict is Verdict.MATCHED


def test_after_five_failures_it_is_left_alone(running: Simulator) -> None:
    running.mood = Mood.SILENT
    for _ in range(5):
        with pytest.raises(AnswerUnclear):
            verify(token="")
    with pytest.raises(NotReached) as fault:
        verify(token="")
    assert fault.value.code == RESTING


def test_pictures_travel_sealed_for_their_request_person_and_place() -> None:
    sealed = seal_picture("s3cret", TWO[0], request_id="k1", subject=ANNA, place=0)
    assert TWO[0][20:60] not in sealed
    assert open_picture("s3cret", sealed, request_id="k1", subject=ANNA, place=0) == TWO[0]
    for other in ({"request_id": "k2"}, {"subject": BERT}, {"place": 1}):
        with pytest.raises(Tampered):
            open_picture("s3cret", sealed, **{"request_id": "k1", "subject": ANNA, "place": 0} | other)  # type: ignore[arg-type]
    with pytest.raises(Tampered):
        open_picture("another", sealed, request_id="k1", subject=ANNA, place=0)


def test_a_wrong_secret_is_refused_and_without_settings_nothing_is_asked(running: Simulator, settings: Any) -> None:
    stranger = FaceService(Upstream(key="faces", name="核验", root=running.url, inside=True), "quantu", "wrong")
    with pytest.raises(AnswerUnclear):
        stranger.begin(subject=ANNA)
    with pytest.raises(ValidationError):
        face_service().begin(subject="not a number!")
    settings.INSIDE_HOSTS = []
    with pytest.raises(NotConnected):  # faces never travel without https, but inside our own network
        face_service()
    settings.FACES_URL = ""
    assert not is_connected()


@pytest.mark.django_db
def test_the_command_says_how_to_connect(monkeypatch: Any, tmp_path: Any) -> None:
    from services.access.models import User

    user = User.objects.create_user("huli")
    (tmp_path / "huli.jpg").write_bytes(TWO[0])
    seen = []

    def serve(self: Simulator) -> None:
        seen.append(self.known)
        self._server.server_close()

    monkeypatch.setattr(Simulator, "serve", serve)
    out = StringIO()
    call_command("face_simulator", f"huli={tmp_path / 'huli.jpg'}", "--port", "0", stdout=out)
    assert "QUANTU_FACES_URL=http://127.0.0.1:" in out.getvalue()
    assert seen == [{str(user.uid): TWO[0]}]
    with pytest.raises(CommandError):
        call_command("face_simulator", "nobody=x.jpg", "--port", "0", stdout=out)
