//! A crude HTTP server: it sends the given bytes unchanged, and keeps the requests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The running server, which ends when dropped.
pub struct Raw {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

/// A request as received.
#[derive(Clone, Debug)]
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Reaction of the server to a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends these bytes and closes the connection.
    Send(Vec<u8>),
    /// Sends these bytes one at a time, with this pause.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes, and then blanks until the client closes the connection.
    Endless(Vec<u8>),
    /// Sends nothing and leaves the connection open.
    Hang,
    /// Sends nothing and closes the connection.
    Close,
}

impl Raw {
    /// Performs one act per connection, in order; the last act repeats.
    pub async fn start(acts: impl Into<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let task = tokio::spawn(serve(listener, acts.into(), Arc::clone(&requests)));
        Self {
            url: format!("http://{address}"),
            requests,
            task,
        }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("requests").clone()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Request {
    /// The value of a header that occurs at most once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice");
        value
    }
}

async fn serve(listener: TcpListener, acts: Vec<Act>, requests: Arc<Mutex<Vec<Request>>>) {
    let mut number = 0;
    while let Ok((mut stream, _)) = listener.accept().await {
        let act = acts[number.min(acts.len() - 1)].clone();
        number += 1;
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            if let Some(request) = read(&mut stream).await {
                requests.lock().expect("requests").push(request);
                // The client may have closed the connection, which is not a fault.
                let _ = perform(act, &mut stream).await;
            }
        });
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let request = Request {
                line: lines.next()?.to_owned(),
                headers: lines
                    .filter_map(|line| line.split_once(": "))
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                    .collect(),
                body: body.to_owned(),
            };
            let length = request.header("content-length").unwrap_or("0");
            if Ok(body.len()) == length.parse() {
                return Some(request);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn perform(act: Act, stream: &mut TcpStream) -> std::io::Result<()> {
    match act {
        Act::Send(bytes) => stream.write_all(&bytes).await?,
        Act::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(pause).await;
            }
        }
        Act::Endless(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(&[b' '; 4096]).await?;
            }
        }
        Act::Hang => std::future::pending().await,
        Act::Close => {}
    }
    stream.shutdown().await
}

/// A reply with this status, header lines and body.
pub fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Some Reason\r\ncontent-length: {length}\r\n");
    format!("{head}connection: close\r\n{headers}\r\n{body}").into_bytes()
}

/// The body of a success.
pub fn success(account: &str, arn: &str) -> String {
    format!(
        r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>{arn}</Arn>
    <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>
    <Account>{account}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>
"#
    )
}

/// The body of an error.
pub fn failure(code: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
  <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>
</ErrorResponse>
"#
    )
}
