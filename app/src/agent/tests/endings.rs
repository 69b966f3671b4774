//! How an agent ends, and what it leaves behind.

use super::*;

#[tokio::test(start_paused = true)]
async fn refused_credentials_stop_the_agent_for_good_with_code_3() {
    let mut server = Server::start();
    let mut connection = server.connection().await;
    connection.say(r#"{"type":"auth_failed","reason":"Invalid client ID or token"}"#).await;
    connection.close(4401).await;
    let exit = server.exit().await;
    assert_eq!(exit, Exit::AuthFailed { reason: "Invalid client ID or token".into() });
    assert_eq!(exit.code(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_message_stops_the_agent_for_good_with_code_4() {
    let mut server = Server::start();
    let mut session = server.session().await;
    session.say(r#"{"type":"shutdown","reason":"revoked"}"#).await;
    session.close(4403).await;
    let exit = server.exit().await;
    assert_eq!((exit.code(), exit), (4, Exit::ShutDown { reason: "revoked".into() }));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_agent_closes_its_connection_and_waits_for_the_echo() {
    let mut server = Server::start();
    let mut session = server.session().await;
    session.text().await;
    server.shutdown.cancel();
    let closed = loop {
        match session.next().await {
            Some(Ok(Message::Close(frame))) => break frame,
            Some(Ok(_)) => {}
            other => panic!("expected a close frame, got {other:?}"),
        }
    };
    assert_eq!(closed.map(|frame| u16::from(frame.code)), Some(1000));
    assert!(!server.agent.is_finished());
    assert!(session.next().await.is_none(), "the echo ends the connection");
    assert_eq!(server.exit().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_echo_delays_the_exit_by_two_seconds_only() {
    let mut server = Server::start();
    let _session = server.session().await;
    let start = Instant::now();
    server.shutdown.cancel();
    assert_eq!(server.exit().await.code(), 0);
    assert_eq!(since(start), 2_000);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_waits_to_dial_again_stops_at_once() {
    let mut server = Server::start();
    drop(server.dial().await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    server.shutdown.cancel();
    assert_eq!(server.exit().await, Exit::Stopped);
    assert_eq!(since(start), 0);
}

#[tokio::test(start_paused = true)]
async fn every_other_close_is_dialled_again() {
    let mut server = Server::start();
    for code in [1000, 1001, 1012, 1013, 4408, 4409, 4429] {
        server.session().await.close(code).await;
    }
    drop(server.session().await);
    server.session().await;
    assert!(!server.agent.is_finished());
}
