//! Debian packages, unpacked into the cache instead of installed, so that the machine stays as it is: [`unpacked`] for
//! a program of this machine's architecture, [`cross_tools`] for compilers of another.

pub mod cache;
mod cross;
mod package;

pub use cross::{Target, cross_tools};
pub use package::unpacked;
