//! The order of service, in which each waiter is served exactly once.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod semaphore;
