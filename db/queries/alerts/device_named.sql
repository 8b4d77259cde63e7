-- The customer's only device of this name ($2), which may carry a domain.
select (array_agg(d.id))[1] as id from public.devices d
where d.customer_id = $1 and d.missing_since is null and lower(d.name) in (lower($2), lower(split_part($2, '.', 1)))
having count(*) = 1
