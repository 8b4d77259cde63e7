insert into public.sync_parts (sync_run_id, part, position)
select $1, i.part, i.position::smallint from unnest($2::text[]) with ordinality as i (part, position)
on conflict (sync_run_id, part) do nothing
