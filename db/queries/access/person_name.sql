select app.person_name($1) as name
