//! When an agent sends, gives up and dials.

use super::*;

/// When, in milliseconds from the acceptance, the next `n` heartbeats come.
async fn heartbeats(connection: &mut Connection, n: usize) -> Vec<u128> {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < n {
        let text = connection.text().await;
        assert!(matches!(FromSatellite::parse(&text), Ok(FromSatellite::Heartbeat(_))), "{text}");
        times.push(since(start));
    }
    times
}

#[tokio::test(start_paused = true)]
async fn heartbeats_come_at_once_and_then_at_the_servers_interval() {
    let mut server = Server::start();
    let mut connection = server.connection().await;
    connection.say(&authenticated(r#","heartbeatIntervalMs":2000"#)).await;
    assert_eq!(heartbeats(&mut connection, 4).await, [0, 2_000, 4_000, 6_000]);
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_heartbeats_come_every_15_seconds() {
    let mut server = Server::start();
    let mut session = server.session().await;
    assert_eq!(heartbeats(&mut session, 3).await, [0, 15_000, 30_000]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_server_accepted() {
    let mut server = Server::start();
    let mut connection = server.connection().await;
    let silent = tokio::time::timeout(Duration::from_secs(29), connection.next()).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_at_once() {
    let mut server = Server::start();
    let mut session = server.session().await;
    session.text().await;
    let start = Instant::now();
    session.0.send(Message::Ping("x".into())).await.unwrap();
    let answer = session.next().await.unwrap().unwrap();
    assert_eq!((answer, since(start)), (Message::Pong("x".into()), 0));
}

#[tokio::test(start_paused = true)]
async fn refused_dials_are_repeated_after_1_2_4_8_16_30_and_30_seconds() {
    let mut server = Server::start();
    let mut waited = Vec::new();
    drop(server.dial().await);
    for _ in 0..7 {
        let start = Instant::now();
        drop(server.dial().await);
        waited.push(since(start) / 1_000);
    }
    assert_eq!(waited, [1, 2, 4, 8, 16, 30, 30]);
}

/// How long, in seconds, the agent waits after a session of `lived` that followed two others.
async fn delay_after(lived: Duration) -> u128 {
    let mut server = Server::start();
    drop(server.dial().await);
    drop(server.dial().await);
    let session = server.session().await;
    tokio::time::sleep(lived).await;
    drop(session);
    let start = Instant::now();
    server.dial().await;
    since(start) / 1_000
}

#[tokio::test(start_paused = true)]
async fn a_session_that_lasted_resets_the_back_off_and_a_short_one_does_not() {
    assert_eq!(delay_after(Duration::from_secs(31)).await, 1);
    assert_eq!(delay_after(Duration::from_secs(5)).await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_for_90_seconds_is_given_up() {
    let mut server = Server::start();
    let session = server.session().await;
    let start = Instant::now();
    server.dial().await;
    // 90 s of silence reset the back-off: 1 s.
    assert_eq!(since(start), 91_000);
    drop(session);
}

#[tokio::test(start_paused = true)]
async fn any_frame_of_the_server_keeps_the_session() {
    let mut server = Server::start();
    let mut session = server.session().await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        session.0.send(Message::Ping("".into())).await.unwrap();
    }
    assert!(server.dials.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_given_up_too() {
    let mut server = Server::start();
    let mut connection = server.connection().await;
    // Heartbeats fill the pipe, which is not read any more.
    connection.say(&authenticated(r#","heartbeatIntervalMs":100"#)).await;
    let start = Instant::now();
    server.dial().await;
    assert!((90_000..92_000).contains(&since(start)), "{}", since(start));
    drop(connection);
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_authenticate_is_given_up_after_30_seconds() {
    let mut server = Server::start();
    let connection = server.connection().await;
    let start = Instant::now();
    server.dial().await;
    assert_eq!(since(start), 31_000);
    drop(connection);
}
