//! Ports of this machine for servers whose port is set before they start.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Result, bail};
use tokio::net::TcpSocket;

/// Above the ports of the slots, below those that the kernel assigns to outgoing connections: a port chosen by the
/// kernel could be in use again before the server binds it.
const FIRST: u16 = 28_000;
const COUNT: u16 = 4_700;

static GIVEN: AtomicU16 = AtomicU16::new(0);

/// An address of 127.0.0.1 that nothing listens on and that this process has not given out before.
///
/// # Errors
/// When all ports are taken.
pub fn unused_address() -> Result<String> {
    // Suites that run at the same time begin with different ports.
    let start = u16::try_from(std::process::id() % u32::from(COUNT))?;
    for _ in 0..COUNT {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + given % COUNT) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if is_free(address) {
            return Ok(address.to_string());
        }
    }
    bail!("no port from {FIRST} to {} is free", FIRST + COUNT - 1)
}

/// The probing socket binds the address but never listens: a program that another thread starts at that moment
/// inherits the socket until the program's own code runs, and a listener would keep the port.
fn is_free(address: SocketAddr) -> bool {
    let tried = TcpSocket::new_v4().and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)
    });
    tried.is_ok()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, net::TcpListener};

    use super::*;

    #[test]
    fn no_address_is_given_twice_while_others_are_left() {
        let given: BTreeSet<_> = (0..200).filter_map(|_| unused_address().ok()).collect();
        assert_eq!(given.len(), 200);
    }

    #[test]
    fn an_address_that_somebody_listens_on_is_not_given() {
        let mut held = Vec::new();
        for _ in 0..20 {
            let address = unused_address().expect("an address");
            held.push(TcpListener::bind(&address).expect("a port"));
            assert!(!is_free(address.parse().expect("an address")));
        }
        assert_eq!(held.len(), 20);
    }
}
