-- Times are timestamptz; ids are UUIDs, v7 when the database makes them; nothing counts with a sequence, which would tell
-- the volume of others; text is text. A set of words is a domain over text: the equality of enums is not leakproof, so that
-- under row-level security no index serves it.
-- broken by: alter table public.tickets add column loose_at timestamp
-- seen as: public.tickets.loose_at
-- broken by: alter table public.tickets add column loose_no bigserial
-- seen as: public.tickets.loose_no
-- broken by: alter table public.tickets add column loose_no bigint generated always as identity
-- seen as: public.tickets.loose_no
-- broken by: alter table public.tickets add column loose_id uuid default gen_random_uuid()
-- seen as: public.tickets.loose_id
-- broken by: alter table public.tickets add column loose_text varchar(20)
-- seen as: public.tickets.loose_text
-- broken by: alter table public.tickets add column loose_price money
-- seen as: public.tickets.loose_price
-- broken by: create type public.loose_word as enum ('a'); alter table public.tickets add column loose_word public.loose_word
-- seen as: public.tickets.loose_word
-- broken by: alter table public.tickets add column device_ref_id text
-- seen as: public.tickets.device_ref_id
with columns as (
  select format('%s.%s.%s', n.nspname, c.relname, a.attname) as subject, a.attname, a.attidentity, format_type(a.atttypid, null) as type, t.typtype,
         pg_get_expr(d.adbin, d.adrelid) as standard
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
)
select subject, format('has the type %s: use timestamptz', type) as fault from columns
where type in ('timestamp without time zone', 'time with time zone', 'time without time zone')
union all
select subject, 'counts with a sequence' from columns where attidentity <> '' or standard ~ 'nextval\('
union all
select subject, format('its default is %s: use app.uuid_v7()', standard) from columns where type = 'uuid' and standard is not null and standard <> 'app.uuid_v7()'
union all
select subject, format('has the type %s: use text with a check', type) from columns where type in ('character varying', 'character', 'json')
union all
select subject, 'is an enum: use a domain over text' from columns where typtype = 'e'
union all
select subject, 'has the type money: use numeric(14,2) and a currency column' from columns where type = 'money'
union all
-- What a vendor or another system made is not ours to shape; keys of the vault are named by their fingerprint.
select subject, format('is an id of the type %s: use uuid', type) from columns
where attname ~ '(^|_)id$' and type <> 'uuid' and attname !~ '^(external|request|row|key)_id$' and subject <> 'vault.keys.id'
