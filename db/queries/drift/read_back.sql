-- The reading back is a fact of the setting, newer than any list. The next complete reading says it again.
with was as (select s.id, s.value from public.tenant_settings s where s.customer_id = $1 and s.cipp_tenant_id = $2 and s.setting = $3 for update),
told as (insert into public.tenant_setting_changes (customer_id, cipp_tenant_id, setting, before, after, seen_at)
  select $1, $2, $3, w.value, $4, $5 from was w where w.value is distinct from $4::jsonb)
update public.tenant_settings s
set value = $4, observed_at = greatest(s.observed_at, $5), changed_at = case when w.value is distinct from $4::jsonb then $5 else s.changed_at end
from was w where s.customer_id = $1 and s.id = w.id
