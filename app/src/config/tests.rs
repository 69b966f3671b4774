//! What is taken from where, and what is refused.

use super::*;

fn resolve(options: Options) -> Result<Settings, String> {
    options.resolve(None, "x1").map_err(|error| error.to_string())
}

fn toml(text: &str) -> Result<Options, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn without_options_the_defaults_of_the_documentation_hold() {
    let settings = resolve(Options::default()).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.database.expose(), "sqlite://groundcontrol-data/groundcontrol.db");
    assert_eq!(settings.liveness.heartbeat_interval, Millis::from_secs(15));
    assert_eq!(settings.liveness.default_threshold, Millis::from_secs(45));
    assert!(settings.pod.as_str().ends_with("-x1"));
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let file =
        toml("listen = '127.0.0.1:1'\nheartbeat-interval = '200ms'\noffline-threshold = '1s'");
    let flags = Options { listen: "127.0.0.1:2".parse().ok(), ..Options::default() };
    let settings = resolve(flags.or(file.unwrap())).unwrap();
    assert_eq!(settings.listen.port(), 2);
    assert_eq!(settings.liveness.heartbeat_interval, Millis::new(200));
}

#[test]
fn the_authorities_of_webhooks_come_from_flag_or_file() {
    let file = || toml("webhook-ca-file = 'file.pem'").unwrap();
    let flag = Options { webhook_ca_file: Some("flag.pem".into()), ..Options::default() };
    let named = |options| resolve(options).unwrap().webhook_authorities;
    assert_eq!(named(flag.or(file())), Some("flag.pem".into()));
    assert_eq!(named(file()), Some("file.pem".into()));
    assert_eq!(named(Options::default()), None);
}

#[test]
fn an_unknown_key_or_a_bad_duration_in_the_file_is_refused() {
    assert!(toml("listn = '127.0.0.1:1'").unwrap_err().contains("listn"));
    assert!(toml("heartbeat-interval = 'soon'").is_err());
}

#[test]
fn settings_that_do_not_fit_name_the_flag() {
    let threshold = Options { offline_threshold: "20s".parse().ok(), ..Options::default() };
    let refused = resolve(threshold).unwrap_err();
    assert!(refused.starts_with("--offline-threshold must be at least two heartbeat"), "{refused}");
    let half = Options { tls_cert: Some("c.pem".into()), ..Options::default() };
    assert!(resolve(half).unwrap_err().contains("--tls-key"));
}

#[test]
fn history_and_results_are_kept_as_long_as_is_said_and_no_less_than_an_hour() {
    let days = |days: u64| Millis::from_secs(days * 24 * 3_600);
    let kept = |options| {
        let timing = resolve(options).unwrap().timing;
        (timing.transition_retention, timing.run_retention)
    };
    assert_eq!(kept(Options::default()), (days(365), days(30)));
    let file = toml("transition-retention = '2days'\nresult-retention = '3days'").unwrap();
    assert_eq!(kept(file), (days(2), days(3)));
    let short = Options { result_retention: "59m".parse().ok(), ..Options::default() };
    assert!(resolve(short).unwrap_err().starts_with("--result-retention must be"));
    let short = Options { transition_retention: "59m".parse().ok(), ..Options::default() };
    assert!(resolve(short).unwrap_err().starts_with("--transition-retention must be"));
}

#[test]
fn the_settings_of_a_server_show_no_password() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hidden\nnot read\n").unwrap();
    let options = toml(&format!(
        "database = 'postgres://me:hush@db/x'\ndatabase-password-file = '{}'",
        file.path().display()
    ));
    let settings = resolve(options.unwrap()).unwrap();
    let password = settings.database_password.as_ref().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(password), "hidden");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hidden") && !shown.contains("hush"), "{shown}");
}

#[test]
fn a_password_file_that_gives_none_is_named() {
    let options =
        Options { database_password_file: Some("no/such/file".into()), ..Options::default() };
    let refused = resolve(options).unwrap_err();
    assert!(refused.contains("no/such/file"), "{refused}");
}

#[test]
fn an_unsupported_database_is_named_without_its_password() {
    let url = "mysql://me:hush@db/x".parse().ok();
    let refused = resolve(Options { database: url, ..Options::default() }).unwrap_err();
    assert!(refused.contains("mysql://…@db/x"), "{refused}");
    assert!(!refused.contains("hush"));
}
