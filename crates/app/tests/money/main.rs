//! Count truth against a real PostgreSQL: what is compared, what is passed over, and what becomes of each difference.
mod ignore;
mod reconcile;
mod world;
