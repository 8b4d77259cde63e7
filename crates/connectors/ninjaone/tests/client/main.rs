//! The client against the sandbox, over real HTTP.
mod auth;
mod paging;
mod reads;
mod scripts;
mod support;
mod writes;
