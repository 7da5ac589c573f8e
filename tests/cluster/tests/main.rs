//! The control plane, the stand-ins and the tools as the other suites use them. `node.rs` is a program of its own.

mod common;
mod control_plane;
mod fake_clock;
mod leash;
mod moto;
mod proxy;
mod proxy_api_server;
mod proxy_stops;
mod sts;
#[path = "common/upstream.rs"]
mod upstream;
