//! The network of a node: a bridge for its pods, and the rules by which they reach the API server and the world.
//! The bridge is made first and removed last, so without a bridge there is nothing to remove.

use std::{net::Ipv4Addr, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::{control_plane::SERVICE_ADDRESS, host_allocation::HostAllocation};

/// The built-in chains that call ours.
const CALLS: [(&str, &str, &str); 4] = [
    ("nat", "PREROUTING", "pre"),
    ("nat", "POSTROUTING", "post"),
    ("filter", "FORWARD", "fwd"),
    ("filter", "INPUT", "in"),
];

/// The name of the slot's bridge.
pub(crate) fn bridge(slot: u16) -> String {
    format!("sacbr{slot}")
}

/// Makes the bridge. What pods send to the address of the service `kubernetes`, or to the API server's port of the
/// bridge, is redirected to the API server on 127.0.0.1.
pub(crate) fn create(allocation: &HostAllocation, api_server: u16) -> Result<()> {
    let number = allocation.number();
    let bridge = bridge(number);
    let address = allocation.bridge_address();
    run("ip", &format!("link add {bridge} type bridge"))?;
    run("ip", &format!("addr add {address}/24 dev {bridge}"))?;
    run("ip", &format!("link set {bridge} up"))?;
    // The bridge accepts packets for 127.0.0.1 now; the rules let only those pass that we redirected.
    set_sysctl(&format!("net/ipv4/conf/{bridge}/route_localnet"))?;
    set_sysctl("net/ipv4/ip_forward")?;
    for (table, builtin, suffix) in CALLS {
        iptables(table, &format!("-N {}", chain(number, suffix)))?;
        iptables(table, &format!("-I {builtin} -j {}", chain(number, suffix)))?;
    }
    let rule = |table, suffix, rule: String| {
        iptables(table, &format!("-A {} {rule}", chain(number, suffix)))
    };
    for (to, port) in [(SERVICE_ADDRESS, 443), (address, api_server)] {
        let from = format!("-i {bridge} -d {to} -p tcp --dport {port}");
        let led = format!("{from} -j DNAT --to-destination 127.0.0.1:{api_server}");
        rule("nat", "pre", led)?;
    }
    let subnet = allocation.subnet();
    rule(
        "filter",
        "in",
        format!("-i {bridge} -m conntrack --ctstate DNAT -j ACCEPT"),
    )?;
    rule(
        "filter",
        "in",
        format!("-i {bridge} -d 127.0.0.0/8 -j DROP"),
    )?;
    rule("filter", "in", format!("-i {bridge} -j ACCEPT"))?;
    rule("filter", "fwd", format!("-i {bridge} -j ACCEPT"))?;
    rule("filter", "fwd", format!("-o {bridge} -j ACCEPT"))?;
    rule(
        "nat",
        "post",
        format!("-s {subnet} ! -d {subnet} -j MASQUERADE"),
    )
}

/// Redirects connections of pods to `port` of the bridge's address to the same port of 127.0.0.1.
pub(crate) fn expose(slot: u16, address: Ipv4Addr, port: u16) -> Result<()> {
    let from = format!("-i {} -d {address} -p tcp --dport {port}", bridge(slot));
    let led = format!("{from} -j DNAT --to-destination 127.0.0.1:{port}");
    iptables("nat", &format!("-A {} {led}", chain(slot, "pre")))
}

/// Removes the bridge and the rules of a slot, if there are any.
pub(crate) fn remove(slot: u16) -> Result<()> {
    let bridge = bridge(slot);
    if !Path::new("/sys/class/net").join(&bridge).exists() {
        return Ok(());
    }
    for (table, builtin, suffix) in CALLS {
        let chain = chain(slot, suffix);
        // The last holder may have been killed half-way, so each of these commands may fail.
        let _ = iptables(table, &format!("-D {builtin} -j {chain}"));
        let _ = iptables(table, &format!("-F {chain}"));
        let _ = iptables(table, &format!("-X {chain}"));
    }
    run("ip", &format!("link del {bridge}"))
}

fn chain(slot: u16, suffix: &str) -> String {
    format!("SAC-{slot}-{suffix}")
}

fn iptables(table: &str, args: &str) -> Result<()> {
    run("iptables", &format!("-w 60 -t {table} {args}"))
}

fn set_sysctl(name: &str) -> Result<()> {
    let path = Path::new("/proc/sys").join(name);
    std::fs::write(&path, "1").with_context(|| format!("cannot write {}", path.display()))
}

fn run(program: &str, args: &str) -> Result<()> {
    let output = Command::new(program)
        .args(args.split_whitespace())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} {args}: {}",
        words.trim()
    );
    Ok(())
}
