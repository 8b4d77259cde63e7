-- One open run per integration: whoever comes second gets no row. With a run whose fall is accepted, the database checks that it is
-- still the one that is held back, and says who accepted and when.
insert into public.sync_runs (id, integration_id, kind, requested_by, reason, queued_at, accepted_run_id, accepted_reason)
values ($1, $2, $3, $4, case when $6::uuid is null then 'request' else 'accepted fall' end, $5, $6, $7)
on conflict (integration_id) where state in ('queued', 'running') do nothing
returning id
