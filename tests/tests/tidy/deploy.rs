//! What lies in `app/deploy` is right, as far as can be told without a cluster: what it names is
//! there, and what must fit together fits.

#[path = "deploy/places.rs"]
mod places;
#[path = "deploy/probes.rs"]
mod probes;

use std::collections::BTreeSet;
use std::time::Duration;

use groundcontrol::config::{Options, Span};
use groundcontrol::pod::Timing;
use serde_json::Value;

use crate::tree;
use places::{pods, read, text, value, values, yaml};

/// What a pod may take for its end beyond draining: requests under way, and a slow machine.
const BEYOND_DRAIN: Duration = Duration::from_secs(5);

/// Flags of other programs that these files start.
const OF_OTHERS: &[&str] = &[
    "--from",      // COPY
    "--from-file", // kubectl
    "--host",      // pg_isready
    "--jetstream", // nats-server
    "--locked",    // cargo
    "--mount",     // RUN
    "--no-deps",   // docker compose
    "--now",       // systemctl
    "--profile",   // docker compose
    "--release",   // cargo
    "--store_dir", // nats-server
    "--username",  // pg_isready
    "--wait",      // docker compose
];

/// The words of a text, taken apart by everything that `belongs` is not true of.
fn words(text: &str, belongs: fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c| !belongs(c))
}

fn strings<'a>(list: &'a Value) -> impl Iterator<Item = String> + 'a {
    list.as_array().into_iter().flatten().map(text)
}

#[test]
fn every_yaml_file_is_one_document_of_a_kind_that_is_expected() {
    let kind = |name: &str| text(&yaml(&format!("kubernetes/{name}.yaml"))["kind"]);
    let kinds = ["deployment", "service", "pod-disruption-budget"].map(kind);
    assert_eq!(kinds, ["Deployment", "Service", "PodDisruptionBudget"]);
    // What is below gitops is documents of our own, which their own tests read.
    let expected = |path: &str| path.ends_with(".yaml") && !path.contains("gitops/");
    let all: Vec<_> = places::files().into_iter().filter(|file| expected(&file.path)).collect();
    assert_eq!(all.len(), 4, "these and the Compose file");
    for file in all {
        assert!(yaml(&file.path).is_object(), "{}", file.path);
    }
}

#[test]
fn every_variable_that_is_named_is_read_by_the_program() {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for command in places::commands() {
        let variables = command.get_arguments().filter_map(clap::Arg::get_env);
        known.extend(variables.map(|name| name.to_string_lossy().into_owned()));
    }
    for source in tree::rust_files_below("app/src") {
        for reads in ["env::var(\"", "variable(\""] {
            let read = source.text.split(reads).skip(1).filter_map(|rest| rest.split('"').next());
            known.extend(read.map(str::to_owned));
        }
    }
    let belongs = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    for file in places::files() {
        let named =
            words(&file.text, belongs).filter_map(|word| word.strip_prefix("GROUNDCONTROL_"));
        // Without a name behind it, all of them are meant.
        for name in named.filter(|name| !name.is_empty()) {
            let name = format!("GROUNDCONTROL_{name}");
            assert!(known.contains(&name), "{} names {name}, which nothing reads", file.path);
        }
    }
}

#[test]
fn every_flag_that_is_named_is_an_option_of_the_program() {
    let commands = places::commands();
    let arguments = commands.iter().flat_map(clap::Command::get_arguments);
    let known: BTreeSet<_> = arguments.filter_map(clap::Arg::get_long).collect();
    let belongs = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let letter = |c: char| c.is_ascii_lowercase();
    let mut unused: BTreeSet<&str> = OF_OTHERS.iter().copied().collect();
    for file in places::files() {
        for word in words(&file.text, belongs) {
            let Some(name) = word.strip_prefix("--").filter(|name| name.starts_with(letter)) else {
                continue;
            };
            let is_known = unused.remove(word) || OF_OTHERS.contains(&word) || known.contains(name);
            assert!(is_known, "{} names {word}, which is no option", file.path);
        }
    }
    assert!(unused.is_empty(), "no file names {unused:?} any more");
}

#[test]
fn the_program_understands_command_and_environment_wherever_it_is_started() {
    let places = places::all();
    assert_eq!(places.len(), 7, "the image, three pods, the Deployment, and the unit twice");
    for place in places {
        let options = place.options();
        let shared = options.database.is_some();
        let alone = ["the image", "the unit"].contains(&place.name.as_str());
        assert_ne!(shared, alone, "{}: {:?}", place.name, options.database);
    }
}

/// How long a pod may take for its end.
fn takes(options: &Options) -> Duration {
    let drain = options.drain_timeout.map_or(Timing::default().drain_timeout, |span| span.0);
    Duration::from(drain) + BEYOND_DRAIN
}

