-- Where the next reading of only what changed begins, and until when a part is not read again by the clock.
create table public.tenant_cursors (
  customer_id    uuid not null,
  tenant_id      uuid not null,
  part           text not null,
  link           text not null,
  kept_at        timestamptz not null,
  primary key (customer_id, tenant_id, part),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint tenant_cursors_part_is_known check (part in ('people')),
  constraint tenant_cursors_link_is_bounded check (length(link) between 1 and 16384)
);
comment on table public.tenant_cursors is 'The link that a vendor gave for asking what changed since a part of a tenant was read whole. Owner: estate. Retention: until the part is read whole again.';

-- A scheduled run between two full ones spares what was read completely a short time ago, unless accounts changed since.
alter table public.tenant_parts add column spare_until timestamptz;
