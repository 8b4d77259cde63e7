select current_setting('role') = 'staff' and app.has($1) as may
