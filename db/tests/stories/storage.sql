-- A portal user cannot file something under another customer by its name: the key and the name agree.
-- as: authenticated(portal_admin)
insert into storage.objects (customer_id, bucket, name, blob_key, sha256, size_bytes, mime_type)
values (:colleague.customers.id, 'attachments', :foreign.customers.id || '/a.txt', 'x/1', repeat('0', 64), 1, 'text/plain')
-- gives: 23514

-- A portal user cannot file something under another customer.
-- as: authenticated(portal_admin)
insert into storage.objects (customer_id, bucket, name, blob_key, sha256, size_bytes, mime_type)
values (:foreign.customers.id, 'attachments', :foreign.customers.id || '/a.txt', 'x/1', repeat('0', 64), 1, 'text/plain')
-- gives: refused

-- A portal user reads evidence of their customer, but adds none.
-- as: authenticated(portal_admin)
insert into storage.objects (customer_id, bucket, name, blob_key, sha256, size_bytes, mime_type)
values (:colleague.customers.id, 'evidence', :colleague.customers.id || '/a.txt', 'x/1', repeat('0', 64), 1, 'text/plain')
-- gives: refused

-- What is written once is not removed, not even by the owner.
-- given: update storage.objects set bucket = 'evidence'
-- as: staff(owner)
delete from storage.objects
-- gives: 0

-- A portal user sees nothing in a bucket that is closed to members.
-- given: update storage.buckets set member_access = 'none'
-- as: authenticated(portal_admin)
select from storage.objects
-- gives: 0

-- A portal user does not know of a bucket that is closed to members.
-- given: update storage.buckets set member_access = 'none'
-- as: authenticated(portal_admin)
select from storage.buckets
-- gives: 0

-- Background work of one customer sees no file of another.
-- as: worker(customer)
select from storage.objects where customer_id = :foreign.customers.id
-- gives: 0
