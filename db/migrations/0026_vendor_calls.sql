-- How often each vendor is asked: what the limits of a vendor are measured against.
create table public.vendor_calls (
  integration_id uuid not null references public.integrations on delete cascade,
  hour           timestamptz not null,
  class          text not null,
  calls          bigint not null,
  throttled      bigint not null,
  failed         bigint not null,
  waited_ms      bigint not null,
  primary key (integration_id, hour, class),
  constraint vendor_calls_counts_are_counts check (least(calls, throttled, failed, waited_ms) >= 0),
  constraint vendor_calls_class_is_bounded check (length(class) between 1 and 64)
);
create index vendor_calls_hour on public.vendor_calls (hour);
comment on table public.vendor_calls is 'Attempts at a vendor by hour and class of calls: how many, answered with 429, without an answer, and how long they waited for our own quotas. Owner: platform. Retention: 90 days.';
