//! What ends is prepared for its renewal: a ticket with the words to send, told again at every threshold, closed when it was renewed.
use kernel::{Timestamp, id::CustomerId};
use pg::{Pg, PgError, SystemReason, WorkReason};
use store::{
    cipp::DueExpiry,
    drift,
    expiries::{self, Renewed},
    tickets::{self, Audience, EventKind, TicketState},
};

use super::{What, day};

/// From so near on the ticket is urgent.
const URGENT_DAYS: i32 = 7;
const SUBJECT_CHARS_MAX: usize = 300;

/// Opens or goes on with the ticket of each end that became nearer. Repeating it changes nothing.
pub(super) async fn prepare(pg: &Pg, due: &[DueExpiry], now: Timestamp) -> Result<(), PgError> {
    for it in due {
        // What belongs to no customer is the provider's own: its people are told.
        if let Some(customer) = it.customer {
            one(pg, customer, it, now).await?;
        }
    }
    Ok(())
}

async fn one(pg: &Pg, customer: CustomerId, due: &DueExpiry, now: Timestamp) -> Result<(), PgError> {
    let tx = pg.work_for(customer, WorkReason::Schedule).await?;
    let known =
        expiries::renewal(&tx, customer, due).await?.filter(|it| it.ends_at == due.ends_at && !it.is_closed);
    let ticket = match known {
        Some(known) if known.days <= due.days => return tx.rollback().await,
        Some(known) => {
            let text = nearer(due);
            let (kind, whom) = (EventKind::Automation, Audience::ProviderOnly);
            tickets::add_event(&tx, customer, known.ticket, kind, whom, &text, None, None, now).await?;
            known.ticket
        }
        None => drift::open_ticket(&tx, customer, &subject(due), &words(due), now).await?,
    };
    if due.days <= URGENT_DAYS {
        let text = format!("It is not renewed; the day is {}.", day(due.ends_at));
        tickets::escalate(&tx, customer, ticket, &text, now).await?;
    }
    expiries::keep_renewal(&tx, due, customer, ticket, now).await?;
    tx.commit().await
}

/// Closes the tickets of what was renewed, or is not there any more.
pub(super) async fn close_renewed(pg: &Pg, now: Timestamp) -> Result<usize, PgError> {
    let tx = pg.system(SystemReason::ExpiriesDue).await?;
    let renewed = expiries::renewed(&tx, now).await?;
    tx.rollback().await?;
    for it in &renewed {
        let tx = pg.work_for(it.customer, WorkReason::Schedule).await?;
        if expiries::drop_renewal(&tx, it).await? {
            let text = done(it);
            tickets::set_state(&tx, it.customer, it.ticket, TicketState::Closed, Some(&text)).await?;
        }
        tx.commit().await?;
    }
    Ok(renewed.len())
}

fn subject(due: &DueExpiry) -> String {
    let text = match What::of(&due.kind) {
        What::Access => format!("Renew our access to {}: it ends on {}", due.subject, day(due.ends_at)),
        What::Credential | What::Own => format!("Renew {}: it ends on {}", due.subject, day(due.ends_at)),
    };
    text.chars().take(SUBJECT_CHARS_MAX).collect()
}

/// Who is to act, and the message to send.
fn words(due: &DueExpiry) -> String {
    let day = day(due.ends_at);
    let subject = &due.subject;
    match What::of(&due.kind) {
        What::Access => format!(
            "To do: make a new delegated admin relationship (GDAP) in Partner Center with the same roles, and send its link to a global administrator of {subject}.\n\n\
             Message:\n\nOur access to look after your Microsoft 365 ends on {day}. Please open the link below as a global administrator and accept the new \
             relationship before then. Nothing changes in what we may do. Without it we can neither see nor mend anything in your tenant.\n\n[link from Partner Center]"
        ),
        What::Credential | What::Own => format!(
            "To do: make a new secret or certificate for the application, put it where the application is used, then remove the old one.\n\n\
             Message:\n\n{subject} ends on {day}. Whoever looks after the application needs a new one before then, or it stops working. \
             Please tell us who that is, and when it suits to exchange it."
        ),
    }
}

fn nearer(due: &DueExpiry) -> String {
    if due.days == 0 {
        format!("It has ended on {}.", day(due.ends_at))
    } else {
        format!("It ends within {} days, on {}.", due.days, day(due.ends_at))
    }
}

fn done(of: &Renewed) -> String {
    match (of.is_gone, of.ends_at) {
        (true, _) => "It is not there any more: nothing is left to renew.".to_owned(),
        (false, Some(at)) => format!("It was renewed: it ends on {} now.", day(at)),
        (false, None) => "It renews itself now.".to_owned(),
    }
}
