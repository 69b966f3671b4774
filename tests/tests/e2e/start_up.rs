//! A server that cannot start says why, what to do, and exits with an error.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use groundcontrol_testkit::server::{Exited, Site};
use sea_orm::{ConnectionTrait as _, Database};

/// Checks that a start failed, and that a person who reads why knows what to do.
#[track_caller]
fn failed(exited: &Exited, words: &[&str]) {
    assert!(exited.code.is_some_and(|code| code != 0), "{exited:?}");
    for word in words {
        assert!(exited.errors.contains(word), "{word:?} is not in: {}", exited.errors);
    }
    assert!(!exited.errors.contains("panicked"), "{}", exited.errors);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_flag_that_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let exited = Site::new().fail_to_serve(&["--listen", &address]).await;
    failed(&exited, &[&address, "--listen"]);
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_is_named() {
    let site = Site::new();
    let file = site.folder().join("file");
    std::fs::write(&file, "no folder").expect("a file can be written");
    let inside = file.join("data").display().to_string();
    let exited = site.fail_to_serve(&["--listen", "127.0.0.1:0", "--data-dir", &inside]).await;
    failed(&exited, &[&inside]);
}

#[tokio::test]
async fn a_schema_from_a_newer_version_is_left_alone() {
    let site = Site::new();
    site.serve().await.stop().await;
    let url = format!("sqlite://{}", site.data().join("groundcontrol.db").display());
    let database = Database::connect(&url).await.expect("the database can be opened");
    database
        .execute_unprepared(
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_later', 0)",
        )
        .await
        .expect("a later step can be entered");
    database.close().await.expect("the database can be closed");

    let exited = site.fail_to_serve(&["--listen", "127.0.0.1:0"]).await;
    failed(&exited, &["m9999_from_later", "newer"]);
}

#[tokio::test]
async fn a_database_that_is_none_is_left_alone() {
    let site = Site::new();
    std::fs::create_dir_all(site.data()).expect("a folder can be made");
    let path = site.data().join("groundcontrol.db");
    std::fs::write(&path, "this is no database".repeat(100)).expect("a file can be written");
    let exited = site.fail_to_serve(&["--listen", "127.0.0.1:0"]).await;
    failed(&exited, &["groundcontrol.db"]);
    let left = std::fs::read_to_string(&path).expect("the file is still there");
    assert!(left.starts_with("this is no database"));
}

#[tokio::test]
async fn a_flag_that_does_not_exist_is_named() {
    let exited = Site::new().fail_to_serve(&["--lisen", "127.0.0.1:0"]).await;
    failed(&exited, &["--lisen", "--listen"]);
}

#[tokio::test]
async fn a_value_that_makes_no_sense_is_named_with_its_flag() {
    let site = Site::new();
    for (flag, value) in [
        ("--heartbeat-interval", "soon"),
        ("--heartbeat-interval", "1ms"),
        ("--offline-threshold", "700ms"),
        ("--listen", "everywhere"),
        ("--database", "mysql://somewhere"),
        ("--tls-cert", "only-a-cert.pem"),
    ] {
        failed(&site.fail_to_serve(&[flag, value]).await, &[flag]);
    }
}

#[tokio::test]
async fn a_configuration_file_with_an_unknown_key_is_refused_by_name() {
    let site = Site::new();
    let file = site.folder().join("groundcontrol.toml");
    std::fs::write(&file, "lisen = '127.0.0.1:0'\n").expect("a file can be written");
    let path = file.display().to_string();
    failed(&site.fail_to_serve(&["--config", &path]).await, &[&path, "lisen"]);
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_named() {
    let site = Site::new();
    let flags =
        ["--listen", "127.0.0.1:0", "--tls-cert", "/no/cert.pem", "--tls-key", "/no/key.pem"];
    failed(&site.fail_to_serve(&flags).await, &["/no/cert.pem", "--tls-cert"]);
}

#[tokio::test]
async fn the_first_api_token_is_kept_for_its_owner_only() {
    let site = Site::new();
    let mut server = groundcontrol_testkit::server::binary();
    // Without the variable that the harness sets, the server makes a token of its own.
    let mut command = tokio::process::Command::new(&mut server);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(site.data());
    command.env_remove("GROUNDCONTROL_ADMIN_TOKEN").kill_on_drop(true);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let _server = command.spawn().expect("the server can be started");
    let path = site.data().join("admin-token");
    let token = groundcontrol_testkit::server::eventually("the token is written", async || {
        std::fs::read_to_string(&path).ok().filter(|token| token.ends_with('\n'))
    })
    .await;
    assert!(token.starts_with("gcapi_"), "it is one of our tokens");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
