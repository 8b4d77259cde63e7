-- Customers with an account or organization, or with a difference that is not closed (role system: keys only).
select customer_id from public.integration_organizations where customer_id is not null
union
select customer_id from public.count_differences where state <> 'closed'
order by 1
