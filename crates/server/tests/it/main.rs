//! The product from outside: real processes, real HTTP, real kills.
mod alone;
mod api;
mod demo;
mod existing;
mod installation;
mod process;
mod story;
