-- One tenant's mail domains as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (domain text, mail_provider text, mx_passes boolean, spf_passes boolean, spf_record text, dkim_enabled boolean, dmarc_present boolean, dmarc_policy text, dmarc_covers_all boolean, dmarc_reports boolean, dnssec_present boolean, score_percent smallint, analysed_at timestamptz, raw jsonb, content_hash text)
), known as (
  select s.id, s.domain, s.content_hash = decode(i.content_hash, 'hex') and s.missing_since is null as is_same
  from input i join public.tenant_mail_domains s on s.customer_id = $1 and s.cipp_tenant_id = $2 and s.domain = i.domain
), touched as (
  update public.tenant_mail_domains s set observed_at = greatest(s.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where s.customer_id = $1 and s.id = k.id and k.is_same returning 1
), written as (
  insert into public.tenant_mail_domains as s (customer_id, cipp_tenant_id, domain, mail_provider, mx_passes, spf_passes, spf_record, dkim_enabled, dmarc_present, dmarc_policy, dmarc_covers_all, dmarc_reports, dnssec_present, score_percent, analysed_at, raw, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.domain, i.mail_provider, i.mx_passes, i.spf_passes, i.spf_record, i.dkim_enabled, i.dmarc_present, i.dmarc_policy, i.dmarc_covers_all, i.dmarc_reports, i.dnssec_present, i.score_percent, i.analysed_at, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.domain = i.domain and k.is_same)
  on conflict (customer_id, cipp_tenant_id, domain) do update
    set mail_provider = excluded.mail_provider, mx_passes = excluded.mx_passes, spf_passes = excluded.spf_passes, spf_record = excluded.spf_record, dkim_enabled = excluded.dkim_enabled, dmarc_present = excluded.dmarc_present, dmarc_policy = excluded.dmarc_policy, dmarc_covers_all = excluded.dmarc_covers_all, dmarc_reports = excluded.dmarc_reports, dnssec_present = excluded.dnssec_present, score_percent = excluded.score_percent, analysed_at = excluded.analysed_at, raw = excluded.raw, content_hash = excluded.content_hash,
        observed_at = greatest(s.observed_at, excluded.observed_at), is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
