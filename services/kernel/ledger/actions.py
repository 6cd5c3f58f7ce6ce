"""Writes of ledgers: the views that people keep, and the line in the audit log when somebody reads a sealed value."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.http import HttpRequest

from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.queries import check_duty
from services.crypto.queries import reveal_secrets
from services.kernel.ledger.asking import Asked
from services.kernel.ledger.models import SavedView
from services.kernel.ledger.queries import record_of
from services.kernel.spec import LedgerSpec

LONGEST_NAME: Final = 30
MOST_VIEWS: Final = 50
LONGEST_QUERY: Final = 2_000


@transaction.atomic
def save_view(*, user: User, spec: LedgerSpec, name: str, asked: Asked) -> SavedView:
    """Keep a question to a ledger under a name; a view of that name is replaced. Raises ``BadInput`` and ``Conflict``."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadInput("view_name", f"请给这个视图起一个名字，最多 {LONGEST_NAME} 个字。", field="name")
    query = asked.query(after="", ids=())
    if len(query) > LONGEST_QUERY:
        raise BadInput("view_too_long", "筛选的内容太多，存不下。请少选几项再存。")
    User.objects.select_for_update().get(pk=user.pk)
    others = SavedView.objects.filter(user=user).exclude(ledger=spec.key, name=name)
    if others.count() >= MOST_VIEWS:
        raise Conflict("views_full", f"最多存 {MOST_VIEWS} 个视图，请先删掉不用的。")
    view, _ = SavedView.objects.update_or_create(user=user, ledger=spec.key, name=name, defaults={"query": query})
    return view


@transaction.atomic
def delete_view(*, user: User, view_id: int) -> SavedView:
    """Delete a view of one's own and return it; raises ``NotFound``, for the views of others too."""
    view = SavedView.objects.select_for_update().filter(user=user, pk=view_id).first()
    if view is None:
        raise NotFound("view_unknown", "没有找到这个视图，可能已经删掉了。")
    view.delete()
    return view


@transaction.atomic
def reveal_value(*, spec: LedgerSpec, pk: int, key: str, scope: Scope, request: HttpRequest | None = None) -> str:
    """Return the whole sealed value of a column of a row, '' where there is none, and write down who read it.

    Needs the ledger's ``reveal_duty``. Raises ``NotFound`` for a row that is not the scope's and a column that is not sealed.
    """
    column = spec.column(key)
    if column is None or not column.sealed or not spec.reveal_duty:
        raise NotFound("value_not_sealed", "这一项没有加密，直接看就可以。")
    check_duty(scope, spec.reveal_duty)
    row = record_of(spec, pk, scope=scope).instance
    record_audit(
        act=AuditAct.ANSWER_REVEALED,
        actor=scope.actor,
        request=request,
        detail={"ledger": spec.key, "row": pk, "field": key},
    )
    return reveal_secrets(owner=row.uid, fields=[column.sealed]).get(column.sealed, "")  # type: ignore[attr-defined]
