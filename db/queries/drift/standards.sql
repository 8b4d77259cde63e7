select setting, name, category from public.standards
