-- Baselines in force with what they say.
select b.id, b.kind, b.name,
  (select coalesce(jsonb_agg(jsonb_build_object('setting', e.setting, 'rule', e.rule, 'severity', e.severity, 'why', e.why)), '[]')
     from public.baseline_entries e where e.baseline_id = b.id) as entries
from public.baselines b where b.archived_at is null
