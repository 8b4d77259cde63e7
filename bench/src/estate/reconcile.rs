//! The comparison of all customers' counts with their bills. Limit: 1,000 customers in 5 seconds.
use std::time::Instant;

use app::money::reconcile;
use kernel::Clock;
use store::money::Reason;
use tokio_postgres::Client;

use crate::{
    Result, progress,
    report::{Goal, Section},
    stage::Stage,
};

const SECONDS_MAX: f64 = 5.0;
/// Connections, as in the product.
const POOL: usize = 24;

/// Of each customer: 45 workstations, 5 servers, 50 people of whom 40 hold a seat, and a line for each of the three. Every tenth
/// customer is billed 3 workstations too few, every other tenth 2 seats too many.
const SQL: &str = "
    truncate public.customers, public.integrations, public.count_rules cascade;
    insert into public.integrations (vendor, name, base_url) select v, v, 'http://127.0.0.1:1' from unnest(array['ninjaone', 'microsoft', 'revio']) v;
    insert into public.customers (slug, code, name) select 'money-' || n, 'M' || lpad(n::text, 5, '0'), 'Customer ' || n from generate_series(0, CUSTOMERS - 1) n;
    insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
      select i.id, c.slug, c.name, c.id, now() - interval '1 day', now() from public.customers c cross join public.integrations i;
    with run as (
      insert into public.sync_runs (integration_id, kind, state, queued_at, started_at, ended_at)
      select id, 'full', 'complete', now(), now(), now() from public.integrations returning id, integration_id)
    insert into public.sync_parts (sync_run_id, part, position, state)
      select run.id, part, 0, 'complete' from run cross join unnest(array['organizations', 'devices', 'products', 'lines']) part;
    insert into public.devices (customer_id, integration_id, external_id, name, class, vendor_class, raw, content_hash, observed_at, is_complete)
      select c.id, i.id, c.code || n, 'PC-' || n, case when n > 45 then 'server' else 'workstation' end, 'WINDOWS_WORKSTATION',
        jsonb_build_object('created', extract(epoch from now() - interval '10 days')), '\\x00', now(), true
      from public.customers c cross join generate_series(1, 50) n cross join public.integrations i where i.vendor = 'ninjaone';
    insert into public.tenants (customer_id, integration_id, external_id, name, observed_at, is_complete)
      select c.id, i.id, c.slug, c.name, now(), true from public.customers c cross join public.integrations i where i.vendor = 'microsoft';
    insert into public.tenant_parts (customer_id, tenant_id, part, state, observed_at, attempted_at)
      select t.customer_id, t.id, part, 'complete', now(), now() from public.tenants t cross join unnest(array['seats', 'people']) part;
    insert into public.tenant_people (customer_id, tenant_id, external_id, user_principal_name, display_name, user_type, account_enabled, raw, content_hash, observed_at, is_complete)
      select t.customer_id, t.id, n::text, 'p' || n || '@' || t.external_id || '.example', 'Person ' || n, 'member', true, '{}', '\\x00', now(), true
      from public.tenants t cross join generate_series(1, 50) n;
    insert into public.license_skus (customer_id, tenant_id, sku_id, part_number, name, purchased, suspended, warning, assigned, status, raw, content_hash, observed_at, is_complete)
      select customer_id, id, SKU, 'SPB', 'Business Premium', 45, 0, 0, 40, 'Enabled', '{}', '\\x00', now(), true from public.tenants;
    insert into public.person_licenses (customer_id, person_id, sku_id, by_group, assigned_at)
      select customer_id, id, SKU, false, now() - interval '30 days' from public.tenant_people where external_id::integer <= 40;
    insert into public.billing_products (integration_id, external_id, name, code, rate, currency, is_active, raw, content_hash, observed_at, is_complete)
      select i.id, code, code, code, 25, 'USD', true, '{}', '\\x00', now(), true
      from public.integrations i cross join unnest(array['WKS', 'SRV', 'SEAT']) code where i.vendor = 'revio';
    insert into public.count_rules (name, billing_product_id, device_classes)
      select name, id, array[case code when 'WKS' then 'workstation' else 'server' end] from public.billing_products where code <> 'SEAT';
    insert into public.count_rules (name, billing_product_id, counts, sku_ids, seat_basis) select name, id, 'seats', array[SKU], 'assigned' from public.billing_products where code = 'SEAT';
    insert into public.billing_lines (customer_id, integration_id, external_id, account_ref, product_id, product_ref, name, quantity, rate, currency, status, is_active, activated_at, raw, content_hash, observed_at, is_complete)
      select c.id, p.integration_id, c.code || p.code, c.slug, p.id, p.external_id, p.name,
        case p.code when 'SRV' then 5 when 'WKS' then case when substr(c.code, 2)::integer % 10 = 0 then 42 else 45 end
          else case when substr(c.code, 2)::integer % 10 = 5 then 42 else 40 end end,
        25, 'USD', 'active', true, now() - interval '30 days', '{}', '\\x00', now(), true
      from public.customers c cross join public.billing_products p;";
const SKU: &str = "'cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46'::uuid";

pub async fn measure(stage: &Stage, admin: &Client, customers: u32, section: &mut Section) -> Result<()> {
    progress!("{customers} customers to compare ...");
    admin.batch_execute(&SQL.replace("CUSTOMERS", &customers.to_string()).replace("SKU", SKU)).await?;
    admin.batch_execute("vacuum (analyze)").await?;
    let pool = stage.pool(POOL)?;
    for (what, opened) in [("first: all differences are found", customers / 5), ("again: nothing changed", 0)]
    {
        let began = Instant::now();
        let ended = reconcile::all(&pool, &Clock::system(), Reason::Request, None).await?.ended;
        let seconds = began.elapsed().as_secs_f64();
        if !ended.skipped.is_empty()
            || u32::try_from(ended.done)? != customers
            || u32::try_from(ended.opened)? != opened
            || u32::try_from(ended.open)? != customers / 5
        {
            return Err(format!(
                "{customers} customers, {} planted differences, but: {ended:?}",
                customers / 5
            )
            .into());
        }
        let what = format!("comparison of {customers} customers' counts and bills, {what}");
        progress!("{what}: {seconds:.2} s");
        section.row([
            what.clone(),
            format!("{seconds:.2} s, {} differences open", ended.open),
            format!("{SECONDS_MAX:.0} s"),
            format!("{:.2}", seconds / SECONDS_MAX),
        ]);
        let is_met = seconds < SECONDS_MAX;
        section.goals.push(Goal { what, is_met, text: format!("< {SECONDS_MAX:.0} s") });
    }
    pool.close();
    Ok(())
}
