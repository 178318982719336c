//! `starpay bench codec`: how fast one core reads, builds and answers the chip sale of the shared
//! vectors (a frame of 272 bytes).
//!
//! Rates move with a machine's neighbours. What does not move is the counting run: under valgrind
//! the same work is done N and 2N times, and the difference per message says how many
//! instructions it takes and how often it allocates. The heap profiler brings its own memcpy, so
//! instructions are counted by another tool.

use crate::Failure;
use serde::Serialize;
use starpay_iso8583::unionpay::{Identified, Role};
use starpay_iso8583::{
    Frame, Link, Message, OwnedMessage, Result as Codec, Route, UNIONPAY_POS, Value, Writer,
};
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

const VECTORS: &str = include_str!("../../../../testdata/vectors.json");
const SALE: &str = "sale-req-ic";

/// Parse and answer per second on one core: what must be reached, and what is aimed at.
const GOAL: f64 = 1_000_000.0;
const AIM: f64 = 4_000_000.0;

/// `starpay bench codec`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Seconds per kind of work and round
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Rounds; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Leave out the counting run
    #[arg(long)]
    no_count: bool,
    /// Do this work --times times and say nothing: what the counting run starts
    #[arg(long, value_enum, hide = true, requires = "times")]
    only: Option<Work>,
    #[arg(long, hide = true)]
    times: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Work {
    /// MTI, terminal, merchant, trace number
    Route,
    /// Every field in place
    Borrow,
    /// Every field, kept
    Own,
    /// The answer alone, from values
    Build,
    /// Frame to frame: read everything, answer
    Answer,
}

impl Work {
    const ALL: [Self; 5] = [Self::Route, Self::Borrow, Self::Own, Self::Build, Self::Answer];

    fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Borrow => "borrow",
            Self::Own => "own",
            Self::Build => "build",
            Self::Answer => "answer",
        }
    }

    fn run(self, frame: &[u8], out: &mut Vec<u8>) -> Codec<()> {
        let received = Link::UNIONPAY_POS.whole(black_box(frame))?;
        match self {
            Self::Route => {
                black_box(Route::read(&UNIONPAY_POS, received.message())?);
            }
            Self::Borrow => {
                black_box(Message::read(&UNIONPAY_POS, received.message())?);
            }
            Self::Own => {
                black_box(OwnedMessage::read(&UNIONPAY_POS, received.message())?);
            }
            Self::Build => build(&received, out)?,
            Self::Answer => answer(&received, out)?,
        }
        Ok(())
    }
}

/// What a host does with a sale but for its code: read all, look at the amount, answer in kind.
fn answer(received: &Frame<'_>, out: &mut Vec<u8>) -> Codec<()> {
    let sale = Message::read(&UNIONPAY_POS, received.message())?;
    let amount = sale.require(4)?.number_value()?;
    let code = if black_box(amount) == 0 { "13" } else { "00" };
    let mti = sale.mti().response().unwrap_or(sale.mti());
    out.clear();
    Link::UNIONPAY_POS.write(received.answer(), out, |out| {
        let mut writer = Writer::start(&UNIONPAY_POS, mti, out);
        for number in [2, 3, 4, 11] {
            writer.copy(&sale, number)?;
        }
        writer.set(12, Value::Number(101_530))?.set(13, Value::Number(1122))?.copy(&sale, 14)?;
        writer.set(15, Value::Number(1123))?.copy(&sale, 25)?.set(32, Value::Digits("48021000"))?;
        writer.set(37, Value::Text("260000000003"))?.set(38, Value::Text("123456"))?;
        writer.set(39, Value::Text(code))?.copy(&sale, 41)?.copy(&sale, 42)?;
        writer.set(44, Value::Text("01030000   48021000   "))?;
        for number in [49, 53, 60] {
            writer.copy(&sale, number)?;
        }
        writer.set(63, Value::Text("CUP"))?;
        black_box(writer.authenticated(64)?);
        writer.set(64, Value::Bytes(&[0; 8]))?;
        writer.finish()
    })
}

