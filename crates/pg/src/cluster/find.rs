use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::ClusterError;

const MAJORS: std::ops::RangeInclusive<u32> = 15..=18;

/// Where the server programs of one PostgreSQL version are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    pub dir: PathBuf,
    pub major: u32,
    /// Named by `pg_config`.
    is_preferred: bool,
}

impl Binaries {
    /// Exactly the version that made the data directory. For a new one that of the `pg_config` on the `PATH`, if it is
    /// supported and has a server; else the newest supported one.
    pub fn find(made_by: Option<u32>, pgdata: &Path) -> Result<Self, ClusterError> {
        Self::choose(installed(), made_by, pgdata)
    }

    /// The first of `installed` is preferred, then the newest.
    fn choose(mut installed: Vec<Self>, made_by: Option<u32>, pgdata: &Path) -> Result<Self, ClusterError> {
        let preferred = installed.first().filter(|one| one.is_preferred).map(|one| one.dir.clone());
        installed.sort_by_key(|one| (Some(&one.dir) != preferred.as_ref(), std::cmp::Reverse(one.major)));
        if let Some(made_by) = made_by {
            if let Some(same) = installed.iter().find(|one| one.major == made_by && MAJORS.contains(&made_by))
            {
                return Ok(same.clone());
            }
            let found: Vec<_> = installed.iter().map(|one| one.major.to_string()).collect();
            let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
            return Err(ClusterError::OtherMajor { path: pgdata.to_owned(), made_by, found });
        }
        let newest = installed.iter().map(|one| one.major).max();
        match installed.into_iter().find(|one| MAJORS.contains(&one.major)) {
            Some(fit) => Ok(fit),
            None => {
                Err(newest.map_or(ClusterError::NotInstalled, |found| ClusterError::WrongVersion { found }))
            }
        }
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.dir.join(program)
    }
}

fn installed() -> Vec<Binaries> {
    let named = Command::new("pg_config").arg("--bindir").output();
    let named = named.ok().map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let mut dirs: Vec<PathBuf> = Vec::new();
    for root in ["/usr/lib/postgresql", "/usr/local/opt"] {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        dirs.extend(entries.map(|entry| entry.path().join("bin")));
    }
    dirs.push(PathBuf::from("/usr/local/pgsql/bin"));
    dirs.retain(|dir| Some(dir) != named.as_ref());
    let preferred = named.and_then(inspect).map(|found| Binaries { is_preferred: true, ..found });
    preferred.into_iter().chain(dirs.into_iter().filter_map(inspect)).collect()
}

/// Only a folder with both `postgres` and `initdb` is a server installation.
fn inspect(dir: PathBuf) -> Option<Binaries> {
    if !dir.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(2)?;
    let major = version.split(['.', 'b', 'r', 'd']).next()?.parse().ok()?;
    Some(Binaries { dir, major, is_preferred: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(major: u32) -> Binaries {
        Binaries { dir: PathBuf::from(format!("/pg/{major}")), major, is_preferred: false }
    }

    #[test]
    fn the_newest_supported_version_is_taken_for_a_new_directory() {
        let found = Binaries::choose(vec![at(15), at(17), at(19)], None, Path::new("/d")).expect("a version");
        assert_eq!(found.major, 17);
    }

    #[test]
    fn what_pg_config_names_is_preferred() {
        let named = Binaries { is_preferred: true, ..at(16) };
        let choose =
            |made_by| Binaries::choose(vec![named.clone(), at(15), at(18)], made_by, Path::new("/d"));
        assert_eq!(choose(None).expect("a version").major, 16);
        assert_eq!(choose(Some(15)).expect("a version").major, 15);
        let unfit = Binaries { is_preferred: true, ..at(14) };
        let found = Binaries::choose(vec![unfit, at(15)], None, Path::new("/d")).expect("a version");
        assert_eq!(found.major, 15);
    }

    #[test]
    fn an_existing_directory_keeps_its_version() {
        assert_eq!(
            Binaries::choose(vec![at(15), at(17)], Some(15), Path::new("/d")).expect("a version").major,
            15
        );
        let error = Binaries::choose(vec![at(17)], Some(15), Path::new("/d")).expect_err("other major");
        assert!(
            error.to_string().contains("made by PostgreSQL 15") && error.to_string().contains("found: 17"),
            "{error}"
        );
    }

    #[test]
    fn nothing_and_too_old_are_told_apart() {
        assert!(matches!(Binaries::choose(vec![], None, Path::new("/d")), Err(ClusterError::NotInstalled)));
        assert!(matches!(
            Binaries::choose(vec![at(13)], None, Path::new("/d")),
            Err(ClusterError::WrongVersion { found: 13 })
        ));
    }
}
