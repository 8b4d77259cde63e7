-- Who gave or took seats of the licenses $2 since $3, by the directories' own word; the latest first.
select e.id, p.id as person_id, coalesce(p.display_name, e.target_name, 'an account') as name, x.sku_id, x.is_given, e.happened_at, e.actor_name
from public.directory_changes e
left join public.tenant_people p on p.customer_id = e.customer_id and p.tenant_id = e.tenant_id and p.external_id = e.target_external
cross join lateral (
  select s.sku_id, true as is_given from unnest(e.skus_added) s (sku_id) union all select s.sku_id, false from unnest(e.skus_removed) s (sku_id)) x
where e.customer_id = $1 and (e.skus_added <> '{}' or e.skus_removed <> '{}') and e.outcome = 'success' and e.happened_at > $3 and x.sku_id = any ($2::uuid[])
order by e.happened_at desc, e.id limit $4