/// The same answer with every field from a value.
fn build(received: &Frame<'_>, out: &mut Vec<u8>) -> Codec<()> {
    let mti = Identified { transaction: starpay_iso8583::unionpay::Transaction::Sale, role: Role::Response };
    let mti = mti.mti()?;
    out.clear();
    Link::UNIONPAY_POS.write(received.answer(), out, |out| {
        let mut writer = Writer::start(&UNIONPAY_POS, mti, out);
        writer.set(2, Value::Digits("6225880123456784"))?.set(3, Value::Number(0))?;
        writer.set(4, Value::Number(10_000))?.set(11, Value::Number(3))?.set(12, Value::Number(101_530))?;
        writer.set(13, Value::Number(1122))?.set(14, Value::Number(3012))?.set(15, Value::Number(1123))?;
        writer.set(25, Value::Number(0))?.set(32, Value::Digits("48021000"))?;
        writer.set(37, Value::Text("260000000003"))?.set(38, Value::Text("123456"))?;
        writer.set(39, Value::Text("00"))?.set(41, Value::Text("12345678"))?;
        writer.set(42, Value::Text("898310058120001"))?.set(44, Value::Text("01030000   48021000   "))?;
        writer.set(49, Value::Text("156"))?.set(53, Value::Digits("2600000000000000"))?;
        writer.set(60, Value::Digits("2200000100050"))?.set(63, Value::Text("CUP"))?;
        writer.set(64, Value::Bytes(&[0; 8]))?;
        writer.finish()
    })
}

#[derive(Serialize)]
struct Report {
    bench: &'static str,
    build: &'static str,
    frame_bytes: usize,
    rounds: usize,
    work: Vec<Measured>,
    goal: Goal,
    not_measured: Vec<String>,
}

#[derive(Serialize)]
struct Measured {
    work: Work,
    per_second: f64,
    lowest: f64,
    highest: f64,
    instructions_per_message: Option<f64>,
    allocations_per_message: Option<f64>,
}

#[derive(Serialize)]
struct Goal {
    what: &'static str,
    at_least_per_second: f64,
    aimed_at_per_second: f64,
    measured_per_second: f64,
    is_met: bool,
}

/// Measures and prints.
///
/// # Errors
/// When the vector cannot be read or the counting run cannot be started.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let frame = sale()?;
    if let (Some(work), Some(times)) = (args.only, args.times) {
        let mut out = Vec::with_capacity(512);
        for _ in 0..times {
            work.run(&frame, &mut out).map_err(refused)?;
        }
        return Ok(());
    }
    let report = measure(args, &frame)?;
    let text = if args.json {
        serde_json::to_string(&report).map_err(|error| Failure::failed(error.to_string()))? + "\n"
    } else {
        table(&report)
    };
    crate::print(&text)
}

fn refused(error: starpay_iso8583::Error) -> Failure {
    Failure::failed(format!("the chip sale of the vectors: {error}"))
}

fn sale() -> Result<Vec<u8>, Failure> {
    let broken = || Failure::failed(format!("the built-in vectors have no message {SALE}"));
    let file: serde_json::Value = serde_json::from_str(VECTORS).map_err(|_| broken())?;
    let case = file["messages"].as_array().and_then(|cases| cases.iter().find(|case| case["id"] == SALE));
    case.and_then(|case| case["hex"].as_str()).and_then(|text| hex::decode(text).ok()).ok_or_else(broken)
}

fn measure(args: &Args, frame: &[u8]) -> Result<Report, Failure> {
    let period =
        Duration::try_from_secs_f64(args.seconds).map_err(|error| Failure::usage(error.to_string()))?;
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); Work::ALL.len()];
    // The kinds of work take turns, so that a neighbour's minute does not hit one alone.
    for _ in 0..args.rounds.max(1) {
        for (work, rates) in Work::ALL.iter().zip(&mut rates) {
            rates.push(rate(*work, frame, period)?);
        }
    }
    let mut not_measured = Vec::new();
    let mut work = Vec::new();
    for (kind, mut rates) in Work::ALL.into_iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        let counted = if args.no_count { Err("not asked for".to_owned()) } else { count(kind) };
        let counted = counted.map_err(|why| not_measured.push(format!("{}: {why}", kind.name()))).ok();
        work.push(Measured {
            work: kind,
            per_second: rates.get(rates.len() / 2).copied().unwrap_or_default(),
            lowest: rates.first().copied().unwrap_or_default(),
            highest: rates.last().copied().unwrap_or_default(),
            instructions_per_message: counted.map(|(instructions, _)| instructions),
            allocations_per_message: counted.map(|(_, allocations)| allocations),
        });
    }
    let answers = work.iter().find(|measured| measured.work == Work::Answer);
    let measured_per_second = answers.map_or(0.0, |measured| measured.per_second);
    let goal = Goal {
        what: "parse and answer the chip sale, one core",
        at_least_per_second: GOAL,
        aimed_at_per_second: AIM,
        measured_per_second,
        is_met: measured_per_second >= GOAL,
    };
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let (rounds, frame_bytes) = (args.rounds.max(1), frame.len());
    Ok(Report { bench: "codec", build, frame_bytes, rounds, work, goal, not_measured })
}

