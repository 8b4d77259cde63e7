-- The buckets that the product itself uses. An operator's changes to their limits stay.
insert into storage.buckets (name, kind, member_access, is_write_once, file_size_max_bytes) values
  ('evidence', 'customer', 'read', true, 104857600),
  ('attachments', 'customer', 'write', false, 26214400),
  ('documents', 'customer', 'none', true, 33554432),
  ('knowledge', 'provider', 'none', false, 104857600)
on conflict (name) do nothing;
