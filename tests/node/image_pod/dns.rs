//! A name server that knows one name. A static program has its own resolver, so the test has to show that it queries
//! a server.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use tokio::{net::UdpSocket, task::JoinHandle};

const NO_ERROR: u8 = 0;
const NO_SUCH_NAME: u8 = 3;
const TYPE_A: &[u8] = &[0, 1];

/// Serves until it is dropped.
pub(crate) struct NameServer {
    task: JoinHandle<()>,
}

impl NameServer {
    /// Listens where pods send queries, and answers with the address for the name.
    pub(crate) async fn start(on: Ipv4Addr, name: &str, address: Ipv4Addr) -> Result<Self> {
        let socket = UdpSocket::bind((on, 53)).await;
        let socket = socket.with_context(|| format!("cannot serve names on {on}"))?;
        let labels = labels(name);
        let task = tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                if let Some(answer) = answer(&query[..length], &labels, address) {
                    // A client without an answer asks again.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Ok(Self { task })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A name as encoded in a question: each part after its length, and an end.
fn labels(name: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for label in name.split('.') {
        all.push(u8::try_from(label.len()).expect("a short label"));
        all.extend(label.as_bytes());
    }
    all.push(0);
    all
}

fn answer(query: &[u8], labels: &[u8], address: Ipv4Addr) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let end = question.iter().position(|byte| *byte == 0)? + 1;
    let (name, kind) = (question.get(..end)?, question.get(end..end + 2)?);
    let is_known = name == labels;
    let code = if is_known { NO_ERROR } else { NO_SUCH_NAME };
    let answers = u8::from(is_known && kind == TYPE_A);
    let mut all = query.get(..2)?.to_vec();
    all.extend([0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
    all.extend(question.get(..end + 4)?);
    if answers == 1 {
        // The name is the question's; type A, class IN, TTL 0, four bytes.
        all.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        all.extend(address.octets());
    }
    Some(all)
}
