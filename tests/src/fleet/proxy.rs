//! A network path that can be held up, broken and closed: a TCP proxy.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a path does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It passes them.
    Open,
    /// It holds them back, in both directions, and closes nothing: they arrive once it is open.
    Held,
    /// Nobody gets through; connections that were there are broken.
    Closed,
}

/// A path from an address of its own to a target that may change.
pub struct Proxy {
    address: SocketAddr,
    switch: watch::Sender<Switch>,
    _serving: JoinSet<()>,
}

#[derive(Clone, Copy)]
struct Switch {
    passage: Passage,
    target: Option<SocketAddr>,
    /// Grows whenever all connections are broken.
    broken: u64,
}

impl Proxy {
    /// An open path on a free port, to nowhere so far.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let switch = Switch { passage: Passage::Open, target: None, broken: 0 };
        let (switch, seen) = watch::channel(switch);
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, seen));
        Self { address, switch, _serving: serving }
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections lead to `target`; without one, nowhere.
    pub fn lead_to(&self, target: Option<SocketAddr>) {
        self.switch.send_modify(|switch| switch.target = target);
    }

    /// Changes what the path does with bytes.
    pub fn set(&self, passage: Passage) {
        self.switch.send_modify(|switch| {
            switch.passage = passage;
            if passage == Passage::Closed {
                switch.broken += 1;
            }
        });
    }

    /// Breaks all connections that are there; new ones get through.
    pub fn break_all(&self) {
        self.switch.send_modify(|switch| switch.broken += 1);
    }
}

async fn accept(listener: TcpListener, switch: watch::Receiver<Switch>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(carry(near, switch.clone()));
    }
}

/// Carries one connection to its end, or until it is broken.
async fn carry(near: TcpStream, switch: watch::Receiver<Switch>) {
    let Switch { passage, broken, .. } = *switch.borrow();
    if passage == Passage::Closed {
        return;
    }
    let mut watched = switch.clone();
    tokio::select! {
        () = connect(near, switch) => {}
        _ = watched.wait_for(|switch| switch.broken != broken) => {}
    }
}

async fn connect(near: TcpStream, mut switch: watch::Receiver<Switch>) {
    opened(&mut switch).await;
    let Some(target) = switch.borrow().target else { return };
    let Ok(far) = TcpStream::connect(target).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let there = pump(near_in, far_out, switch.clone());
    let back = pump(far_in, near_out, switch);
    // What is broken on one side is broken on the other.
    let _ = tokio::try_join!(there, back);
}

/// Waits until the path is open, or gone.
async fn opened(switch: &mut watch::Receiver<Switch>) {
    let _ = switch.wait_for(|switch| switch.passage == Passage::Open).await;
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut switch: watch::Receiver<Switch>,
) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = from.read(&mut buffer).await?;
        // Asked after reading: what arrives while the path is held waits here.
        opened(&mut switch).await;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    async fn through() -> (Proxy, TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start().await;
        proxy.lead_to(listener.local_addr().ok());
        let near = TcpStream::connect(proxy.address()).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        (proxy, near, far)
    }

    #[tokio::test]
    async fn what_is_sent_while_a_path_is_held_arrives_once_it_is_open() {
        let (proxy, mut near, mut far) = through().await;
        proxy.set(Passage::Held);
        near.write_u8(7).await.unwrap();
        let held = timeout(Duration::from_millis(100), far.read_u8()).await;
        assert!(held.is_err(), "{held:?}");
        proxy.set(Passage::Open);
        assert_eq!(timeout(SOON, far.read_u8()).await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn a_closed_path_breaks_what_is_there_and_lets_nobody_through() {
        let (proxy, mut near, mut far) = through().await;
        proxy.set(Passage::Closed);
        for side in [&mut near, &mut far] {
            assert!(timeout(SOON, side.read_u8()).await.unwrap().is_err());
        }
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(timeout(SOON, refused.read_u8()).await.unwrap().is_err());
    }

    #[tokio::test]
    async fn the_end_of_one_side_is_the_end_of_the_other() {
        let (_proxy, near, mut far) = through().await;
        drop(near);
        assert!(timeout(SOON, far.read_u8()).await.unwrap().is_err());
    }
}
