-- Everything the data API knows about the database, as one JSON document. $1: the served schemas.
-- Runs with an empty search_path, so that every type and default is written with its schema.
select json_build_object(
  'relations', (
    select coalesce(json_agg(json_build_object(
      'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
      'verbs', case when c.relkind = 'c' then 0 else pg_relation_is_updatable(c.oid, true) end,
      'served', c.relkind <> 'c' and n.nspname = any ($1), 'comment', obj_description(c.oid, 'pg_class'),
      -- The one policy that lets members read, when it says: rows of these keys (and whatever else narrows them).
      'shares', (
        select case when count(*) = 1 and c.relkind = 'r' and c.relrowsecurity and min(said.parts[1]) is not null and bool_and(has_table_privilege(m.oid, c.oid, 'select'))
            then json_build_object('column', min(said.parts[1]), 'keys', min(said.parts[2])) end
        from pg_policy p
        join pg_roles m on m.rolname = 'authenticated' and (0 = any (p.polroles) or exists (
          select from unnest(p.polroles) as held (oid) where held.oid <> 0 and pg_has_role(m.oid, held.oid, 'usage')))
        cross join lateral (select regexp_match(pg_get_expr(p.polqual, p.polrelid),
          '^\(\((\w+) = ANY \(\( SELECT (\w+\.\w+\(''[\w:]+''::text\)) AS \w+\)::uuid\[\]\)\) AND ') as parts) said
        where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')),
      -- The columns of whole B-tree indexes, in which order they give rows.
      'walks', (
        select coalesce(json_agg(x.names), '[]') from pg_index i
        join pg_class b on b.oid = i.indexrelid join pg_am m on m.oid = b.relam and m.amname = 'btree'
        cross join lateral (select array_agg(a.attname order by k.at) as names from unnest(i.indkey::int2[]) with ordinality as k (number, at)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number where k.at <= i.indnkeyatts) x
        where i.indrelid = c.oid and i.indisvalid and i.indpred is null and i.indexprs is null),
      'columns', (
        select coalesce(json_agg(json_build_object(
          'number', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'base', case when t.typtype = 'd' then format_type(t.typbasetype, null) else format_type(a.atttypid, null) end,
          'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
          'comment', col_description(a.attrelid, a.attnum), 'is_required', a.attnotnull or (t.typtype = 'd' and t.typnotnull),
          'is_generated', a.attgenerated <> '' or a.attidentity = 'a', 'is_identity', a.attidentity <> '', 'type_oid', a.atttypid::bigint)
          order by a.attnum), '[]')
        from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))), '[]')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') and not c.relispartition
      and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'),
  'keys', (
    select coalesce(json_agg(json_build_object('relation', k.conrelid::bigint, 'primary', k.contype = 'p', 'columns', k.conkey)), '[]')
    from pg_constraint k where k.contype in ('p', 'u')),
  'foreign_keys', (
    select coalesce(json_agg(json_build_object(
      'name', k.conname, 'from', k.conrelid::bigint, 'to', k.confrelid::bigint, 'from_columns', k.conkey, 'to_columns', k.confkey)
      order by k.conname), '[]')
    from pg_constraint k where k.contype = 'f' and k.conparentid = 0),
  'views', (
    select coalesce(json_agg(json_build_object('oid', c.oid::bigint, 'rule', r.ev_action::text)), '[]')
    from pg_rewrite r
    join pg_class c on c.oid = r.ev_class and c.relkind in ('v', 'm')
    join pg_namespace n on n.oid = c.relnamespace and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    where r.rulename = '_RETURN'),
  'functions', (
    select coalesce(json_agg(json_build_object(
      'schema', n.nspname, 'name', p.proname, 'returns_set', p.proretset, 'volatility', p.provolatile,
      -- What the planner may take apart instead of calling it.
      'is_open', p.proretset and p.provolatile <> 'v' and not p.prosecdef and not p.proisstrict and p.proconfig is null
        and p.prolang = (select g.oid from pg_language g where g.lanname = 'sql'),
      'returns', format_type(p.prorettype, null), 'returns_relation', t.typrelid::bigint,
      'defaults', p.pronargdefaults, 'rows', p.prorows, 'settings', coalesce(p.proconfig, '{}'), 'comment', obj_description(p.oid, 'pg_proc'), 'returns_oid', p.prorettype::bigint,
      'media', case when t.typtype = 'd' and t.typname ~ '^[^ /]+/[^ /]+$' then t.typname end,
      'media_base', format_type(t.typbasetype, null),
      'arguments', (
        select coalesce(json_agg(json_build_object(
          'name', coalesce(p.proargnames[i.at], ''), 'mode', coalesce(p.proargmodes[i.at]::text, 'i'),
          'type', format_type(i.type, -1), 'base', format_type(i.type, null),
          'type_oid', i.type::bigint, 'relation', (select y.typrelid::bigint from pg_type y where y.oid = i.type)) order by i.at), '[]')
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as i (type, at)))), '[]')
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join pg_type t on t.oid = p.prorettype
    where n.nspname = any ($1) and p.prokind = 'f' and t.typname not in ('trigger', 'event_trigger')),
  'types', (
    select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', t.typname)), '[]')
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype in ('b', 'e', 'd', 'r') and t.typelem = 0 and t.typcategory not in ('P', 'X', 'Z')
      and t.typname !~ '^(_|reg|pg_)' and (n.nspname = 'pg_catalog' or n.nspname = any ($1))),
  -- An aggregate without a type of its own takes the rows of every relation.
  'handlers', (
    select coalesce(json_agg(json_build_object('media', t.typname, 'sql', format('%I.%I', n.nspname, p.proname),
      'relation', y.typrelid::bigint, 'base', format_type(t.typbasetype, null)) order by n.nspname, p.proname), '[]')
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    join pg_type t on t.oid = p.prorettype and t.typtype = 'd' and t.typname ~ '^[^ /]+/[^ /]+$'
    join pg_type y on y.oid = p.proargtypes[0] and (y.typrelid <> 0 or y.typname = 'anyelement')
    where p.prokind = 'a' and p.pronargs = 1),
  'features', (
    select format('%I.%I', n.nspname, p.proname)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.proname = 'st_asgeojson' and p.prokind = 'f' and p.proargtypes[0] = 'record'::regtype
      and p.pronargs - p.pronargdefaults <= 1
    limit 1),
  'writes_responses', exists (
    select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
      and concat(p.prosrc, pg_get_function_sqlbody(p.oid)) ~ 'response\.(headers|status)|''response\.(''|%)'),
  -- A name that is put together at run time counts as well: 'request.' || name, format('request.%s', name).
  'reads_requests', exists (
    select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
      and concat(p.prosrc, pg_get_function_sqlbody(p.oid)) ~ 'request\.(headers|cookies|path|method)|''request\.(''|%)'
    union all
    select from pg_policy y where concat(pg_get_expr(y.polqual, y.polrelid), pg_get_expr(y.polwithcheck, y.polrelid)) ~ 'request\.(headers|cookies|path|method)|''request\.(''|%)'
    union all
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('v', 'm') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
      and pg_get_viewdef(c.oid) ~ 'request\.(headers|cookies|path|method)|''request\.(''|%)'
    union all
    select from pg_attrdef d where pg_get_expr(d.adbin, d.adrelid) ~ 'request\.(headers|cookies|path|method)|''request\.(''|%)'
    union all
    select from pg_constraint k where k.contype = 'c' and pg_get_constraintdef(k.oid) ~ 'request\.(headers|cookies|path|method)|''request\.(''|%)')
)::text
