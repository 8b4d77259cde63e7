-- One open run per integration: whoever comes second gets no row.
insert into public.sync_runs (id, integration_id, kind, requested_by, reason, queued_at)
values ($1, $2, $3, $4, 'request', $5)
on conflict (integration_id) where state in ('queued', 'running') do nothing
returning id
