//! Who is served next, and that nobody is forgotten or served twice.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod gate;
mod queue;
