//! What a socket needed for a large message is given back after it. Alone in its program, because
//! it looks at the memory of the whole process.

#![cfg(target_os = "linux")]

#[path = "sockets/support.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests of sockets")]
mod support;

use groundcontrol_websocket::SocketSettings;
use support::{HEARTBEAT, Satellite, serve};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

const SOCKETS: usize = 200;
const LARGE: usize = 512 * 1024;

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|n| n.parse::<usize>().ok()).expect("KiB") * 1024
}

#[tokio::test]
async fn a_large_message_leaves_nothing_behind() {
    let server = serve(SocketSettings::default()).await;
    let mut satellites: Vec<Satellite> = Vec::new();
    for _ in 0..SOCKETS {
        satellites.push(server.connect().await);
    }
    let text = HEARTBEAT.replace('}', &format!(r#","pad":"{}"}}"#, "x".repeat(LARGE)));
    let mut frame = Frame::message(text, OpCode::Data(Data::Text), true);
    frame.header_mut().mask = Some([0; 4]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).expect("a frame has bytes");

    let mut before = 0;
    for (number, satellite) in satellites.iter_mut().enumerate() {
        // Past the client's own library, whose buffers would be counted too.
        satellite.socket.get_mut().write_all(&bytes).await.expect("it is taken");
        server.until("the heartbeat", |seen| seen.beats.len() == number + 1).await;
        if number == 10 {
            before = resident();
        }
    }
    let kept = resident().saturating_sub(before) / SOCKETS;
    assert!(kept < LARGE / 8, "{kept} bytes a socket after a message of {LARGE}");
}
