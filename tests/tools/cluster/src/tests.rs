//! The control plane, the stand-ins and the tools as the suites use them.

mod caller;
mod child_process;
mod control_plane;
mod fake_clock;
mod moto;
mod proxy;
mod proxy_api_server;
mod proxy_stops;
mod stores;
mod sts;
mod upstream;
