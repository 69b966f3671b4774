//! Where secrets for satellites are, and how they are reached.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

use super::{ConfigError, Options};
use crate::secret_url::SecretUrl;

/// Where secrets are.
#[derive(Clone, Debug)]
pub enum SecretSettings {
    /// Nowhere: satellites are told that there are none.
    None,
    /// In environment variables that begin with this.
    Env(String),
    /// In the files of a folder.
    Dir(PathBuf),
    /// Sealed in the database.
    Sealed(SealingKeys),
    /// In a vault.
    Vault(VaultPlace),
}

/// Where the keys are that seal and open secrets.
#[derive(Clone, Debug)]
pub enum SealingKeys {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Variable(SecretString),
}

/// Where a vault is, and who this server is to it.
#[derive(Clone, Debug)]
pub struct VaultPlace {
    /// Its address.
    pub address: SecretUrl,
    /// Who this server is.
    pub auth: VaultLogin,
    /// Where the KV engine is mounted.
    pub mount: String,
    /// The path below which the secrets are.
    pub path: String,
    /// The field of an entry that holds the value.
    pub field: String,
    /// The namespace.
    pub namespace: Option<String>,
    /// PEM file with the authorities that are trusted beside the system's.
    pub authorities: Option<PathBuf>,
}

/// Who a server is to a vault.
#[derive(Clone, Debug)]
pub enum VaultLogin {
    /// Who has a token.
    Token(SecretString),
    /// Who has the token in a file.
    TokenFile(PathBuf),
    /// An AppRole, with the file of its secret.
    AppRole(String, PathBuf),
    /// A service account of Kubernetes in this role.
    Kubernetes(String),
}

impl fmt::Display for SecretSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Env(prefix) => write!(f, "env:{prefix}"),
            Self::Dir(folder) => write!(f, "dir:{}", folder.display()),
            Self::Sealed(_) => f.write_str("sealed"),
            Self::Vault(place) => write!(f, "vault:{}", place.address),
        }
    }
}

/// The source of secrets that the options name.
pub(super) fn secrets(options: &Options) -> Result<SecretSettings, ConfigError> {
    let given = options.secrets.as_ref().map(SecretUrl::expose);
    let settings = match given.map(|text| text.split_once(':').unwrap_or((text, ""))) {
        None => SecretSettings::None,
        Some(("env", prefix)) => SecretSettings::Env(prefix.to_owned()),
        Some(("dir", folder)) if !folder.is_empty() => SecretSettings::Dir(folder.into()),
        Some(("sealed", "")) => SecretSettings::Sealed(keys(options)?),
        Some(("vault", address)) if !address.is_empty() => {
            SecretSettings::Vault(vault(address, options)?)
        }
        Some(_) => return Err(ConfigError::Secrets),
    };
    let is_vault = matches!(settings, SecretSettings::Vault(_));
    if let Some(flag) = of_a_vault_alone(options).filter(|_| !is_vault) {
        return Err(ConfigError::OfVaultAlone(flag));
    }
    if options.secrets_key_file.is_some() && !matches!(settings, SecretSettings::Sealed(_)) {
        return Err(ConfigError::OfSealedAlone);
    }
    Ok(settings)
}

fn keys(options: &Options) -> Result<SealingKeys, ConfigError> {
    match (&options.secrets_key_file, &options.secrets_key) {
        (Some(file), _) => Ok(SealingKeys::File(file.clone())),
        (None, Some(text)) => Ok(SealingKeys::Variable(text.clone())),
        (None, None) => Err(ConfigError::NoSealingKey),
    }
}

fn vault(address: &str, options: &Options) -> Result<VaultPlace, ConfigError> {
    let role = options.vault_kubernetes_role.clone();
    let approle = options.vault_role_id.clone().zip(options.vault_secret_id_file.clone());
    let auth = match (role, approle, &options.vault_token_file, &options.vault_token) {
        (Some(role), None, None, _) => VaultLogin::Kubernetes(role),
        (None, Some((role, secret)), None, _) => VaultLogin::AppRole(role, secret),
        (None, None, Some(file), _) => VaultLogin::TokenFile(file.clone()),
        (None, None, None, Some(token)) => VaultLogin::Token(token.clone()),
        _ => return Err(ConfigError::VaultLogin),
    };
    let Ok(address) = address.parse();
    let or = |given: &Option<String>, default: &str| given.clone().unwrap_or(default.to_owned());
    Ok(VaultPlace {
        address,
        auth,
        mount: or(&options.vault_mount, "secret"),
        path: or(&options.vault_path, "groundcontrol"),
        field: or(&options.vault_field, "value"),
        namespace: options.vault_namespace.clone(),
        authorities: options.vault_ca_file.clone(),
    })
}

/// A flag that was given and means nothing to any other source.
fn of_a_vault_alone(options: &Options) -> Option<&'static str> {
    let given = [
        ("--vault-token-file", options.vault_token_file.is_some()),
        ("--vault-role-id", options.vault_role_id.is_some()),
        ("--vault-secret-id-file", options.vault_secret_id_file.is_some()),
        ("--vault-kubernetes-role", options.vault_kubernetes_role.is_some()),
        ("--vault-mount", options.vault_mount.is_some()),
        ("--vault-path", options.vault_path.is_some()),
        ("--vault-field", options.vault_field.is_some()),
        ("--vault-namespace", options.vault_namespace.is_some()),
        ("--vault-ca-file", options.vault_ca_file.is_some()),
    ];
    given.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(secrets: &str, more: Options) -> Result<String, String> {
        let options = Options { secrets: secrets.parse().ok(), ..more };
        let settings = options.resolve(None, "x1").map_err(|error| error.to_string())?;
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hush"), "{shown}");
        Ok(settings.secrets.to_string())
    }

    #[test]
    fn a_source_is_named_by_its_kind_and_place() {
        let none = Options::default;
        let key = Options { secrets_key_file: Some("key".into()), ..none() };
        let vault = Options { vault_token: Some("hush".into()), ..none() };
        assert_eq!(none().resolve(None, "x1").unwrap().secrets.to_string(), "none");
        assert_eq!(asked("env:GC_", none()).as_deref(), Ok("env:GC_"));
        assert_eq!(asked("dir:/run/secrets", none()).as_deref(), Ok("dir:/run/secrets"));
        assert_eq!(asked("sealed", key).as_deref(), Ok("sealed"));
        assert_eq!(asked("vault:https://v:8200", vault).as_deref(), Ok("vault:https://v:8200"));
    }

    #[test]
    fn what_is_missing_or_means_nothing_is_refused_by_name() {
        let none = Options::default;
        assert!(asked("sealed", none()).unwrap_err().contains("--secrets-key-file"));
        assert!(asked("vault:https://v", none()).unwrap_err().contains("--vault-token-file"));
        for odd in ["hush", "dir:", "vault:", "sealed:x"] {
            let refused = asked(odd, none()).unwrap_err();
            assert!(refused.contains("dir:PATH") && !refused.contains("hush"), "{refused}");
        }
        let mount = Options { vault_mount: Some("kv".into()), ..none() };
        assert!(asked("env:X", mount).unwrap_err().starts_with("--vault-mount"));
    }
}
