-- A run that begins or waits stays where it is in every index: only its end moves it.
drop index flow.runs_open;
create index runs_open on flow.runs (customer_id) where ended_at is null;
alter table flow.runs set (fillfactor = 85);
