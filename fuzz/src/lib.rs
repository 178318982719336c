//! What must hold for any bytes at all, one module for each place where they come in.
//!
//! `cargo xtask fuzz` has libFuzzer look for bytes that break it; so does, where cargo-fuzz is
//! installed, `cargo fuzz run -s none message`. Without libFuzzer's hooks each target is a small
//! program that tries the files it is given, which is how a finding is looked at in a debugger.

pub mod frame;
pub mod key_block;
pub mod message;
pub mod tlv;

use std::process::ExitCode;

/// Makes a program of a property: libFuzzer's, or one that tries files.
#[macro_export]
macro_rules! target {
    ($property:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            $property(input);
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::try_files($property, std::env::args_os().skip(1).map(Into::into))
        }
    };
}

/// Whether a property saw the inside of what it was given, or only its refusal.
///
/// Seeds that are refused at the door teach a fuzzer nothing: a test counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Refused by the first look.
    Refused,
    /// Read, and everything that must hold held.
    Inside,
}

/// Tries each file; a property that does not hold panics.
pub fn try_files(
    property: fn(&[u8]) -> Reached,
    files: impl Iterator<Item = std::path::PathBuf>,
) -> ExitCode {
    for file in files {
        match std::fs::read(&file) {
            Ok(input) => eprintln!("{}: {:?}", file.display(), property(&input)),
            Err(cause) => {
                eprintln!("{}: {cause}", file.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Every named seed of a target, sorted by name. What cargo-fuzz found on this machine is named
    /// by a SHA-1 and ignored by git.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        const SHA1_DIGITS: usize = 40;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut files: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.file_name().is_some_and(|name| name.len() != SHA1_DIGITS));
        files.sort();
        files.iter().map(|file| std::fs::read(file).unwrap()).collect()
    }

    /// Each seed, each of its beginnings, and each of its bytes changed in four ways: what a
    /// fuzzer would try first, on every run of the tests.
    fn near(property: fn(&[u8]) -> Reached, target: &str) {
        for seed in seeds(target) {
            assert_eq!(property(&seed), Reached::Inside, "{target}: {}", hex::encode(&seed));
            for end in 0..seed.len() {
                property(&seed[..end]);
            }
            for at in 0..seed.len() {
                for flip in [0x01, 0x0F, 0x80, 0xFF] {
                    let mut changed = seed.clone();
                    changed[at] ^= flip;
                    property(&changed);
                }
            }
        }
    }

    #[test]
    fn frames_hold_near_the_corpus() {
        near(frame::holds, "frame");
    }

    #[test]
    fn messages_hold_near_the_corpus() {
        near(message::holds, "message");
    }

    #[test]
    fn tlv_holds_near_the_corpus() {
        near(tlv::holds, "tlv");
    }

    #[test]
    fn key_blocks_hold_near_the_corpus() {
        near(key_block::holds, "key_block");
    }

    #[test]
    fn the_corpus_stays_small() {
        for target in ["frame", "message", "tlv", "key_block"] {
            let seeds = seeds(target);
            let bytes: usize = seeds.iter().map(Vec::len).sum();
            assert!((1..=64).contains(&seeds.len()) && bytes <= 32 * 1024, "{target}: {bytes}");
        }
    }
}
