-- Changes of a tenant's directory as just read ($3); what is known stays as it is. $5: what happened before it and is new came late.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, happened_at timestamptz, activity text, category text, service text, outcome text, outcome_reason text,
    actor_kind text, actor_external text, actor_name text, actor_ip text, target_kind text, target_external text, target_name text, skus_added uuid[], skus_removed uuid[],
    properties jsonb, further_targets integer)
), written as (
  insert into public.directory_changes (customer_id, tenant_id, external_id, happened_at, activity, category, service, outcome, outcome_reason, actor_kind, actor_external,
    actor_name, actor_ip, target_kind, target_external, target_name, skus_added, skus_removed, properties, further_targets, observed_at)
  select $1, $2, i.external_id, i.happened_at, i.activity, i.category, i.service, i.outcome, i.outcome_reason, i.actor_kind, i.actor_external,
    i.actor_name, i.actor_ip, i.target_kind, i.target_external, i.target_name, i.skus_added, i.skus_removed, i.properties, i.further_targets, $4
  from input i on conflict (customer_id, tenant_id, external_id) do nothing
  returning happened_at
)
select count(*) as created, count(*) filter (where happened_at < $5::timestamptz) as late from written
