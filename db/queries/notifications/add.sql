insert into public.notifications (user_id, id, customer_id, kind, title, body, link, created_at)
select u.user_id, app.uuid_v7(), $2, $3, $4, $5, $6, $7 from unnest($1::uuid[]) as u (user_id)
