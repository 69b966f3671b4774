//! What the command line accepts.

use clap::{CommandFactory as _, Parser as _};

use super::*;

fn refused(arguments: &[&str]) -> String {
    let arguments = [&["groundcontrol"], arguments].concat();
    Cli::try_parse_from(arguments).unwrap_err().to_string()
}

fn accepted(arguments: &[&str]) -> bool {
    Cli::try_parse_from([&["groundcontrol"], arguments].concat()).is_ok()
}

/// Options that stand for a whole group of commands, by the group.
fn options(command: &clap::Command) -> Vec<String> {
    command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect()
}

#[test]
fn no_command_has_an_option_of_the_name_that_its_group_has() {
    let cli = Cli::command();
    for group in cli.get_subcommands() {
        let shared = options(group);
        for command in group.get_subcommands() {
            let own = options(command);
            let twice: Vec<_> = own.iter().filter(|option| shared.contains(option)).collect();
            assert!(twice.is_empty(), "{} {}: {twice:?}", group.get_name(), command.get_name());
        }
    }
}

#[test]
fn the_tree_of_commands_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn flags_of_the_server_and_the_output_may_stand_anywhere() {
    assert!(accepted(&["satellites", "--url", "http://[::1]", "list", "--output", "json"]));
    assert!(accepted(&["satellites", "list", "--api-token", "-", "--url", "http://[::1]"]));
    assert!(accepted(&["events", "--since", "3-4"]));
}

#[test]
fn a_token_typed_as_a_flag_is_not_repeated_by_any_error() {
    for command in ["satellites list --api-token", "satellite --url x --client-id y --token"] {
        let arguments: Vec<&str> =
            command.split(' ').chain(["csat_secret", "--nonsense"]).collect();
        assert!(!refused(&arguments).contains("secret"), "{}", refused(&arguments));
    }
}

#[tokio::test]
async fn an_agent_with_a_token_on_its_command_line_does_not_start() {
    let flags = "groundcontrol satellite --url http://127.0.0.1:1 --token csat_secret \
                 --client-id 67e55044-10b1-426f-9247-bb680e5fe0c8";
    let Command::Satellite(args) = Cli::try_parse_from(flags.split_whitespace()).unwrap().command
    else {
        panic!("another command");
    };
    let error = super::super::satellite::settings(&args).unwrap_err().to_string();
    assert!(error.contains("--token-file FILE"), "{error}");
    assert!(!error.contains("secret"));
}

#[test]
fn an_agent_does_not_send_its_token_in_the_clear_beyond_this_machine() {
    let settings = |more: &[&str]| {
        let flags = [
            "groundcontrol",
            "satellite",
            "--url",
            "ws://192.0.2.1",
            "--client-id",
            "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "--token-file",
            "/nowhere",
        ];
        let parsed = Cli::try_parse_from([flags.as_slice(), more].concat()).unwrap().command;
        let Command::Satellite(args) = parsed else { panic!("another command") };
        super::super::satellite::settings(&args).unwrap_err().to_string()
    };
    assert!(settings(&[]).contains("--allow-plaintext"));
    assert!(settings(&["--allow-plaintext"]).contains("/nowhere"));
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    assert!(refused(&["satellites", "set", "x"]).contains("--enable"));
    assert!(
        refused(&["satellites", "set", "x", "--enable", "--disable"]).contains("cannot be used")
    );
    assert!(accepted(&["satellites", "set", "x", "--offline-threshold", "default"]));
    assert!(accepted(&["satellites", "set", "x", "--tag", "a=b", "--tag", "c=", "--enable"]));
}

#[test]
fn an_assignment_goes_to_satellites_by_name_or_by_what_they_are() {
    let create = |more: &[&str]| {
        let begin = ["assignments", "create", "--check", "c", "--system", "s"];
        accepted(&[&begin, more].concat())
    };
    assert!(create(&["--satellite", "a", "--satellite", "b"]));
    assert!(create(&["--region", "eu", "--tags", "tier in (edge, core), !lab"]));
    assert!(create(&["--all"]));
    assert!(!create(&["--satellite", "a", "--tags", "b"]));
    assert!(!create(&["--all", "--region", "eu"]));
    assert!(!accepted(&["assignments", "show", "no-uuid"]));
}

#[test]
fn results_take_names_times_and_a_limit() {
    assert!(accepted(&["results", "list", "--system", "a", "--check", "b", "--satellite", "c"]));
    assert!(accepted(&["results", "list", "--since", "2026-01-01T00:00:00Z", "--limit", "5"]));
    assert!(accepted(&["results", "latest", "--system", "a", "--output", "json"]));
    assert!(!accepted(&["results", "latest", "--limit", "5"]));
    assert!(!accepted(&["results", "list", "--limit", "many"]));
}

#[test]
fn a_check_is_made_with_a_strategy_and_an_interval() {
    let create = ["checks", "create", "x", "--strategy", "http", "--interval", "30s"];
    assert!(accepted(&create));
    assert!(!accepted(&create[..5]));
    assert!(
        refused(&["checks", "create", "x", "--strategy", "s", "--interval", "soon"])
            .contains("--interval")
    );
}

#[test]
fn nonsense_is_refused_with_the_right_form() {
    assert!(refused(&["satellites", "list", "--status", "away"]).contains("online, offline"));
    assert!(refused(&["satellites", "list", "--tag", "k"]).contains("key:value"));
    assert!(
        refused(&["satellites", "create", "x", "--region", "r", "--tag", "k"])
            .contains("key=value")
    );
    assert!(refused(&["load", "--connect-rate", "0"]).contains("or storm"));
    assert!(!accepted(&["load", "--save-tokens", "f"]));
    assert!(!accepted(&["satellite", "--client-id", "not-a-uuid", "--url", "x"]));
    assert!(
        refused(&["api-tokens", "create", "x", "--scope", "root"]).contains("satellite.manage")
    );
}
