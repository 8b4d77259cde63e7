-- A number that measures something says its unit in its name: duration_ms, interval_s, size_bytes, used_percent.
-- broken by: alter table public.tickets add column duration integer
-- seen as: public.tickets.duration
-- broken by: alter table public.tickets add column upload_size bigint
-- seen as: public.tickets.upload_size
select format('%s.%s.%s', n.nspname, c.relname, a.attname) as subject, 'a measured number without its unit' as fault
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and a.atttypid in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype, 'real'::regtype, 'double precision'::regtype)
  and a.attname ~ '(^|_)(interval|duration|timeout|delay|age|size|length|latency|elapsed|ttl|period|uptime|memory|space|used|free|response|wait)(_|$)'
  and a.attname !~ '_(ms|s|minutes|hours|days|bytes|percent|ratio|rows|count)$'
