//! A private server lives as long as its test, and no longer.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use groundcontrol_testpostgres::{Schema, Server, Stop};
use sea_orm::ConnectionTrait as _;

/// In a process of its own, the test below starts a server and says where it is.
const CHILD: &str = "GROUNDCONTROL_TESTPOSTGRES_CHILD";

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_stop_and_a_start() {
    let mut server = Server::durable();
    let schema = Schema::on(&server).await;
    schema.run("CREATE TABLE words (word text); INSERT INTO words VALUES ('kept')").await;
    for stop in [Stop::Fast, Stop::Crash] {
        server.stop(stop);
        assert!(!listens(server.port()), "{stop:?}");
        server.start();
        let found = schema.connect().await.execute_unprepared("UPDATE words SET word = word").await;
        assert_eq!(found.unwrap().rows_affected(), 1, "{stop:?}");
    }
}

#[test]
fn a_server_that_is_dropped_leaves_nothing_behind() {
    let server = Server::fast();
    let (port, folder) = (server.port(), server.folder().to_owned());
    assert!(listens(port) && folder.exists());
    drop(server);
    assert!(!listens(port) && !folder.exists());
}

#[test]
fn a_server_whose_test_is_killed_leaves_nothing_behind() {
    if std::env::var_os(CHILD).is_some() {
        let server = Server::fast();
        println!("\nport {} folder {}", server.port(), server.folder().display());
        loop {
            std::thread::park();
        }
    }
    let name = "a_server_whose_test_is_killed_leaves_nothing_behind";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(output);
    let line = lines.find_map(|line| Some(line.ok()?.strip_prefix("port ")?.to_owned())).unwrap();
    let (port, folder) = line.split_once(" folder ").unwrap();
    let (port, folder) = (port.parse().unwrap(), std::path::PathBuf::from(folder));
    assert!(listens(port) && folder.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the server ends", || !listens(port));
    eventually("its folder is removed", || !folder.exists());
}
