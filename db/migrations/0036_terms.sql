-- What a difference came to so far this month, and until when it cannot be reduced; terms of licenses.
alter table public.count_differences
  add column prorated_since    timestamptz,
  add column money_so_far      numeric(14,2),
  add column committed_until   timestamptz,
  add column committed_quantity numeric(14,4),
  add column commitment_kind   text,
  add column committed_money   numeric(14,2),
  add constraint count_differences_commitment_kind_is_known check (commitment_kind in ('line', 'license', 'both')),
  add constraint count_differences_commitments_are_whole check ((committed_until is null) = (committed_quantity is null) and (committed_until is null) = (commitment_kind is null)
    and (committed_until is not null or committed_money is null));

-- Subscriptions with a term, as the tenant's own list of them says: [{subscription, seats, until}]. Null: the list was not read.
alter table public.license_skus
  add column terms jsonb,
  add constraint license_skus_terms_are_a_list check (jsonb_typeof(terms) = 'array');

-- What requests cost of a day's quota, and whose, where each tenant has a quota of its own.
alter table public.vendor_calls
  add column tenant text not null default '',
  add column units  bigint not null default 0,
  drop constraint vendor_calls_pkey,
  add primary key (integration_id, hour, class, tenant),
  add constraint vendor_calls_units_are_counts check (units >= 0),
  add constraint vendor_calls_tenant_is_bounded check (length(tenant) <= 200);
comment on table public.vendor_calls is 'Attempts at a vendor by hour, class of calls and, where each tenant has a quota of its own, tenant: how many, what they cost of the day''s quota, answered with 429, without an answer, and how long they waited for our own quotas. Owner: platform. Retention: 90 days.';
