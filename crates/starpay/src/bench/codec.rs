//! `starpay bench codec`: how fast one core reads, builds, answers and verifies the chip sale of
//! the shared vectors (a frame of 272 bytes).
//!
//! Rates move with a machine's neighbours. What does not move is the counting run: instructions
//! and allocations per message, by valgrind.

mod counting;
mod work;

use self::counting::Counted;
use self::work::{Sale, Work};
use crate::Failure;
use serde::Serialize;
use std::hint::black_box;
use std::time::{Duration, Instant};

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
    /// These kinds of work only, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    work: Vec<Work>,
    /// Messages of the counting run
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    counted: u32,
    /// Leave out the counting run
    #[arg(long)]
    no_count: bool,
    /// Do the work so many times and say nothing: what the counting run starts
    #[arg(long, hide = true, requires = "work")]
    times: Option<u64>,
}

#[derive(Serialize)]
struct Report {
    bench: &'static str,
    build: &'static str,
    frame_bytes: usize,
    rounds: usize,
    work: Vec<Measured>,
    goal: Option<Goal>,
    goals: Vec<Judged>,
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

/// The first of the goals in the shape it always had.
#[derive(Serialize)]
struct Goal {
    what: &'static str,
    at_least_per_second: f64,
    aimed_at_per_second: f64,
    measured_per_second: f64,
    is_met: bool,
}

/// One goal against its figure; without a figure it is neither met nor missed.
#[derive(Debug, Serialize)]
struct Judged {
    what: &'static str,
    #[serde(flatten)]
    bound: Bound,
    measured: Option<f64>,
    is_met: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    /// Must be reached.
    AtLeast(f64),
    /// Is hoped for.
    AimedAt(f64),
    /// Must not be exceeded.
    AtMost(f64),
}

impl Judged {
    fn new(what: &'static str, bound: Bound, measured: Option<f64>) -> Self {
        let is_met = measured.map(|figure| match bound {
            Bound::AtLeast(least) | Bound::AimedAt(least) => figure >= least,
            Bound::AtMost(most) => figure <= most,
        });
        Self { what, bound, measured, is_met }
    }

    fn line(&self) -> String {
        let (is, bound) = match self.bound {
            Bound::AtLeast(least) => ("goal", format!("at least {least:.0}")),
            Bound::AimedAt(least) => ("aim", format!("{least:.0}")),
            Bound::AtMost(most) => ("goal", format!("at most {most:.0}")),
        };
        let measured = self.measured.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.0}"));
        let verdict = match self.is_met {
            Some(true) => "met",
            Some(false) => "NOT met",
            None => "not measured",
        };
        format!("{is}: {} {bound}: {verdict} ({measured})\n", self.what)
    }
}

/// Measures and prints.
///
/// # Errors
/// When the vector cannot be read or an argument makes no sense. What could not be counted is
/// named in the report.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let sale = Sale::from_vectors()?;
    if let Some(times) = args.times {
        let mut out = Vec::with_capacity(512);
        for _ in 0..times {
            for work in &args.work {
                work.run(&sale, &mut out)?;
            }
        }
        return Ok(());
    }
    let report = measure(args, &sale)?;
    let text = if args.json {
        serde_json::to_string(&report).map_err(|error| Failure::failed(error.to_string()))? + "\n"
    } else {
        table(&report)
    };
    crate::print(&text)
}

fn measure(args: &Args, sale: &Sale) -> Result<Report, Failure> {
    let period =
        Duration::try_from_secs_f64(args.seconds).map_err(|error| Failure::usage(error.to_string()))?;
    let wanted = |work: &Work| args.work.is_empty() || args.work.contains(work);
    let kinds: Vec<Work> = Work::ALL.into_iter().filter(wanted).collect();
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); kinds.len()];
    // The kinds of work take turns, so that a neighbour's minute does not hit one alone.
    for _ in 0..args.rounds.max(1) {
        for (work, rates) in kinds.iter().zip(&mut rates) {
            rates.push(rate(*work, sale, period)?);
        }
    }
    let (mut not_measured, mut work) = (Vec::new(), Vec::new());
    for (kind, mut rates) in kinds.into_iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        let counted =
            if args.no_count { Err("not asked for".to_owned()) } else { counting::count(kind, args.counted) };
        let counted = counted.map_err(|why| not_measured.push(format!("{}: {why}", kind.name()))).ok();
        work.push(Measured {
            work: kind,
            per_second: rates.get(rates.len() / 2).copied().unwrap_or_default(),
            lowest: rates.first().copied().unwrap_or_default(),
            highest: rates.last().copied().unwrap_or_default(),
            instructions_per_message: counted.map(|Counted { instructions, .. }| instructions),
            allocations_per_message: counted.map(|Counted { allocations, .. }| allocations),
        });
    }
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let (rounds, frame_bytes) = (args.rounds.max(1), sale.frame.len());
    let (goal, goals) = (first_goal(&work), judge(&work));
    Ok(Report { bench: "codec", build, frame_bytes, rounds, work, goal, goals, not_measured })
}

