//! The commands against a server that a test plays over HTTP.

mod parsing;
mod satellites;
mod api_tokens;
mod apply;
mod events;
mod work;
mod webhooks;
mod rules;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use clap::Parser as _;
use groundcontrol_core::satellite::Token;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::console::captured::{self, Buffer};
use super::{Cli, Command, Console, OutputFormat};
use crate::agent::{Endpoint, client_config};
use crate::client::Client;

/// Serves `router` until it is dropped.
struct FakeServer {
    client: Client,
    serving: JoinHandle<()>,
}

impl FakeServer {
    async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let endpoint = Endpoint::parse(&url, false).unwrap();
        let tls = client_config(false, None).unwrap();
        let client = Client::new(endpoint, &tls, Some(Token::presented("gcapi_x"))).unwrap();
        Self { client, serving }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What a command wrote, and how it ended.
struct Outcome {
    out: String,
    notes: String,
    error: Option<String>,
}

impl Outcome {
    fn of(ended: anyhow::Result<()>, out: &Buffer, notes: &Buffer) -> Self {
        let error = ended.err().map(|error| super::describe(&error).unwrap());
        Self { out: out.text(), notes: notes.text(), error }
    }

    fn out(self) -> String {
        assert_eq!(self.error, None);
        self.out
    }

    fn error(self) -> String {
        self.error.unwrap()
    }
}

/// Runs `groundcontrol` with `arguments` against `server`, with somebody who answers `answer`
/// where there is one.
async fn run(server: &FakeServer, arguments: &[&str], answer: Option<&'static str>) -> Outcome {
    let command = Cli::try_parse_from([&["groundcontrol"], arguments].concat()).unwrap().command;
    let console = |format: OutputFormat| {
        let (console, out, notes) = captured::console(format);
        let console: Console = match answer {
            Some(answer) => console.answering(answer),
            None => console,
        };
        (console, out, notes)
    };
    match command {
        Command::Satellites(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let ended =
                super::satellites::execute(args.command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        Command::ApiTokens(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let ended =
                super::api_tokens::execute(args.command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        Command::Systems(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let command = args.command;
            let ended = super::work::execute_systems(command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        Command::Checks(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let command = args.command;
            let ended = super::work::execute_checks(command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        Command::Assignments(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let command = args.command;
            let ended =
                super::work::execute_assignments(command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        Command::Results(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let ended = super::results::execute(args.command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        Command::Apply(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let wish = super::apply::Wish::of(&args);
            let ended = super::apply::execute(wish, &server.client, &mut console).await;
            Outcome::of(ended.map(drop), &out, &notes)
        }
        Command::Webhooks(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let ended = super::webhooks::execute(args.command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        Command::Rules(args) => {
            let (mut console, out, notes) = console(args.output.output);
            let ended = super::rules::execute(args.command, &server.client, &mut console).await;
            Outcome::of(ended, &out, &notes)
        }
        other => panic!("{other:?} does not answer and end"),
    }
}

fn problem(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let mut body = body;
    body["status"] = json!(status.as_u16());
    (status, [("content-type", "application/problem+json")], body.to_string()).into_response()
}

fn bearer(headers: &HeaderMap) -> &str {
    headers["authorization"].to_str().unwrap()
}
