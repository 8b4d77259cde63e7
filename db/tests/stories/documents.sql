-- A technician sees every customer's documents, their words and who may open them.
-- as: staff(technician)
select from public.documents d join public.document_texts x on x.customer_id = d.customer_id and x.document_id = d.id
  join public.document_shares h on h.customer_id = d.customer_id and h.document_id = d.id
-- gives: 2

-- And in which sites, libraries and tenants they are, and how far these were read.
-- as: staff(auditor)
select from public.document_site_list s join public.document_site_parts p on p.customer_id = s.customer_id and p.site_id = s.id
  join public.document_drives r on r.customer_id = s.customer_id and r.site_id = s.id join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id
-- gives: 2

-- A customer's own people see none of it, not even their own.
-- as: authenticated(portal_admin)
select from public.documents
-- gives: refused

-- Nor search.
-- as: authenticated(portal_approver)
select from public.search_documents('report')
-- gives: refused

-- The vendor's links of a library are read by nobody but background work.
-- as: staff(owner)
select delta_link from public.document_drives
-- gives: refused

-- A technician chooses what is read of a site.
-- as: staff(technician)
update public.document_sites set reads = 'documents' where customer_id = :foreign.customers.id
-- gives: 1

-- An auditor does not.
-- as: staff(auditor)
update public.document_sites set reads = 'documents' where customer_id = :foreign.customers.id
-- gives: 0

-- Nobody says who chose.
-- as: staff(owner)
update public.document_sites set chosen_by = null
-- gives: refused

-- Nobody writes a document by hand.
-- as: staff(owner)
update public.documents set name = 'x'
-- gives: refused

-- Background work of one customer touches nothing of another.
-- as: worker(customer)
with a as (update public.document_tenants set name = 'x' where customer_id = :foreign.customers.id returning 1), b as (update public.document_sites set name = 'x' where customer_id = :foreign.customers.id returning 1),
  c as (update public.document_site_parts set row_count = 1 where customer_id = :foreign.customers.id returning 1), d as (update public.document_drives set name = 'x' where customer_id = :foreign.customers.id returning 1),
  e as (update public.documents set name = 'x' where customer_id = :foreign.customers.id returning 1), f as (update public.document_texts set text = 'x' where customer_id = :foreign.customers.id returning 1),
  g as (update public.document_shares set kind = 'view' where customer_id = :foreign.customers.id returning 1)
select from a union all select from b union all select from c union all select from d union all select from e union all select from f union all select from g
-- gives: 0

-- And everything of its own.
-- as: worker(customer)
with a as (update public.document_tenants set name = 'x' returning 1), b as (update public.document_sites set name = 'x' returning 1),
  c as (update public.document_site_parts set row_count = 1 returning 1), d as (update public.document_drives set name = 'x' returning 1),
  e as (update public.documents set name = 'x' returning 1), f as (update public.document_texts set text = 'x' returning 1), g as (update public.document_shares set kind = 'view' returning 1)
select from a, b, c, d, e, f, g
-- gives: 1

-- Where tenants are filed is known over all customers, by their keys.
-- as: system
select customer_id, id, external_id from public.document_tenants
-- gives: 2

-- But not what they are called.
-- as: system
select name from public.document_tenants
-- gives: refused
