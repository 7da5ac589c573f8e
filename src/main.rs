//! The process: parse, wire, exit code.

fn main() {}