fn of(work: &[Measured], kind: Work) -> Option<&Measured> {
    work.iter().find(|measured| measured.work == kind)
}

fn first_goal(work: &[Measured]) -> Option<Goal> {
    let measured_per_second = of(work, Work::Answer)?.per_second;
    Some(Goal {
        what: "parse and answer the chip sale, one core",
        at_least_per_second: GOAL,
        aimed_at_per_second: AIM,
        measured_per_second,
        is_met: measured_per_second >= GOAL,
    })
}

fn judge(work: &[Measured]) -> Vec<Judged> {
    let answers = of(work, Work::Answer).map(|measured| measured.per_second);
    let allocations = |kind| of(work, kind).and_then(|measured| measured.allocations_per_message);
    vec![
        Judged::new("parse and answer per second", Bound::AtLeast(GOAL), answers),
        Judged::new("parse and answer per second", Bound::AimedAt(AIM), answers),
        Judged::new("allocations to route", Bound::AtMost(0.0), allocations(Work::Route)),
        Judged::new("allocations to borrow", Bound::AtMost(0.0), allocations(Work::Borrow)),
    ]
}

fn rate(work: Work, sale: &Sale, period: Duration) -> Result<f64, Failure> {
    const STEP: u32 = 1000;
    let mut out = Vec::with_capacity(512);
    let start = Instant::now();
    let mut times = 0.0;
    while start.elapsed() < period || times == 0.0 {
        for _ in 0..STEP {
            work.run(sale, &mut out)?;
            black_box(&out);
        }
        times += f64::from(STEP);
    }
    Ok(times / start.elapsed().as_secs_f64())
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
    report.goals.iter().for_each(|goal| out.push_str(&goal.line()));
    for why in &report.not_measured {
        out.push_str(&format!("not counted: {why}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(work: Work, per_second: f64, allocations: Option<f64>) -> Measured {
        Measured {
            work,
            per_second,
            lowest: per_second,
            highest: per_second,
            instructions_per_message: None,
            allocations_per_message: allocations,
        }
    }

    /// The judgement of a commit looks for these very words.
    #[test]
    fn an_allocation_is_a_goal_missed_and_what_was_not_counted_is_not_met() {
        let said = |allocations| {
            let work = [measured(Work::Answer, 1.5e6, None), measured(Work::Route, 9e6, allocations)];
            serde_json::to_string(&judge(&work)).unwrap()
        };
        let met = r#"{"what":"allocations to route","at_most":0.0,"measured":0.0,"is_met":true}"#;
        assert!(said(Some(0.0)).contains(met), "{}", said(Some(0.0)));
        for missed in [Some(0.001), Some(1.0), None] {
            assert!(!said(missed).contains(met), "{missed:?}");
        }
        let rates = said(None);
        assert!(rates.contains(r#""at_least":1000000.0,"measured":1500000.0,"is_met":true"#), "{rates}");
        assert!(rates.contains(r#""aimed_at":4000000.0,"measured":1500000.0,"is_met":false"#), "{rates}");
    }

    #[test]
    fn a_goal_is_shown_with_its_figure() {
        let goals = judge(&[measured(Work::Answer, 1.5e6, None)]);
        let lines: String = goals.iter().map(Judged::line).collect();
        assert!(lines.contains("goal: parse and answer per second at least 1000000: met (1500000)\n"));
        assert!(lines.contains("aim: parse and answer per second 4000000: NOT met (1500000)\n"));
        assert!(lines.contains("goal: allocations to borrow at most 0: not measured (-)\n"));
    }
}