fn rate(work: Work, frame: &[u8], period: Duration) -> Result<f64, Failure> {
    const STEP: u32 = 1000;
    let mut out = Vec::with_capacity(512);
    let start = Instant::now();
    let mut times = 0.0;
    while start.elapsed() < period || times == 0.0 {
        for _ in 0..STEP {
            work.run(frame, &mut out).map_err(refused)?;
            black_box(&out);
        }
        times += f64::from(STEP);
    }
    Ok(times / start.elapsed().as_secs_f64())
}

/// Instructions and allocations per message, or why they could not be counted.
fn count(work: Work) -> Result<(f64, f64), String> {
    const TIMES: u32 = 2000;
    let per_message = |counted: fn(Work, u32) -> Result<f64, String>| {
        Ok::<f64, String>((counted(work, TIMES * 2)? - counted(work, TIMES)?) / f64::from(TIMES))
    };
    Ok((per_message(instructions)?, per_message(allocations)?))
}

/// Starts this program under one of valgrind's tools; what the tool says on standard error.
fn counted_run(tool: &[&str], work: Work, times: u32) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(tool)
        .arg(program)
        .args(["bench", "codec", "--only", work.name(), "--times", &times.to_string()])
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

fn instructions(work: Work, times: u32) -> Result<f64, String> {
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    said(&counted_run(&tool, work, times)?, "Collected")
}

fn allocations(work: Work, times: u32) -> Result<f64, String> {
    let tool = ["--tool=dhat", "--dhat-out-file=/dev/null"];
    let text = counted_run(&tool, work, times)?;
    let total = text.lines().find(|line| line.contains("Total:")).unwrap_or_default();
    said(total, " bytes in ")
}

fn table(report: &Report) -> String {
    let mut out = format!("chip sale, {} bytes, one core, {} build\n", report.frame_bytes, report.build);
    out.push_str("work       per second   (lowest .. highest)      instructions  allocations\n");
    let shown = |count: Option<f64>| count.map_or_else(|| "-".to_owned(), |count| format!("{count:.1}"));
    for measured in &report.work {
        out.push_str(&format!(
            "{:<8} {:>12.0}   ({:.0} .. {:.0})   {:>10}  {:>6}\n",
            measured.work.name(),
            measured.per_second,
            measured.lowest,
            measured.highest,
            shown(measured.instructions_per_message),
            shown(measured.allocations_per_message),
        ));
    }
    let verdict = if report.goal.is_met { "met" } else { "NOT met" };
    out.push_str(&format!(
        "goal: {} at least {:.0}/s: {verdict}\n",
        report.goal.what, report.goal.at_least_per_second
    ));
    for why in &report.not_measured {
        out.push_str(&format!("not counted: {why}\n"));
    }
    out
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

    #[test]
    fn every_kind_of_work_does_the_vector() {
        let frame = sale().unwrap();
        let mut out = Vec::new();
        for work in Work::ALL {
            work.run(&frame, &mut out).unwrap();
        }
        let built = out.clone();
        Work::Build.run(&frame, &mut out).unwrap();
        assert_eq!(built, out, "built from values or copied, the answer is the same");
        let answer = Link::UNIONPAY_POS.whole(&out).unwrap();
        let read = Message::read(&UNIONPAY_POS, answer.message()).unwrap();
        assert_eq!(read.fields().count(), 21);
    }
}
