//! The client against the sandbox, over real HTTP.