#[test]
fn who_stops_a_pod_waits_until_it_is_drained() {
    let given = |text: &str| text.parse::<Span>().map(|span| Duration::from(span.0));
    for place in places::units() {
        let waits = given(&format!("{}s", value("groundcontrol.service", "TimeoutStopSec=")));
        assert!(waits.expect("seconds") >= takes(&place.options()), "{}", place.name);
    }
    let pods = pods();
    for place in places::in_containers() {
        let (waits, before) = match pods.get(&place.name) {
            Some(pod) => (text(&pod["stop_grace_period"]), "0s".to_owned()),
            None => {
                let spec = &yaml("kubernetes/deployment.yaml")["spec"]["template"]["spec"];
                let hook = &spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"];
                (format!("{}s", spec["terminationGracePeriodSeconds"]), format!("{hook}s"))
            }
        };
        let takes = given(&before).expect("a duration") + takes(&place.options());
        assert!(given(&waits).expect("a duration") >= takes, "{}: {waits}", place.name);
    }
}

#[test]
fn every_port_is_the_one_that_the_pod_listens_on() {
    let listens = |place: &places::Place| place.options().listen.expect("it is told where");
    for place in places::in_containers() {
        assert!(listens(&place).ip().is_unspecified(), "{} is reached from outside", place.name);
    }
    let port = listens(&places::image()).port().to_string();
    assert!(places::in_containers().iter().all(|place| listens(place).port().to_string() == port));
    assert_eq!(value("Dockerfile", "EXPOSE "), port);
    let open = &places::container()["ports"][0];
    assert_eq!(text(&open["containerPort"]), port);
    assert_eq!(yaml("kubernetes/service.yaml")["spec"]["ports"][0]["targetPort"], open["name"]);
    let template = &yaml("kubernetes/deployment.yaml")["spec"]["template"];
    assert_eq!(text(&template["metadata"]["annotations"]["prometheus.io/port"]), port);

    let behind = values("haproxy.cfg", "    server ");
    let expected = pods().into_keys().map(|name| format!("{name} {name}:{port}"));
    assert_eq!(behind, expected.collect::<Vec<_>>(), "the proxy knows all pods");
    let bound = value("haproxy.cfg", "    bind :");
    let published = text(&yaml("compose.yaml")["services"]["proxy"]["ports"][0]);
    assert!(published.ends_with(&format!(":{bound}")), "{published}");
}

#[test]
fn the_network_of_proxy_and_pods_is_trusted_and_nobody_else_is_in_it() {
    let compose = yaml("compose.yaml");
    let services = compose["services"].as_object().expect("there are services");
    for (name, service) in services {
        let is_in = strings(&service["networks"]).any(|network| network == "proxied");
        assert_eq!(is_in, name == "proxy" || name.starts_with("pod-"), "{name}");
    }
    let subnet = text(&compose["networks"]["proxied"]["ipam"]["config"][0]["subnet"]);
    let subnet = subnet.parse().expect("a network");
    for place in places::in_containers() {
        let trusted = place.options().trusted_proxies.expect("a proxy is in front");
        if pods().contains_key(&place.name) {
            assert_eq!(trusted, [subnet], "{}", place.name);
        }
    }
}

#[test]
fn every_secret_that_a_pod_reads_is_put_there() {
    let read_by = |place: &places::Place| -> BTreeSet<String> {
        let options = place.options();
        let data = options.data_dir.expect("it is told where").join("admin-token");
        let database = options.database.map(|url| url.expose().to_owned()).unwrap_or_default();
        let authority = database.split_once("sslrootcert=").map(|(_, path)| path.into());
        let files = [options.database_password_file, options.tls_cert, options.tls_key, authority];
        let all = files.into_iter().flatten().chain([data]);
        // The unit alone makes its first API token, in a folder of its own.
        all.map(|path| path.display().to_string()).filter(|path| !path.starts_with("%S/")).collect()
    };
    let credentials = |file| -> Vec<String> {
        let loaded = values(file, "LoadCredential=");
        loaded.iter().filter_map(|c| Some(format!("%d/{}", c.split_once(':')?.0))).collect()
    };
    let mut loaded: BTreeSet<String> = credentials("groundcontrol.service").into_iter().collect();
    for (place, file) in places::units().iter().zip(["groundcontrol.service", "postgresql.conf"]) {
        loaded.extend(credentials(file));
        assert_eq!(read_by(place), loaded, "{}", place.name);
    }

    let container = places::container();
    let mounted = text(&container["volumeMounts"][0]["mountPath"]);
    let made = read("README.md");
    for place in places::in_containers() {
        let put: BTreeSet<String> = match pods().get(&place.name) {
            Some(pod) => {
                strings(&pod["secrets"]).map(|name| format!("/run/secrets/{name}")).collect()
            }
            None => {
                let keys =
                    made.split("--from-file=").skip(1).filter_map(|r| r.split_whitespace().next());
                keys.map(|key| format!("{mounted}/{key}")).collect()
            }
        };
        assert_eq!(read_by(&place), put, "{}", place.name);
    }
    for (name, secret) in yaml("compose.yaml")["secrets"].as_object().expect("there are secrets") {
        let file = text(&secret["file"]);
        assert_eq!(file, format!("./secrets/{name}"));
        assert!(made.contains(&format!("> {}", &file[2..])), "README.md says how to make {file}");
    }
    let ignored = tree::read(".gitignore");
    assert!(ignored.contains("app/deploy/secrets/"), "nobody commits them by mistake");
}

