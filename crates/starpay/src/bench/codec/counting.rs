//! The counting run: this program again, under valgrind's tools.
//!
//! The work is done N and 2N times; the difference per message is free of start-up. The heap
//! profiler brings its own memcpy, so instructions are counted by another tool.

use super::work::Work;
use std::process::Command;

/// What one message costs, the same on every run of one build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) instructions: f64,
    pub(super) allocations: f64,
}

/// Instructions and allocations per message, or why they could not be counted.
pub(super) fn count(work: Work, messages: u32) -> Result<Counted, String> {
    let per_message = |counted: fn(Work, u32) -> Result<f64, String>| {
        let (once, twice) = (counted(work, messages)?, counted(work, messages.saturating_mul(2))?);
        Ok::<f64, String>((twice - once) / f64::from(messages))
    };
    Ok(Counted { instructions: per_message(instructions)?, allocations: per_message(allocations)? })
}

fn instructions(work: Work, times: u32) -> Result<f64, String> {
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    said(&run(&tool, work, times)?, "Collected")
}

fn allocations(work: Work, times: u32) -> Result<f64, String> {
    let tool = ["--tool=dhat", "--dhat-out-file=/dev/null"];
    let text = run(&tool, work, times)?;
    let total = text.lines().find(|line| line.contains("Total:")).unwrap_or_default();
    said(total, " bytes in ")
}

/// Starts this program under one of valgrind's tools; what the tool says on standard error.
fn run(tool: &[&str], work: Work, times: u32) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(tool)
        .arg(program)
        .args(["bench", "codec", "--work", work.name(), "--times", &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    } else {
        Err(format!("valgrind ended with {}", output.status))
    }
}

/// The number behind a word of what valgrind says: `==1== Collected : 4711`.
fn said(text: &str, word: &str) -> Result<f64, String> {
    let line = text.lines().find(|line| line.contains(word));
    let number = line.and_then(|line| line.split(word).nth(1)).map(|rest| {
        let begins = rest.trim_start_matches([' ', ':']);
        begins.split(' ').next().unwrap_or_default().replace(',', "")
    });
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| format!("valgrind does not say {}", word.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_valgrind_says_is_read() {
        let text = "==7== \n==7== Collected : 5516879\n==7== Total:     32,768 bytes in 1,203 blocks\n";
        assert_eq!(said(text, "Collected"), Ok(5_516_879.0));
        assert_eq!(said(text, " bytes in "), Ok(1203.0));
        assert!(said(text, "Refs").is_err());
    }
}
