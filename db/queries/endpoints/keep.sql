-- Only what changed is written.
insert into public.endpoints as e (customer_id, id, name, class, os_name, serial_number, sources, coverage, confidence, site_id, person_id, open_conflicts,
  last_seen_on, changed_at, created_at)
select $1, i.id, i.name, i.class, i.os_name, i.serial_number, i.sources, i.coverage, i.confidence, i.site_id, i.person_id, i.open_conflicts, i.last_seen_on, $3, $3
from jsonb_to_recordset($2::jsonb) as i (id uuid, name text, class text, os_name text, serial_number text, sources text[], coverage text, confidence text, site_id uuid,
  person_id uuid, open_conflicts integer, last_seen_on date)
on conflict (customer_id, id) do update
  set name = excluded.name, class = excluded.class, os_name = excluded.os_name, serial_number = excluded.serial_number, sources = excluded.sources,
      coverage = excluded.coverage, confidence = excluded.confidence, site_id = excluded.site_id, person_id = excluded.person_id,
      open_conflicts = excluded.open_conflicts, last_seen_on = excluded.last_seen_on, changed_at = excluded.changed_at, ended_at = null, merged_into = null
  where (e.name, e.class, e.os_name, e.serial_number, e.sources, e.coverage, e.confidence, e.site_id, e.person_id, e.open_conflicts, e.last_seen_on)
      is distinct from (excluded.name, excluded.class, excluded.os_name, excluded.serial_number, excluded.sources, excluded.coverage, excluded.confidence,
        excluded.site_id, excluded.person_id, excluded.open_conflicts, excluded.last_seen_on)
    or e.ended_at is not null
