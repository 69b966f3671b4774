//! A network that can be cut: a TCP proxy that stops passing bytes without closing anything.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Passes bytes between whoever connects to it and one target. Ends when dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    passing: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

impl Proxy {
    /// A proxy on a free loopback port to `target`.
    pub(super) async fn start(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (passing, gate) = watch::channel(true);
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, target, gate));
        Ok(Self { address, passing, _serving: serving })
    }

    /// Where to connect.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes nothing any more, in either direction, and closes nothing.
    pub(super) fn cut(&self) {
        self.passing.send_replace(false);
    }

    /// Passes everything again, beginning with what was held back.
    pub(super) fn heal(&self) {
        self.passing.send_replace(true);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, gate: watch::Receiver<bool>) {
    let mut pumps = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let gate = gate.clone();
        pumps.spawn(async move {
            if let Ok(far) = TcpStream::connect(target).await {
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                tokio::join!(pump(near_in, far_out, gate.clone()), pump(far_in, near_out, gate),);
            }
        });
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut gate: watch::Receiver<bool>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // Asked after reading: what arrives during the cut waits here for its end.
        if gate.wait_for(|passing| *passing).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    if gate.wait_for(|passing| *passing).await.is_ok() {
        let _ = to.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn through() -> (Proxy, TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
        let near = TcpStream::connect(proxy.address()).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        (proxy, near, far)
    }

    async fn read(stream: &mut TcpStream) -> u8 {
        timeout(Duration::from_secs(10), stream.read_u8()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_is_sent_during_a_cut_arrives_after_it() {
        let (proxy, mut near, mut far) = through().await;
        near.write_u8(1).await.unwrap();
        assert_eq!(read(&mut far).await, 1);
        proxy.cut();
        near.write_u8(2).await.unwrap();
        far.write_u8(3).await.unwrap();
        let held = timeout(Duration::from_millis(100), far.read_u8()).await;
        assert!(held.is_err(), "{held:?}");
        proxy.heal();
        assert_eq!((read(&mut far).await, read(&mut near).await), (2, 3));
    }

    #[tokio::test]
    async fn the_end_of_one_side_is_the_end_of_the_other_once_it_passes() {
        let (proxy, near, mut far) = through().await;
        proxy.cut();
        drop(near);
        let held = timeout(Duration::from_millis(100), far.read_u8()).await;
        assert!(held.is_err(), "{held:?}");
        proxy.heal();
        let ended = timeout(Duration::from_secs(10), far.read_u8()).await.unwrap();
        assert!(ended.is_err());
    }
}
