"""The view behind ``SitePicture``."""

from django.db import migrations

VIEW = """
CREATE VIEW advisers_sitepicture AS
WITH places AS (
    SELECT f.id, f.region_id, CASE v.level WHEN 'committee' THEN v.parent_id ELSE f.region_id END AS street_id
    FROM facilities_facility f
    LEFT JOIN regions_edition e ON e.state = 'published'
    LEFT JOIN regions_regionversion v ON v.edition_id = e.id AND v.region_id = f.region_id
    WHERE f.kind_id = 'adviser_site' AND f.retired_at IS NULL
), staff AS (
    SELECT site_id, count(*)::int AS advisers, (count(*) FILTER (WHERE engaged = 'full'))::int AS full_time
    FROM advisers_adviser WHERE post = 'in_post' GROUP BY site_id
), work AS (
    SELECT site_id, count(*)::int AS records_year, coalesce(sum(minutes), 0)::int AS minutes_year,
           (count(*) FILTER (WHERE "on" > current_date - 30))::int AS records_month
    FROM advisers_workrecord WHERE state = 'valid' AND "on" > current_date - 365 GROUP BY site_id
)
SELECT p.id AS site_id, coalesce(s.advisers, 0) AS advisers, coalesce(s.full_time, 0) AS full_time,
       EXISTS (SELECT 1 FROM advisers_staffingalert a WHERE a.site_id = p.id AND a.state = 'open') AS short,
       coalesce(w.records_year, 0) AS records_year, coalesce(w.records_month, 0) AS records_month,
       coalesce(w.minutes_year, 0) AS minutes_year,
       (SELECT max(r."on") FROM advisers_workrecord r WHERE r.site_id = p.id AND r.state = 'valid') AS last_on,
       street.over_60 AS elders_60, street.over_80 AS elders_80, street.alone AS elders_alone, near.over_60 AS nearby_60,
       (street.over_60 / nullif(sum(coalesce(s.advisers, 0)) OVER (PARTITION BY p.street_id), 0))::int AS each_serves,
       street.as_of
FROM places p
LEFT JOIN staff s ON s.site_id = p.id
LEFT JOIN work w ON w.site_id = p.id
LEFT JOIN advisers_elderfigures street ON street.region_id = p.street_id
LEFT JOIN advisers_elderfigures near ON near.region_id = p.region_id AND p.region_id <> p.street_id
"""


class Migration(migrations.Migration):
    dependencies = [("advisers", "0001_initial"), ("facilities", "0002_nearest"), ("regions", "0001_initial")]
    operations = [migrations.RunSQL(VIEW, "DROP VIEW advisers_sitepicture")]
