//! Count truth against a real PostgreSQL and the sandbox of both vendors: what is compared, what is passed over, and what becomes of each difference.
mod estate;
mod ignore;
mod line;
mod reconcile;
mod revio;
mod revio_tickets;
mod terms;
mod truth;
mod world;
