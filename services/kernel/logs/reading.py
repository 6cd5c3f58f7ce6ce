"""How each declared source is read: one SELECT with the columns of a line, for the rows between two keys."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps

from services.kernel.logs.models import NotedChange
from services.kernel.logs.registry import declared
from services.kernel.logs.spec import Source, Tracked

NOTED: Final = "noted"


@dataclass(frozen=True, slots=True)
class Reading:
    """A source as SQL: ``rows`` yields the columns of a line for keys ``> %(done)s`` and ``<= %(upto)s`` of ``table``."""

    key: str
    table: str
    pk: str
    rows: str
    moments: str
    params: dict[str, Any] = field(default_factory=dict)


def readings() -> list[Reading]:
    """Return every source that stands in the database."""
    sources, tracked = declared()
    histories = [_history(each) for each in tracked if each.history]
    return [*map(_rows, sources), *histories, _noted([each for each in tracked if not each.history])]


def _rows(source: Source) -> Reading:
    meta = apps.get_model(source.model)._meta
    table, pk = meta.db_table, meta.pk.column
    between = f"s.{pk} > %(done)s AND s.{pk} <= %(upto)s"
    rows = f"""
        SELECT s.{pk}::text AS n, '{source.kept}'::text AS kept, {source.at} AS at, {source.act} AS act,
          coalesce(%(words)s::jsonb ->> ({source.act}), {source.act}) AS what, {source.actor} AS actor,
          {source.account}::bigint AS account, {source.object_kind} AS object_kind, {source.object_id} AS object_id,
          {source.object_name} AS object_name, {source.region}::bigint AS region_id,
          {source.organisation}::bigint AS organisation_id, {source.channel} AS channel, {source.request} AS request_id,
          {source.outcome} AS outcome, {source.ms}::integer AS ms, {source.address}::inet AS address, NULL::jsonb AS changes,
          {source.detail}::jsonb AS detail
        FROM {table} s {source.joins} WHERE {between}
    """
    moments = f"SELECT DISTINCT '{source.kept}', date_trunc('month', {source.at}) FROM {table} s {source.joins} WHERE {between}"
    return Reading(source.key, table, pk, rows, moments, {"words": json.dumps(dict(source.acts), ensure_ascii=False)})


def _history(tracked: Tracked) -> Reading:
    """Read what pghistory keeps: an event is the row as it was; what it became stands in the next event, or in the row."""
    model = apps.get_model(tracked.model)
    events = model.pgh_event_model._meta.db_table
    table, pk = model._meta.db_table, model._meta.pk.column
    between = "s.pgh_id > %(done)s AND s.pgh_id <= %(upto)s"
    gone = "s.pgh_label LIKE 'delete%%'"
    rows = f"""
        SELECT s.pgh_id::text AS n, '{tracked.kept}'::text AS kept, s.pgh_created_at AS at,
          '{tracked.kind}.' || CASE WHEN {gone} THEN 'deleted' ELSE 'changed' END AS act,
          CASE WHEN {gone} THEN '删除' ELSE '修改' END || %(title)s AS what,
          coalesce(c.metadata ->> 'actor', {_of(tracked.actor, "b.was")}, '') AS actor, NULL::bigint AS account,
          '{tracked.kind}' AS object_kind, s.pgh_obj_id::text AS object_id,
          coalesce({_of(tracked.name, "b.became")}, {_of(tracked.name, "b.was")}, '') AS object_name,
          ({_of(tracked.region, "b.was")})::bigint AS region_id,
          ({_of(tracked.organisation, "b.was")})::bigint AS organisation_id,
          CASE WHEN c.metadata ? 'task' OR c.metadata IS NULL THEN 'task' ELSE 'page' END AS channel,
          coalesce(c.metadata ->> 'request', '') AS request_id, 'done' AS outcome, NULL::integer AS ms, NULL::inet AS address,
          d.changes, NULL::jsonb AS detail
        FROM {events} s LEFT JOIN pghistory_context c ON c.id = s.pgh_context_id
        LEFT JOIN LATERAL (SELECT to_jsonb(n) AS row FROM {events} n WHERE n.pgh_obj_id = s.pgh_obj_id AND n.pgh_id > s.pgh_id
          ORDER BY n.pgh_id LIMIT 1) later ON true
        LEFT JOIN {table} m ON m.{pk} = s.pgh_obj_id
        CROSS JOIN LATERAL (SELECT to_jsonb(s) AS was,
          CASE WHEN {gone} THEN NULL ELSE coalesce(later.row, to_jsonb(m)) END AS became) b
        CROSS JOIN LATERAL (SELECT jsonb_object_agg(f, jsonb_build_array(b.was -> f, b.became -> f)) AS changes
          FROM unnest(%(fields)s::text[]) AS f WHERE (b.was -> f) IS DISTINCT FROM (b.became -> f)) d
        WHERE {between} AND d.changes IS NOT NULL
    """
    moments = f"SELECT DISTINCT '{tracked.kept}', date_trunc('month', s.pgh_created_at) FROM {events} s WHERE {between}"
    params = {"title": tracked.title, "fields": list(tracked.fields)}
    return Reading(f"history.{tracked.kind}", events, "pgh_id", rows, moments, params)


def _noted(tables: list[Tracked]) -> Reading:
    """Read what triggers noted, all kinds at once, in the order of their numbers."""
    table = NotedChange._meta.db_table
    between = "s.id > %(done)s AND s.id <= %(upto)s"
    verb = "CASE s.op WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'deleted' ELSE 'changed' END"
    rows = f"""
        SELECT s.id::text AS n, k.spec ->> 'kept' AS kept, s.at, a.act, coalesce(k.spec -> 'words' ->> a.act, a.act) AS what,
          s.actor, NULL::bigint AS account, s.kind AS object_kind, s.object_id,
          coalesce(k.row ->> (k.spec ->> 'name'), '') AS object_name, (k.row ->> (k.spec ->> 'region'))::bigint AS region_id,
          (k.row ->> (k.spec ->> 'organisation'))::bigint AS organisation_id, k.spec ->> 'channel' AS channel, s.request_id,
          CASE WHEN k.spec -> 'failing' ? (k.row ->> (k.spec ->> 'state')) AND a.act <> s.kind || '.changed'
            THEN 'failed' ELSE 'done' END AS outcome, NULL::integer AS ms, NULL::inet AS address, d.changes, NULL::jsonb AS detail
        FROM {table} s
        CROSS JOIN LATERAL (SELECT %(kinds)s::jsonb -> s.kind AS spec, coalesce(s.after, s.before) AS row) k
        CROSS JOIN LATERAL (SELECT s.kind || '.' || CASE
          WHEN s.op = 'UPDATE' AND (s.before -> (k.spec ->> 'state')) IS DISTINCT FROM (s.after -> (k.spec ->> 'state'))
            AND k.spec -> 'words' ? (s.kind || '.' || (k.row ->> (k.spec ->> 'state')))
          THEN k.row ->> (k.spec ->> 'state') ELSE {verb} END AS act) a
        LEFT JOIN LATERAL (SELECT jsonb_object_agg(f, jsonb_build_array(s.before -> f, s.after -> f)) AS changes
          FROM jsonb_object_keys(k.spec -> 'fields') AS f WHERE (s.before -> f) IS DISTINCT FROM (s.after -> f)) d ON true
        WHERE {between} AND k.spec IS NOT NULL
    """
    moments = f"""
        SELECT DISTINCT %(kinds)s::jsonb -> s.kind ->> 'kept', date_trunc('month', s.at) FROM {table} s
        WHERE {between} AND %(kinds)s::jsonb ? s.kind
    """
    kinds = {
        each.kind: {
            "kept": each.kept, "name": each.name, "region": each.region, "organisation": each.organisation,
            "channel": each.channel, "state": each.state, "failing": list(each.failing), "words": each.words,
            "fields": dict(each.fields),
        }
        for each in tables
    }  # fmt: skip
    return Reading(NOTED, table, "id", rows, moments, {"kinds": json.dumps(kinds, ensure_ascii=False)})


def _of(column: str, row: str) -> str:
    return f"{row} ->> '{column}'" if column else "NULL::text"
