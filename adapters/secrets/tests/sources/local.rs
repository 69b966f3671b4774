//! Sources that need nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use groundcontrol_core::conformance::{self, Fixture, SecretAdapter};
use groundcontrol_core::ports::{SealedStore as _, SecretError, SecretSource};
use groundcontrol_core::secrets::{SecretName, SecretValue};
use groundcontrol_secrets::{DirSecrets, EnvSecrets, Keys, SealedSecrets, Variables};

use crate::kept::Kept;

#[derive(Default)]
struct Environment(Mutex<BTreeMap<OsString, OsString>>);

impl Variables for Environment {
    fn get(&self, name: &OsStr) -> Option<OsString> {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn names(&self) -> Vec<OsString> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

struct Env {
    variables: Arc<Environment>,
    source: EnvSecrets,
}

impl Env {
    fn new() -> Self {
        let variables = Arc::new(Environment::default());
        let others = [("PATH", "/bin"), ("GC_a b", "no name"), ("GC_", "no name"), ("gc_x", "x")];
        for (name, value) in others {
            variables.0.lock().unwrap().insert(name.into(), value.into());
        }
        let source = EnvSecrets::among("GC_", variables.clone());
        Self { variables, source }
    }
}

#[async_trait]
impl SecretAdapter for Env {
    fn source(&self) -> &dyn SecretSource {
        &self.source
    }

    async fn set_outside(&self, name: &SecretName, value: Option<&str>) {
        let mut variables = self.variables.0.lock().unwrap();
        let variable = OsString::from(format!("GC_{name}"));
        match value {
            Some(value) => variables.insert(variable, value.into()),
            None => variables.remove(&variable),
        };
    }
}

struct Dir {
    folder: PathBuf,
    source: DirSecrets,
}

#[async_trait]
impl SecretAdapter for Dir {
    fn source(&self) -> &dyn SecretSource {
        &self.source
    }

    async fn set_outside(&self, name: &SecretName, value: Option<&str>) {
        let path = self.folder.join(name.as_str());
        match value {
            Some(value) => std::fs::write(path, value).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
    }
}

const ONE: &str = "one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "two:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// A source that is filled through itself.
struct Own<S>(S);

#[async_trait]
impl<S: SecretSource> SecretAdapter for Own<S> {
    fn source(&self) -> &dyn SecretSource {
        &self.0
    }

    async fn set_outside(&self, name: &SecretName, value: Option<&str>) {
        match value {
            // What is too long is refused, and so is not there.
            Some(value) => drop(self.0.put(name, &SecretValue::new(value)).await),
            None => drop(self.0.delete(name).await),
        }
    }
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_environment_is_a_source_of_secrets() {
    conformance::secret_source(|| async { Arc::new(Env::new()) }).await.assert_passed();
}

#[tokio::test]
async fn a_folder_is_a_source_of_secrets() {
    let make = || async {
        let folder = tempfile::tempdir().unwrap();
        let source = DirSecrets::new(folder.path());
        let adapter = Dir { folder: folder.path().to_owned(), source };
        Fixture::<dyn SecretAdapter>::from(Arc::new(adapter)).keeping(folder)
    };
    conformance::secret_source(make).await.assert_passed();
}

#[tokio::test]
async fn sealed_secrets_are_a_source_of_secrets() {
    let make = || async {
        let store = Arc::new(Kept::default());
        Arc::new(Own(SealedSecrets::new(store, Keys::parse(ONE).unwrap())))
    };
    conformance::secret_source(make).await.assert_passed();
}

#[tokio::test]
async fn a_variable_that_is_no_text_is_unusable() {
    let env = Env::new();
    let odd = OsString::from_vec(vec![0xff]);
    env.variables.0.lock().unwrap().insert("GC_odd".into(), odd);
    let answer = env.source.resolve(&BTreeSet::from([name("odd")])).await;
    assert!(matches!(answer, Err(SecretError::Unusable { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_new_key_seals_everything_again_and_the_old_one_is_not_needed_then() {
    let store = Arc::new(Kept::default());
    let with = |keys: &str| SealedSecrets::new(store.clone(), Keys::parse(keys).unwrap());
    let names: Vec<_> = (0..250).map(|number| name(&format!("n{number}"))).collect();
    for name in &names {
        with(ONE).put(name, &SecretValue::new(name.as_str())).await.unwrap();
    }
    let both = with(&format!("{TWO}\n{ONE}"));
    assert_eq!(both.reseal().await, Ok(250));
    assert_eq!(both.reseal().await, Ok(0));
    let found = with(TWO).resolve(&names.iter().cloned().collect()).await.unwrap();
    assert!(found.iter().all(|(name, value)| name.as_str() == value.expose()));
}

#[tokio::test]
async fn a_value_under_an_unknown_key_or_of_another_name_is_refused_without_showing_it() {
    let store = Arc::new(Kept::default());
    let sealed = SealedSecrets::new(store.clone(), Keys::parse(ONE).unwrap());
    sealed.put(&name("a"), &SecretValue::new("hush")).await.unwrap();
    let wanted = BTreeSet::from([name("a")]);
    let stranger = SealedSecrets::new(store.clone(), Keys::parse(TWO).unwrap());
    let error = stranger.resolve(&wanted).await.unwrap_err().to_string();
    assert!(error.contains("key") && !error.contains("hush"), "{error}");
    let kept = store.sealed(&wanted).await.unwrap().remove(0);
    assert!(!kept.sealed.contains("hush"));
    let moved = groundcontrol_core::ports::SealedSecret { name: name("b"), ..kept };
    store.put_sealed(moved).await.unwrap();
    let error = sealed.resolve(&BTreeSet::from([name("b")])).await.unwrap_err().to_string();
    assert_eq!(error, "the secret b is not what was sealed under this name");
}
