//! `cargo xtask fuzz`: the four fuzz targets side by side for a while.
//!
//! What is built is what `cargo fuzz run -s none <target>` builds, by the same compiler flags
//! (they are all stable); only so, one build makes all four, and the judgement of a commit need
//! not first compile cargo-fuzz (a minute on two cores) to pass five flags. Who has cargo-fuzz
//! uses it from the root: it finds the same package and the same corpus.
//!
//! What a run finds new goes to `target/fuzz/corpus`, never into the tree.

use crate::process::{Failure, Outcome, capture, cargo, failure, say, succeed};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

const TARGETS: [&str; 4] = ["frame", "message", "tlv", "key_block"];

/// The flags of cargo-fuzz 0.13 without a sanitizer. Our crates forbid `unsafe`, so that an
/// address sanitizer (which needs a nightly compiler) has little to find.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "--cfg=fuzzing",
];

/// Where everything of a run lies, from the root.
const FOLDER: &str = "target/fuzz";

/// One input may take this long: work is bounded by length, so even a busy machine needs far less.
const SECONDS_PER_INPUT: u32 = 10;
const MEMORY_MEBIBYTES: u32 = 512;
const INPUT_BYTES_MAX: u32 = 8192;

/// Builds the targets and runs them for so many seconds; a crash, a hang and a swollen memory
/// fail, with the path of the input that did it.
pub(crate) fn run(root: &Path, seconds: u32) -> Outcome {
    let programs = build(root)?;
    let started: Vec<Run> = TARGETS
        .iter()
        .map(|target| Run::start(root, &programs.join(target), target, seconds))
        .collect::<Outcome<_>>()?;
    let mut failures = Vec::new();
    for run in started {
        match run.finish() {
            Ok(line) => say(&line),
            Err(Failure(message)) => failures.push(message),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure(failures.join("\n"))) }
}

/// Builds all targets; answers the folder they are in.
fn build(root: &Path) -> Outcome<PathBuf> {
    let version = capture(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Failure("rustc -vV names no host".to_owned()))?;
    // A named machine keeps the flags away from build scripts and macros.
    succeed(
        cargo(&["build", "--locked", "--quiet", "--profile", "fuzz", "--package", "starpay-fuzz", "--bins"])
            .current_dir(root)
            .args(["--target", host, "--target-dir", FOLDER])
            .env("RUSTFLAGS", FLAGS.join(" ")),
    )?;
    Ok(root.join(FOLDER).join(host).join("fuzz"))
}

/// One target at work.
struct Run {
    target: &'static str,
    process: Child,
    log: PathBuf,
    artifacts: PathBuf,
}

impl Run {
    fn start(root: &Path, program: &Path, target: &'static str, seconds: u32) -> Outcome<Self> {
        let folder = root.join(FOLDER);
        let (found, artifacts) = (folder.join("corpus").join(target), folder.join("artifacts").join(target));
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder).map_err(|cause| failure(folder.display(), cause))?;
        }
        let log = folder.join(format!("{target}.log"));
        let output = File::create(&log).map_err(|cause| failure(log.display(), cause))?;
        let process = Command::new(program)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={SECONDS_PER_INPUT}"))
            .arg(format!("-rss_limit_mb={MEMORY_MEBIBYTES}"))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg("-print_final_stats=1")
            // What is new goes to the first folder; the second is only read.
            .args([found, root.join("fuzz/corpus").join(target)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .map_err(|cause| failure(format!("cannot start {}", program.display()), cause))?;
        Ok(Self { target, process, log, artifacts })
    }

    /// Waits; one line for a person.
    fn finish(mut self) -> Outcome<String> {
        let status = self.process.wait().map_err(|cause| failure(self.target, cause))?;
        let log = fs::read(&self.log).map_err(|cause| failure(self.log.display(), cause))?;
        judge(self.target, status, &String::from_utf8_lossy(&log), &self.artifacts)
    }
}

/// When one cannot be started, the others do not go on alone.
impl Drop for Run {
    fn drop(&mut self) {
        let _already_ended = self.process.kill();
        let _already_waited_for = self.process.wait();
    }
}

/// A target is good when it ended by itself and tried something.
fn judge(target: &str, status: ExitStatus, log: &str, artifacts: &Path) -> Outcome<String> {
    let executions = said(log, "stat::number_of_executed_units:").unwrap_or(0);
    if status.success() && executions > 0 {
        let rate = said(log, "stat::average_exec_per_sec:").unwrap_or(0);
        let memory = said(log, "stat::peak_rss_mb:").unwrap_or(0);
        return Ok(format!("{target:<10} {executions:>12} executions {rate:>9}/s {memory:>5} MiB at most"));
    }
    let told = told(log);
    Err(Failure(format!(
        "fuzz target {target} ({status}):\n  {told}\nthe input is below {folder}; try it again with\n  \
         cargo run -p starpay-fuzz --bin {target} -- {folder}/…",
        folder = artifacts.display()
    )))
}

/// What a log says of a failure: panic, verdict and the path of the input; without them its end.
fn told(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.starts_with('#')).collect();
    let says =
        |line: &&str| ["panicked at", "SUMMARY:", "Test unit written"].iter().any(|word| line.contains(word));
    let mut chosen = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| says(line)) {
        chosen.push(*line);
        if line.contains("panicked at") {
            chosen.extend(lines.get(at + 1));
        }
    }
    if chosen.is_empty() {
        chosen = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().to_vec();
    }
    chosen.join("\n  ")
}

/// The number behind a word of libFuzzer's last lines.
fn said(log: &str, word: &str) -> Option<u64> {
    log.lines().find_map(|line| line.strip_prefix(word))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    const LOG: &str = "INFO: Seed: 1\n#12 NEW cov: 3\nstat::number_of_executed_units: 4711\n\
                       stat::average_exec_per_sec:     78\nstat::peak_rss_mb:              40\n";

    fn judged(code: i32, log: &str) -> Outcome<String> {
        judge("tlv", ExitStatus::from_raw(code << 8), log, Path::new("artifacts/tlv"))
    }

    #[test]
    fn executions_are_read_and_shown() {
        let line = judged(0, LOG).unwrap();
        assert!(line.contains("4711 executions") && line.contains("78/s"), "{line}");
    }

    #[test]
    fn a_finding_and_a_target_that_tried_nothing_fail_with_the_place_of_the_input() {
        for (code, log) in [(77, LOG), (70, LOG), (71, LOG), (0, ""), (1, "error while loading")] {
            let Failure(message) = judged(code, log).unwrap_err();
            assert!(message.contains("artifacts/tlv") && message.contains("tlv"), "{message}");
        }
        let Failure(message) =
            judged(77, "#1 NEW\npanicked at tlv.rs:7\nnot so\n  1: a frame\n").unwrap_err();
        assert!(message.contains("panicked at tlv.rs:7\n  not so\nthe input"), "{message}");
    }

    #[test]
    fn every_target_has_seeds_and_a_program() {
        let root = crate::source::root().unwrap();
        for target in TARGETS {
            assert!(root.join("fuzz/corpus").join(target).is_dir(), "{target}");
            assert!(root.join("fuzz/fuzz_targets").join(format!("{target}.rs")).is_file(), "{target}");
        }
        let programs = fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap().count();
        assert_eq!(programs, TARGETS.len(), "a target that is not run is no target");
    }
}
