//! The files of `app/deploy`, and the places where they start the server.

use std::collections::BTreeMap;

use clap::{CommandFactory as _, Parser};
use groundcontrol::command::Cli;
use groundcontrol::command::serve::ServeArgs;
use groundcontrol::config::Options;
use serde_json::Value;

use crate::tree;

/// Where they all are.
pub(crate) const FOLDER: &str = "app/deploy";

/// All files with their text; not the secrets that somebody has put there.
pub(crate) fn files() -> Vec<tree::Source> {
    let names = tree::entries(FOLDER).into_iter().flat_map(|name| match name.strip_suffix('/') {
        None => vec![name],
        Some("secrets") => vec![],
        Some(folder) => {
            let inner = tree::entries(&format!("{FOLDER}/{folder}"));
            inner.into_iter().map(|file| format!("{folder}/{file}")).collect()
        }
    });
    names.map(|path| tree::Source { text: read(&path), path }).collect()
}

/// The text of a file in the folder.
pub(crate) fn read(name: &str) -> String {
    tree::read(&format!("{FOLDER}/{name}"))
}

/// The only document of a YAML file in the folder.
pub(crate) fn yaml(name: &str) -> Value {
    let documents = serde_saphyr::from_multiple::<Value>(&read(name));
    let mut documents = documents.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(documents.len(), 1, "{name} has one document");
    documents.remove(0)
}

/// The container of the Deployment.
pub(crate) fn container() -> Value {
    let deployment = yaml("kubernetes/deployment.yaml");
    deployment["spec"]["template"]["spec"]["containers"][0].clone()
}

/// The services of the Compose file that are pods, by name.
pub(crate) fn pods() -> BTreeMap<String, Value> {
    let compose = yaml("compose.yaml");
    let services = compose["services"].as_object().expect("there are services").clone();
    services.into_iter().filter(|(name, _)| name.starts_with("pod-")).collect()
}

/// What stands behind `key` at the begin of a file's lines, such as `EXPOSE ` or `ExecStart=`.
pub(crate) fn values(file: &str, key: &str) -> Vec<String> {
    let text = read(file).replace("\\\n", " ");
    text.lines().filter_map(|line| line.strip_prefix(key)).map(|v| v.trim().to_owned()).collect()
}

/// The only one of them.
pub(crate) fn value(file: &str, key: &str) -> String {
    let mut values = values(file, key);
    assert_eq!(values.len(), 1, "{file} has one {key}");
    values.remove(0)
}

/// Somewhere where these files start the server.
#[derive(Clone)]
pub(crate) struct Place {
    /// What it is called in messages.
    pub(crate) name: String,
    words: Vec<String>,
    /// What it sets in the server's environment.
    pub(crate) variables: BTreeMap<String, String>,
}

/// `serve` alone, whose options can be looked at.
#[derive(Parser)]
struct Serve {
    #[command(flatten)]
    args: ServeArgs,
}

impl Place {
    fn with<K: Into<String>>(
        &self,
        name: &str,
        more: impl IntoIterator<Item = (K, String)>,
    ) -> Self {
        let mut place = Self { name: name.to_owned(), ..self.clone() };
        place.variables.extend(more.into_iter().map(|(key, value)| (key.into(), value)));
        place
    }

    /// What the real parser makes of command and environment together.
    pub(crate) fn options(&self) -> Options {
        let flags = flags_by_variable();
        let flag =
            |(name, value): (&String, &String)| Some(format!("--{}={value}", flags.get(name)?));
        let words: Vec<String> =
            self.words.iter().cloned().chain(self.variables.iter().filter_map(flag)).collect();
        Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert_eq!(words[1], "serve", "{}", self.name);
        let serve = Serve::try_parse_from(&words[1..]);
        serve.unwrap_or_else(|error| panic!("{}: {error}", self.name)).args.options
    }
}

/// The image as it is; as each pod of Compose and Kubernetes runs it; the unit without and with
/// its drop-in.
pub(crate) fn all() -> Vec<Place> {
    [vec![image()], in_containers(), units()].concat()
}

/// The image by itself.
pub(crate) fn image() -> Place {
    let list = |key| -> Vec<String> {
        serde_json::from_str(&value("Dockerfile", key)).expect("a list of words")
    };
    let variables = assignments(&value("Dockerfile", "ENV "));
    Place {
        name: "the image".into(),
        words: [list("ENTRYPOINT "), list("CMD ")].concat(),
        variables,
    }
}

/// The pods of Compose and Kubernetes.
pub(crate) fn in_containers() -> Vec<Place> {
    let image = image();
    let composed = pods().into_iter().map(|(name, pod)| {
        assert_eq!(pod["command"], Value::Null, "{name} runs what the image runs");
        let set = pod["environment"].as_object().expect("it has variables").clone();
        image.with(&name, set.into_iter().map(|(key, value)| (key, interpolated(&text(&value)))))
    });
    let container = container();
    let set = container["env"].as_array().expect("it has variables").iter().map(|set| {
        // What Kubernetes fills in is only known there.
        let value = set.get("value").map_or_else(|| "filled-in".to_owned(), text);
        (text(&set["name"]), value)
    });
    let mut deployed = image.with("the Deployment", set);
    deployed.words.truncate(1);
    deployed.words.extend(container["args"].as_array().into_iter().flatten().map(text));
    composed.chain([deployed]).collect()
}

/// The unit, without and with its drop-in.
pub(crate) fn units() -> Vec<Place> {
    let variables = |file| values(file, "Environment=").join(" ");
    let words = value("groundcontrol.service", "ExecStart=");
    let unit = Place {
        name: "the unit".to_owned(),
        words: words.split_whitespace().map(str::to_owned).collect(),
        variables: assignments(&variables("groundcontrol.service")),
    };
    let many = unit.with("the unit with its drop-in", assignments(&variables("postgresql.conf")));
    vec![unit, many]
}

fn assignments(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What Compose makes of `${NAME:-default}` where the variable is not set.
fn interpolated(value: &str) -> String {
    let default = value.strip_prefix("${").and_then(|rest| rest.split_once(":-"));
    default.map_or(value, |(_, rest)| rest.trim_end_matches('}')).to_owned()
}

/// A scalar as text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Every command of the program.
pub(crate) fn commands() -> Vec<clap::Command> {
    let mut root = Cli::command();
    root.build();
    let mut commands = vec![root];
    let mut next = 0;
    while let Some(command) = commands.get(next) {
        let inner: Vec<_> = command.get_subcommands().cloned().collect();
        commands.extend(inner);
        next += 1;
    }
    commands
}

/// The variables that `serve` takes options from, with their flags.
fn flags_by_variable() -> BTreeMap<String, String> {
    let serve = commands().into_iter().find(|command| command.get_name() == "serve");
    let serve = serve.expect("there is a command serve");
    let options = serve.get_arguments().filter_map(|option| {
        let variable = option.get_env()?.to_string_lossy().into_owned();
        Some((variable, option.get_long()?.to_owned()))
    });
    options.collect()
}
