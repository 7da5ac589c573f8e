//! Parts of the operator without a cluster: the client of STS, a scope against a fake API server, and the ports.

mod process;
mod sts;
