//! Where PostgreSQL's programs are, and as whom they are run.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Gid, Uid, getuid};

/// Where distributions put the programs of each version.
const VERSIONS: &[&str] = &["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"];
/// Where the password file of this machine's users is.
const USERS: &str = "/etc/passwd";
/// Users that a server may run as where this process is root, which PostgreSQL refuses to be.
const SERVANTS: &[&str] = &["postgres", "nobody"];

/// The programs of one version, and the user that runs them where it is another than ours.
pub(crate) struct Installation {
    folder: PathBuf,
    servant: Option<Servant>,
}

#[derive(Clone, Copy)]
struct Servant {
    user: u32,
    group: u32,
}

impl Installation {
    /// The newest version that is installed.
    pub(crate) fn find() -> Self {
        let folder = versions().or_else(on_path).expect(
            "PostgreSQL 15 or newer is installed (on Debian or Ubuntu: apt-get install \
             postgresql), or GROUNDCONTROL_TEST_POSTGRES names a server",
        );
        Self { folder, servant: servant() }
    }

    /// The path of a program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command that runs as the server's user, with nothing in its environment or its terminal
    /// that could reach it by accident.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        if let Some(servant) = self.servant {
            command.uid(servant.user).gid(servant.group);
        }
        command
    }

    /// Hands a file or folder to the server's user.
    pub(crate) fn hand_over(&self, path: &Path) {
        if let Some(servant) = self.servant {
            std::os::unix::fs::chown(path, Some(servant.user), Some(servant.group))
                .expect("root can give a folder away");
        }
    }
}

fn versions() -> Option<PathBuf> {
    let folders = VERSIONS.iter().filter_map(|base| fs::read_dir(base).ok()).flatten();
    let installed = folders.filter_map(|entry| {
        let folder = entry.ok()?;
        let version = folder.file_name().to_str()?.trim_start_matches("postgresql@").parse();
        let programs = folder.path().join("bin");
        programs.join("initdb").exists().then_some((version.ok()?, programs))
    });
    installed.max_by_key(|(version, _): &(u32, PathBuf)| *version).map(|(_, programs)| programs)
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut folders = std::env::split_paths(&path);
    folders.find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn servant() -> Option<Servant> {
    if getuid() != Uid::ROOT {
        return None;
    }
    let users = fs::read_to_string(USERS).unwrap_or_default();
    let user = |name: &&str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        let (user, group) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        Some(Servant { user, group })
    };
    let found = SERVANTS.iter().find_map(user);
    Some(found.unwrap_or(Servant { user: 65_534, group: Gid::from_raw(65_534).as_raw() }))
}
