//! Who may know whom: imports point inwards, and the app connects.

use crate::tree;

/// What the core must not reach: runtimes, databases, JSON, clocks.
const NOT_IN_CORE: &[&str] =
    &["tokio", "sea_orm", "serde_json", "Instant::now", "SystemTime::now", "now_utc"];

/// Which files of the app may name which part of an adapter. The wiring names whole adapters;
/// the agent runs probes; it and the command line speak the wire's language, and take nothing else
/// from them. Documents say in the API's words what the API takes, too.
const NAMED_BY: &[(&str, &[&str])] = &[
    ("groundcontrol_memory", &["app/src/wiring"]),
    ("groundcontrol_database", &["app/src/wiring"]),
    ("groundcontrol_postgres_queue", &["app/src/wiring"]),
    ("groundcontrol_nats", &["app/src/wiring"]),
    ("groundcontrol_websocket::wire", &["app/src/wiring", "app/src/agent/", "app/src/command/"]),
    ("groundcontrol_websocket", &["app/src/wiring"]),
    ("groundcontrol_webhooks", &["app/src/wiring"]),
    ("groundcontrol_probes", &["app/src/wiring", "app/src/agent/"]),
    (
        "groundcontrol_http::dto",
        &["app/src/wiring", "app/src/client/", "app/src/command/", "app/src/gitops/"],
    ),
    ("groundcontrol_http", &["app/src/wiring"]),
];

fn dependencies(folder: &str, tables: &[&str]) -> Vec<String> {
    let manifest = tree::manifest(folder);
    let tables = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

fn package(folder: &str) -> String {
    let manifest = tree::manifest(folder);
    manifest["package"]["name"].as_str().expect("a package has a name").to_owned()
}

fn adapters() -> Vec<String> {
    tree::crates().into_iter().filter(|folder| folder.starts_with("adapters/")).collect()
}

#[test]
fn the_core_reaches_no_runtime_no_database_no_json_and_no_clock() {
    let mut found = Vec::new();
    for source in tree::rust_files_below("core/src") {
        for (at, line) in tree::code(&source.text) {
            if NOT_IN_CORE.iter().any(|name| line.contains(name)) {
                found.push(format!("{}:{at}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "the core must not reach: {found:#?}");
    let mut depends = dependencies("core", &["dependencies"]);
    let not = ["tokio", "async-std", "sea-orm", "sqlx", "serde", "serde_json", "rand", "getrandom"];
    depends.retain(|name| not.contains(&name.as_str()) || name.starts_with("groundcontrol"));
    assert!(depends.is_empty(), "the core must not depend on {depends:?}");
}

#[test]
fn no_adapter_knows_another_or_the_app() {
    let strangers: Vec<String> = adapters()
        .iter()
        .chain([&"app".to_owned(), &"tests".to_owned()])
        .map(|folder| package(folder))
        .collect();
    for folder in adapters() {
        let mut knows = dependencies(&folder, &["dependencies", "dev-dependencies"]);
        knows.retain(|name| strangers.contains(name));
        assert!(knows.is_empty(), "{folder} must not depend on {knows:?}");
    }
}

#[test]
fn only_the_wiring_names_adapters() {
    let mut found = Vec::new();
    for source in tree::rust_files_below("app/src") {
        for (at, line) in tree::code(&source.text) {
            let named = NAMED_BY.iter().find(|(name, _)| names(line, name));
            let Some((_, places)) = named else { continue };
            if !places.iter().any(|place| source.path.starts_with(place)) {
                found.push(format!("{}:{at}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "adapters are named outside their place: {found:#?}");
}

/// Whether a line of code names the path, and not the text of a metric or a log target.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        !word(before) && before != Some('"') && !word(after)
    })
}

#[test]
fn every_crate_forbids_unsafe_code_and_demands_documentation() {
    let workspace: toml::Table = tree::read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let lints = &workspace["workspace"]["lints"]["rust"];
    assert_eq!(lints["unsafe_code"].as_str(), Some("forbid"));
    assert_eq!(lints["missing_docs"].as_str(), Some("deny"));
    for folder in tree::crates().into_iter().filter(|folder| folder != "fuzz") {
        let manifest = tree::manifest(&folder);
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        let inherits = inherits.and_then(toml::Value::as_bool);
        assert_eq!(inherits, Some(true), "{folder}/Cargo.toml needs [lints] workspace = true");
    }
}
