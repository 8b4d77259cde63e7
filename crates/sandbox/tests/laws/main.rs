//! The sandbox's own laws, over real HTTP.
mod estate;
mod faults;
mod protocol;
mod scripts;
mod support;
mod webhooks;
