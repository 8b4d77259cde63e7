//! The product from outside: real processes, real HTTP, real kills.
mod alone;
mod api;
mod demo;
mod installation;
mod process;
mod story;
