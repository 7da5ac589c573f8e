//! The image: its archive, its pods on a node, and the workflow that releases it.

mod archive;
mod node;
mod workflow;
