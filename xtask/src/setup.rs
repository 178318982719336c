//! Installs what the tests need, by package name, or says exactly what is missing.
//!
//! Nothing is ever skipped: a need that is not met ends the run.

use crate::process::{Failure, Outcome, capture, cargo, failure, find_program, say, succeed};
use crate::{axe, peers, postgres};
use std::path::Path;
use std::process::Command;

/// One thing the tests need.
struct Need {
    what: &'static str,
    packages: &'static [&'static str],
    met: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "PostgreSQL 15 or newer, server and client",
        packages: &["postgresql", "postgresql-client"],
        met: || {
            postgres::programs().is_some_and(|folder| {
                ["postgres", "initdb", "pg_isready", "pg_dump"].iter().all(|name| folder.join(name).is_file())
            })
        },
    },
    Need {
        what: "setpriv, which gives PostgreSQL its own account",
        packages: &["util-linux"],
        met: || find_program("setpriv").is_some(),
    },
    Need { what: "Chromium", packages: &["chromium"], met: || find_program("chromium").is_some() },
    Need {
        what: "ChromeDriver",
        packages: &["chromium-driver"],
        met: || find_program("chromedriver").is_some(),
    },
    Need {
        what: "Chinese glyphs for the pages",
        packages: &["fonts-noto-cjk", "fontconfig"],
        met: chinese_glyphs,
    },
    Need {
        what: "Python 3 with venv and pip",
        packages: &["python3", "python3-venv", "python3-pip"],
        met: || capture(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok(),
    },
    Need {
        what: "SoftHSM2, the PKCS#11 token of the key tests",
        packages: &["softhsm2"],
        met: || find_program("softhsm2-util").is_some(),
    },
    Need {
        what: "a C++ compiler, which builds libFuzzer",
        packages: &["g++"],
        met: || find_program("c++").is_some(),
    },
    Need {
        what: "valgrind, which counts the codec's instructions and allocations",
        packages: &["valgrind"],
        met: || find_program("valgrind").is_some(),
    },
    Need {
        what: "bash, curl and jq, with which the guide is played",
        packages: &["bash", "curl", "jq"],
        met: || ["bash", "curl", "jq"].iter().all(|name| find_program(name).is_some()),
    },
    Need { what: "npm", packages: &["npm"], met: || find_program("npm").is_some() },
];

fn chinese_glyphs() -> bool {
    capture(Command::new("fc-list").arg(":lang=zh-cn")).is_ok_and(|fonts| !fonts.trim().is_empty())
}

/// Makes sure every need is met.
pub(crate) fn run(root: &Path) -> Outcome {
    rust_components()?;
    packages()?;
    if axe::is_present(root) {
        say(&format!("{} is present", axe::SCRIPT));
    } else {
        axe::install(root)?;
    }
    if peers::are_present(root) {
        say("the Python peers are present");
    } else {
        peers::install(root)?;
    }
    Ok(())
}

fn unmet() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.met)()).collect()
}

fn packages() -> Outcome {
    let missing = unmet();
    if missing.is_empty() {
        say("every Debian package the tests need is present");
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    if !rustix::process::geteuid().is_root() || find_program("apt-get").is_none() {
        return Err(Failure(format!(
            "{}\ninstall it as root: apt-get install {}",
            list(&missing),
            names.join(" ")
        )));
    }
    // Mirrors stumble now and then; a second try is cheaper than a red run.
    let install = || {
        succeed(apt_get().arg("update"))?;
        succeed(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(&names))
    };
    if let Err(Failure(message)) = install() {
        say(&format!("{message}; trying once more"));
        install().map_err(|Failure(message)| failure(list(&missing), message))?;
    }
    let missing = unmet();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Failure(format!("{}\nalthough apt-get installed {}", list(&missing), names.join(" "))))
    }
}

fn list(missing: &[&Need]) -> String {
    let lines: Vec<String> =
        missing.iter().map(|need| format!("missing: {} ({})", need.what, need.packages.join(", "))).collect();
    lines.join("\n")
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args([
        "-o",
        "DPkg::Lock::Timeout=300",
        "-o",
        "Acquire::Retries=3",
    ]);
    command
}

/// The formatter and the linter are parts of the tool chain that a minimal profile leaves out.
fn rust_components() -> Outcome {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if capture(&mut cargo(&[subcommand, "--version"])).is_ok() {
            continue;
        }
        if find_program("rustup").is_none() {
            return Err(Failure(format!(
                "missing: the Rust component {component}, and no rustup to add it with"
            )));
        }
        succeed(Command::new("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let need = Need { what: "a teapot", packages: &["teapot"], met: || find_program("teapot").is_some() };
        assert!(!(need.met)());
        assert_eq!(list(&[&need]), "missing: a teapot (teapot)");
    }
}
