select m.user_id from public.staff_members m
join public.role_permissions p on p.role = m.role and p.permission = $1
limit 500
