-- One tenant's forwardings as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, mailbox text, display_name text, mailbox_kind text, target text, reach text, keeps_copy boolean, content_hash text)
), known as (
  select s.id, s.external_id, s.content_hash = decode(i.content_hash, 'hex') and s.missing_since is null as is_same
  from input i join public.mailbox_forwardings s on s.customer_id = $1 and s.cipp_tenant_id = $2 and s.external_id = i.external_id
), touched as (
  update public.mailbox_forwardings s set observed_at = greatest(s.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where s.customer_id = $1 and s.id = k.id and k.is_same returning 1
), written as (
  insert into public.mailbox_forwardings as s (customer_id, cipp_tenant_id, external_id, mailbox, display_name, mailbox_kind, target, reach, keeps_copy, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.mailbox, i.display_name, i.mailbox_kind, i.target, i.reach, i.keeps_copy, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, cipp_tenant_id, external_id) do update
    set mailbox = excluded.mailbox, display_name = excluded.display_name, mailbox_kind = excluded.mailbox_kind, target = excluded.target, reach = excluded.reach, keeps_copy = excluded.keeps_copy, content_hash = excluded.content_hash,
        observed_at = greatest(s.observed_at, excluded.observed_at), is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
