//! AWS regions and the partitions that they belong to.

/// A partition: a separate AWS with its own accounts and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
}
