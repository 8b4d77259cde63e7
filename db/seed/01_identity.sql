-- Permissions, roles and the default service level. Idempotent; applied after the rules.
insert into public.permissions (permission, description) values
  ('customers:read', 'See customers'), ('customers:write', 'Add and edit customers'),
  ('sites:read', 'See sites'), ('sites:write', 'Add and edit sites'),
  ('people:read', 'See people and their roles, accounts, licenses and second factors'), ('people:write', 'Add people and change their roles'),
  ('devices:read', 'See devices and their conditions'),
  ('alerts:read', 'See alerts'), ('alerts:write', 'Acknowledge alerts'),
  ('incidents:read', 'See incidents'), ('incidents:write', 'Start and stop remediation'),
  ('tickets:read', 'See tickets'), ('tickets:write', 'Open and work on tickets'),
  ('runs:read', 'See workflow runs'), ('runs:write', 'Start and cancel workflow runs'),
  ('approvals:read', 'See approvals'), ('approvals:decide', 'Approve and reject'),
  ('evidence:read', 'See and download evidence'),
  ('workflows:read', 'See workflows'), ('workflows:write', 'Switch workflows on and off'),
  ('rules:read', 'See remediation rules'), ('rules:write', 'Edit remediation rules'),
  ('integrations:read', 'See integrations and synchronizations'), ('integrations:write', 'Map organizations, edit integrations'),
  ('integrations:sync', 'Start a synchronization'),
  ('files:read', 'See and download files'), ('files:write', 'Upload, rename and remove files'), ('buckets:write', 'Make and change buckets'),
  ('documents:read', 'See documents, sites and sharing links, and search their text'), ('documents:manage', 'Choose what is read of a site'),
  ('sla:write', 'Edit service levels'), ('audit:read', 'Read the audit log, and who read what'),
  ('billing:read', 'See products, lines, bills, payments, tickets of the billing system and what is billed wrongly'),
  ('billing:manage', 'Edit count rules, ignore differences, change what is billed'),
  ('estate:manage', 'Decide which records are of one machine'),
  ('configuration:read', 'See configuration items and their relationships'), ('configuration:write', 'Enter configuration items and relationships'),
  ('mfa:manage', 'Accept for a time that somebody is not asked for a second factor'),
  ('drift:read', 'See baselines, and where tenants differ from them'),
  ('drift:manage', 'Accept, deny and remediate drift'), ('baselines:write', 'Edit baselines and tiers'),
  ('security:read', 'See security alerts and probes of the isolation'), ('security:write', 'Acknowledge security alerts, lift a freeze of exports')
on conflict (permission) do update set description = excluded.description;

insert into public.roles (role, audience, description) values
  ('owner', 'staff', 'Everything'),
  ('technician', 'staff', 'Works on tickets, incidents and devices of all customers'),
  ('auditor', 'staff', 'Reads everything, changes nothing'),
  ('portal_admin', 'portal', 'A customer''s contact: sees the estate, opens tickets'),
  ('portal_approver', 'portal', 'A customer''s contact who may also approve changes')
on conflict (role) do update set audience = excluded.audience, description = excluded.description;

delete from public.role_permissions where role in ('owner', 'technician', 'auditor', 'portal_admin', 'portal_approver');
insert into public.role_permissions (role, permission)
  select 'owner', permission from public.permissions
  union all
  select 'technician', permission from public.permissions
    where permission not in ('people:write', 'workflows:write', 'rules:write', 'integrations:write', 'sla:write', 'audit:read', 'customers:write', 'buckets:write',
      'security:read', 'security:write', 'billing:manage', 'baselines:write')
  union all
  select 'auditor', permission from public.permissions where permission like '%:read'
  union all
  select role, permission from (values ('portal_admin'), ('portal_approver')) as r (role),
    unnest(array['customers:read', 'sites:read', 'devices:read', 'alerts:read', 'incidents:read', 'tickets:read', 'tickets:write', 'runs:read',
                 'approvals:read', 'evidence:read', 'people:read', 'files:read', 'files:write', 'billing:read']) as p (permission)
  union all
  values ('portal_approver', 'approvals:decide');

insert into public.sla_policies (name, is_default) values ('Standard', true) on conflict (name) do nothing;
insert into public.sla_targets (policy_id, priority, first_response_minutes)
  select p.id, t.priority::public.ticket_priority, t.minutes
  from public.sla_policies p, (values ('p1', 15), ('p2', 60), ('p3', 240), ('p4', 1440)) as t (priority, minutes)
  where p.name = 'Standard'
on conflict (policy_id, priority) do nothing;
