"""The sources this package has itself, the account and earlier forms, and prefilling of a new draft from all that are
declared."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone

from geo.errors import CityError
from services.access.models import User
from services.crypto.sealing import unseal
from services.kernel.forms.answering import validate
from services.kernel.forms.begun import Begun
from services.kernel.forms.looking_up import CityKnown
from services.kernel.forms.models import Submission, SubmissionState
from services.kernel.forms.prefilling import Asker, Source, Value
from services.kernel.forms.queries import form_of, whole_answers
from services.kernel.forms.registry import declared, form_named
from services.kernel.forms.spec import Form
from services.kernel.messages.models import Contact
from services.kernel.messages.phones import PHONE_FIELD

log = logging.getLogger(__name__)


def from_account(asker: Asker) -> Mapping[str, Value]:
    """Return the name and the mobile number that somebody left with their account."""
    user = User.objects.filter(pk=asker.account_id).first()
    if user is None:
        return {}
    found = {"name": Value(user.display_name, user.date_joined)} if user.display_name else {}
    contact = Contact.objects.filter(user=user).first()
    if contact is not None:
        phone = unseal(contact.phone, field=PHONE_FIELD, owner=contact.pk)
        found["phone"] = Value(phone, contact.changed_at)
    return found


def from_earlier(asker: Asker) -> Mapping[str, Value]:
    """Return the answers of the form that the account handed in last, whichever it was."""
    rows = Submission.objects.filter(account=asker.account_id, state=SubmissionState.SUBMITTED)
    last = rows.select_related("form_version").order_by("-submitted_at").first()
    if last is None or last.submitted_at is None:
        return {}
    return {key: Value(value, last.submitted_at) for key, value in whole_answers(last).items()}


SOURCES: Final = (
    Source("account", "您的账号", from_account),
    Source("earlier", "您上次提交的表单", from_earlier),
)


def prefilled(row: Submission, begun: Begun | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (answers, sources) for a new draft: of the values that are known, those that the form asks and takes.

    A draft ``begun`` from a row takes what that row says, and nothing else where it says ``only``. A source that fails is written
    to the log and gives nothing: a form can always be filled in by hand.
    """
    answers, sources = _of_row(form_of(row), begun) if begun is not None else ({}, {})
    if row.account_id is None or (begun is not None and begun.only):
        return answers, sources
    spec, form = form_named(row.form), form_of(row)
    asker = Asker(row.account_id, row.form, row.entry, row.region_id)
    known: dict[str, Mapping[str, Value]] = {}
    for key, (source, name) in spec.prefills.items():
        if form.question(key) is None or key in answers:
            continue
        if source not in known:
            known[source] = _asked(source, asker)
        value = known[source].get(name)
        if value is not None and _takes(form, key, value.value):
            answers[key] = value.value
            sources[key] = _origin(source, declared().sources[source].title, value)
    return answers, sources


def _of_row(form: Form, begun: Begun) -> tuple[dict[str, Any], dict[str, Any]]:
    taken = {
        key: value
        for key, value in begun.values.items()
        if form.question(key) is not None and _takes(form, key, value.value)
    }
    origins = {key: _origin(begun.ledger, begun.title, value) for key, value in taken.items()}
    return {key: value.value for key, value in taken.items()}, origins


def _origin(source: str, title: str, value: Value) -> dict[str, str]:
    return {"source": source, "title": title, "as_of": timezone.localtime(value.as_of).isoformat()}


def _asked(key: str, asker: Asker) -> Mapping[str, Value]:
    source = declared().sources.get(key)
    if source is None:
        return {}
    try:
        return source.fetch(asker)
    except CityError as fault:
        log.warning("prefill source failed", extra={"source": key, "code": fault.code})
        return {}


def _takes(form: Form, key: str, value: Any) -> bool:
    checked = validate(form, {key: value}, known=CityKnown(), today=timezone.localdate())
    return not any(fault.code != "required" for fault in checked.faults_at(key))