#[test]
fn the_image_is_built_from_all_that_the_workspace_needs() {
    let copied: BTreeSet<String> = values("Dockerfile", "COPY ")
        .iter()
        .filter(|line| !line.starts_with("--from="))
        .flat_map(|line| {
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            words[..words.len() - 1].to_vec()
        })
        .collect();
    let folder = |path: &String| path.split('/').next().unwrap_or_default().to_owned();
    let mut needed: BTreeSet<String> = tree::crates().iter().map(folder).collect();
    needed.extend(["Cargo.toml".to_owned(), "Cargo.lock".to_owned()]);
    assert_eq!(copied, needed);
    let ignored = read("Dockerfile.dockerignore");
    let hidden = needed.iter().find(|path| ignored.lines().any(|line| line == *path));
    assert_eq!(hidden, None, "the builder must see it");

    let run = values("Dockerfile", "RUN ").join("\n");
    assert!(run.contains("cargo build --release --locked -p groundcontrol "), "{run}");
    let manifest: toml::Table = tree::read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let rust = manifest["workspace"]["package"]["rust-version"].as_str().expect("it is there");
    assert!(values("Dockerfile", "FROM ")[0].starts_with(&format!("rust:{rust}-")), "{rust}");
}

#[test]
fn images_are_official_ones_or_the_one_that_is_built_here() {
    let own = concat!("groundcontrol:", env!("CARGO_PKG_VERSION"));
    let compose = yaml("compose.yaml");
    let services = compose["services"].as_object().expect("there are services");
    let mut images: Vec<String> =
        services.values().map(|service| text(&service["image"])).collect();
    images.push(text(&places::container()["image"]));
    let built_on = values("Dockerfile", "FROM ");
    images.extend(
        built_on.iter().filter_map(|line| line.split_whitespace().next()).map(str::to_owned),
    );
    let official = ["rust", "debian", "haproxy", "postgres", "nats"];
    for image in &images {
        let (name, tag) = image.split_once(':').expect("a version is said");
        assert!(image == own || official.contains(&name) && tag != "latest", "{image}");
    }
    for file in ["Dockerfile", "README.md"] {
        assert!(read(file).contains(&format!("-t {own} ")), "{file} builds {own}");
    }
}

#[test]
fn no_pod_is_root_or_writes_where_it_need_not() {
    let user = value("Dockerfile", "USER ");
    let spec = &yaml("kubernetes/deployment.yaml")["spec"]["template"]["spec"];
    let account = &spec["securityContext"];
    assert_eq!(user, format!("{}:{}", account["runAsUser"], account["runAsGroup"]));
    assert_ne!(account["runAsUser"], 0);
    assert_eq!(spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"], true);
    for (name, pod) in pods() {
        assert_eq!(pod["read_only"], true, "{name}");
    }
    assert_eq!(value("groundcontrol.service", "DynamicUser="), "yes");
}

#[test]
fn service_and_budget_select_the_pods_of_the_deployment() {
    let deployment = yaml("kubernetes/deployment.yaml");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert!(labels.is_object());
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&yaml("kubernetes/service.yaml")["spec"]["selector"], labels);
    let budget = yaml("kubernetes/pod-disruption-budget.yaml");
    assert_eq!(&budget["spec"]["selector"]["matchLabels"], labels);
    let spec = &deployment["spec"]["template"]["spec"];
    let apart = &spec["affinity"]["podAntiAffinity"];
    let apart = &apart["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"];
    assert_eq!(&apart["labelSelector"]["matchLabels"], labels);
    assert_eq!(&spec["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"], labels);
    let pod = &spec["containers"][0]["env"][0];
    assert_eq!(pod["name"], "GROUNDCONTROL_POD");
    assert_eq!(pod["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
}

#[test]
fn the_unit_reads_the_configuration_file_that_the_first_page_shows() {
    let page = tree::read("README.md");
    let file = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let file = file.expect("the page shows a configuration file");
    let options: Result<Options, _> = toml::from_str(file);
    assert!(options.is_ok(), "{:?}", options.err());
    let path = file.lines().next().and_then(|line| line.strip_prefix("# "));
    let started = value("groundcontrol.service", "ExecStart=");
    let config = started.split_once("--config ").and_then(|(_, rest)| rest.split(' ').next());
    assert_eq!(config, path, "the block begins by saying where the file is");
    assert!(page.contains("app/deploy/groundcontrol.service"));
}
