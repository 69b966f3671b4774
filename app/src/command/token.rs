//! Where tokens come from: a file, standard input or the environment, never the command line.

use std::convert::Infallible;
use std::io::{BufRead, Read, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use groundcontrol_core::satellite::Token;
use zeroize::Zeroizing;

/// Bytes of the longest text that is read as a token.
const LONGEST: u64 = 4096;

/// The value of a flag that takes `-` for standard input. Any other value is a token that
/// somebody typed; it is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Standard input.
    StandardInput,
    /// Something else.
    Exposed,
}

impl FromStr for Dash {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" { Self::StandardInput } else { Self::Exposed })
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It was given on the command line.
    #[error(
        "a token on the command line can be read by everybody on this machine (ps) and stays in \
         the shell's history; put it into a file and pass {flag}-file FILE, or pass it on standard \
         input with `{flag} -`. Treat the one just typed as known: replace it"
    )]
    Exposed {
        /// The flag.
        flag: &'static str,
    },
    /// The source cannot be read.
    #[error("could not read the token from {origin}: {source}")]
    Unreadable {
        /// Where it should have been.
        origin: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The source holds no token.
    #[error("{origin} holds no token: {why}")]
    Unusable {
        /// Where it should have been.
        origin: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// What was said about where the token is.
#[derive(Clone, Debug)]
pub struct TokenSource<'a> {
    /// The flag that takes `-`, such as `--token`; with `-file` it takes a file.
    pub flag: &'static str,
    /// The value of that flag.
    pub dash: Option<Dash>,
    /// The value of the flag that takes a file.
    pub file: Option<&'a Path>,
    /// The environment variable that may hold the token itself.
    pub variable: &'static str,
}

impl TokenSource<'_> {
    /// The token; none where nothing was said. Standard input wins over the file, the file over
    /// the environment.
    pub fn read(
        &self,
        stdin: &mut dyn BufRead,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Token>, TokenError> {
        match (self.dash, self.file) {
            (Some(Dash::Exposed), _) => Err(TokenError::Exposed { flag: self.flag }),
            (Some(Dash::StandardInput), _) => read("standard input", stdin).map(Some),
            (None, Some(path)) => {
                let origin = path.display().to_string();
                let file = std::fs::File::open(path)
                    .map_err(|source| TokenError::Unreadable { origin: origin.clone(), source })?;
                read(&origin, &mut std::io::BufReader::new(file)).map(Some)
            }
            (None, None) => match variable(self.variable).map(Zeroizing::new) {
                Some(text) if !text.trim().is_empty() => check(self.variable, &text).map(Some),
                _ => Ok(None),
            },
        }
    }
}

/// A new file for a token that is about to be made: a token that cannot be saved would be lost.
/// Only its owner can read it, it never replaces a file, and it goes away unless it is saved to.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    file: std::fs::File,
    saved: bool,
}

impl TokenFile {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let opened =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = opened
            .with_context(|| format!("could not make the file {} for the token", path.display()))?;
        Ok(Self { path: path.to_owned(), file, saved: false })
    }

    pub(super) fn save(&mut self, token: &str) -> anyhow::Result<()> {
        self.saved = true;
        writeln!(self.file, "{token}").and_then(|()| self.file.sync_all()).with_context(|| {
            format!("could not write the token to {}; make another", self.path.display())
        })
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        if !self.saved {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn read(origin: &str, source: &mut dyn BufRead) -> Result<Token, TokenError> {
    let mut text = Zeroizing::new(String::new());
    source
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|source| TokenError::Unreadable { origin: origin.to_owned(), source })?;
    check(origin, &text)
}

fn check(origin: &str, text: &str) -> Result<Token, TokenError> {
    let text = text.trim();
    let unusable = |why| TokenError::Unusable { origin: origin.to_owned(), why };
    if text.is_empty() {
        return Err(unusable("it is empty"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unusable("a token is one word of plain characters, and nothing else"));
    }
    Ok(Token::presented(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(dash: Option<Dash>, file: Option<&Path>) -> TokenSource<'_> {
        TokenSource { flag: "--token", dash, file, variable: "GROUNDCONTROL_TOKEN" }
    }

    fn exposed(read: Result<Option<Token>, TokenError>) -> Option<String> {
        read.unwrap().map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_token_on_the_command_line_is_refused_and_not_repeated() {
        let dash = "csat_secret".parse().unwrap();
        assert!(!format!("{dash:?}").contains("secret"));
        let error = source(Some(dash), None).read(&mut &b""[..], |_| None).unwrap_err();
        assert!(error.to_string().contains("--token-file FILE"));
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn standard_input_wins_over_file_and_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-file\n").unwrap();
        let environment = |_: &str| Some("from-environment".to_owned());
        let read =
            |dash, file| exposed(source(dash, file).read(&mut &b" from-input\n"[..], environment));
        assert_eq!(
            read(Some(Dash::StandardInput), Some(file.path())).as_deref(),
            Some("from-input")
        );
        assert_eq!(read(None, Some(file.path())).as_deref(), Some("from-file"));
        assert_eq!(read(None, None).as_deref(), Some("from-environment"));
    }

    #[test]
    fn nothing_said_is_no_token() {
        assert_eq!(exposed(source(None, None).read(&mut &b""[..], |_| None)), None);
        assert_eq!(exposed(source(None, None).read(&mut &b""[..], |_| Some(" ".into()))), None);
    }

    #[test]
    fn an_empty_or_muddled_source_is_refused_without_its_content() {
        for text in ["", "  \n", "two words", "a\u{1b}b"] {
            let error = source(Some(Dash::StandardInput), None)
                .read(&mut text.as_bytes(), |_| None)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("standard input holds no token"), "{error}");
            assert!(!error.contains("words"));
        }
    }

    #[test]
    fn a_token_file_is_for_its_owner_only_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        TokenFile::create(&path).unwrap().save("csat_x").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(TokenFile::create(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "csat_x\n");
    }

    #[test]
    fn a_token_file_that_was_not_needed_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        drop(TokenFile::create(&path).unwrap());
        assert!(!path.exists());
    }
}
