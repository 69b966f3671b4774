//! What a socket costs, beside a bare tokio-tungstenite server in the same run: connections a
//! second (dial, upgrade, first message answered), resident bytes of a quiet authenticated
//! socket, and of one that once had a large message.
//!
//! `cargo bench -p groundcontrol-websocket` takes half a minute and about 20,000 open files
//! (`ulimit -n`). Each server is a process of its own, made from this same binary; the load comes
//! from here, on the same processors.

#![allow(clippy::print_stdout, reason = "its figures are what this program is for")]

mod load;
mod servers;

use std::time::Duration;

use load::{Fleet, storm};
use servers::Child;

const STORM: usize = 20_000;
const QUIET: usize = 9_500;
const LARGE: usize = 1_000;
const LARGE_BYTES: usize = 64 * 1024;
const ROUNDS: usize = 2;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("serve") => servers::serve(args.get(2).map(String::as_str) == Some("bare")),
        _ if args.iter().any(|arg| arg == "--bench") => measure(),
        // `cargo test --benches` only wants to know that it starts.
        _ => println!("run with cargo bench"),
    }
}

fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    println!("{:32} {:>10} {:>10}", "", "bare", "ours");
    for round in 1..=ROUNDS {
        let [bare, ours] = [true, false].map(|bare| {
            let server = Child::start(bare);
            runtime.block_on(storm(server.address, STORM))
        });
        println!("{:32} {bare:>10.0} {ours:>10.0}", format!("connections/s, round {round}"));
    }
    let [bare, ours] = [true, false].map(|bare| {
        let mut server = Child::start(bare);
        runtime.block_on(quiet(&mut server))
    });
    println!("{:32} {:>10} {:>10}", format!("bytes a quiet socket of {QUIET}"), bare.0, ours.0);
    let after = format!("bytes after a message of {} KiB", LARGE_BYTES / 1024);
    println!("{after:32} {:>10} {:>10}", bare.1, ours.1);
}

/// Resident bytes of each of many quiet sockets, and what each of some keeps of a large message.
async fn quiet(server: &mut Child) -> (usize, usize) {
    // The server's own pools have grown by then.
    drop(Fleet::connect(server.address, 500).await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = server.resident();
    let mut fleet = Fleet::connect(server.address, QUIET).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let quiet = server.resident();
    fleet.say_large(LARGE, LARGE_BYTES).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = server.resident();
    (quiet.saturating_sub(before) / QUIET, after.saturating_sub(quiet) / LARGE)
}
