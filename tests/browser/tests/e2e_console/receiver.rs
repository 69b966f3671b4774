//! A receiver of webhooks that answers as a test wishes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server needs to be told so that it sends anything here.
pub(crate) const ALLOW: &[&str] = &["--webhook-allow", "127.0.0.0/8"];

/// The status and the body of every answer.
type Answer = (u16, String);

/// A receiver at a port of its own.
pub(crate) struct Receiver {
    address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    received: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// It takes whatever it is told.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let answer = Arc::new(Mutex::new((200, "noted".to_owned())));
        let received = Arc::<Mutex<Vec<String>>>::default();
        let (wish, log) = (answer.clone(), received.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, wish.clone(), log.clone()));
            }
        });
        Self { address, answer, received }
    }

    pub(crate) fn url(&self) -> String {
        self.at("hook")
    }

    /// Its address with another path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// From now on it answers like this.
    pub(crate) fn answer(&self, status: u16, body: &str) {
        *self.answer.lock().expect("no panic") = (status, body.to_owned());
    }

    /// The ids of what it received, in order.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().expect("no panic").clone()
    }
}

/// One request, and its answer; nothing where it breaks off.
async fn serve(mut stream: TcpStream, wish: Arc<Mutex<Answer>>, log: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    log.lock().expect("no panic").push(header(&head, "webhook-id").unwrap_or_default().to_owned());
    let (status, body) = wish.lock().expect("no panic").clone();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} As wished\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// Whether the head is there, and as much behind it as it announces.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]);
    let announced = header(&head, "content-length").and_then(|text| text.parse().ok());
    request.len() >= end + 4 + announced.unwrap_or(0)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
