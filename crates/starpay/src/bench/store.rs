//! `starpay bench store`: durable writes per second on both engines.
//!
//! Two questions, each answered by a ratio within one run. *What does the store cost?* Small
//! writes at 1, 16, 64 and 256 callers, next to the bare engine doing the same statement (see
//! [`bare`](super::bare) for what bare is). *Does it stay fast?* Payment-shaped writes with a
//! million of them already there, next to an empty store. Subject and reference take turns within
//! a round; the median of the rounds' ratios counts.

use super::bare;
use super::load::{self, Numbers, Rate, Shape};
use super::postgres::Server;
use super::scratch::Scratch;
use crate::Failure;
use serde::Serialize;
use starpay_store::{Db, Engine, Location, measure};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

const CALLERS: [usize; 4] = [1, 16, 64, 256];
/// The callers at which the goals are set.
const GOAL_CALLERS: usize = 64;
const BARE_GOAL: f64 = 0.5;
const FULL_GOAL: f64 = 0.8;

/// `starpay bench store`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// A PostgreSQL server to use, without a database's name; a private one is started otherwise
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Seconds per point
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Rounds; the median counts
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Payments already there when the full store is measured
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Folder for the scratch files; put it on the disk that is to be measured
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    bench: &'static str,
    seconds: f64,
    rounds: usize,
    engines: Vec<EngineReport>,
    not_measured: Vec<String>,
    goals: Vec<Goal>,
}

#[derive(Serialize)]
struct EngineReport {
    engine: &'static str,
    writes: Vec<Point>,
    payments: Growth,
}

/// Small writes at one number of callers, next to the bare engine.
#[derive(Serialize)]
struct Point {
    callers: usize,
    store: Rate,
    bare: Rate,
    ratio: f64,
}

/// Payment-shaped writes into an empty and a full store.
#[derive(Serialize)]
struct Growth {
    callers: usize,
    rows_there: u64,
    empty: Rate,
    full: Rate,
    ratio: f64,
}

#[derive(Serialize)]
struct Goal {
    goal: String,
    wanted: f64,
    got: f64,
    met: bool,
}

/// Runs the benchmark.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if !(0.01..=600.0).contains(&args.seconds) || args.rounds == 0 {
        return Err(Failure::usage("--seconds is between 0.01 and 600, --rounds at least 1"));
    }
    let mut bench = Bench {
        length: Duration::from_secs_f64(args.seconds),
        rounds: args.rounds,
        rows: args.rows,
        folder: args.folder.clone().unwrap_or_else(std::env::temp_dir),
        runtime: load::runtime()?,
        numbers: Numbers::default(),
    };
    let (mut engines, mut not_measured) = (vec![bench.engine(None)?], Vec::new());
    match server(args) {
        Ok((base, private)) => {
            engines.push(bench.engine(Some(&base))?);
            drop(private);
        }
        Err(why) => not_measured.push(format!("postgres: {why}")),
    }
    let goals = engines.iter().flat_map(goals).collect();
    let report =
        Report { bench: "store", seconds: args.seconds, rounds: args.rounds, engines, not_measured, goals };
    print(&report, args.json)
}

/// The server's URL without a database's name, and the private server when there is one.
fn server(args: &Args) -> Result<(String, Option<Server>), String> {
    if let Some(url) = &args.postgres {
        return Ok((url.trim_end_matches('/').to_owned(), None));
    }
    let settings = ["shared_buffers=256MB", "max_connections=200", "max_wal_size=4GB"];
    let server = Server::start(&settings)?;
    Ok((server.url("").trim_end_matches('/').to_owned(), Some(server)))
}

struct Bench {
    length: Duration,
    rounds: usize,
    rows: u64,
    folder: PathBuf,
    runtime: Runtime,
    numbers: Numbers,
}

impl Bench {
    /// Measures one engine: SQLite, or PostgreSQL at a server.
    fn engine(&mut self, server: Option<&str>) -> Result<EngineReport, Failure> {
        let engine = if server.is_some() { Engine::Postgres } else { Engine::Sqlite };
        let (subject, reference) = (self.scratch(server)?, self.scratch(server)?);
        let db = subject.open()?;
        let mut writes = Vec::new();
        for callers in CALLERS {
            writes.push(self.point(&db, &reference, callers)?);
        }
        db.close();
        subject.remove()?;
        reference.remove()?;
        Ok(EngineReport { engine: engine.as_str(), writes, payments: self.growth(server)? })
    }

    fn scratch(&self, server: Option<&str>) -> Result<Scratch, Failure> {
        match server {
            None => Scratch::sqlite(&self.folder),
            Some(base) => Scratch::postgres(base),
        }
    }

    fn point(&self, db: &Db, reference: &Scratch, callers: usize) -> Result<Point, Failure> {
        let mut pairs = Vec::new();
        for _ in 0..self.rounds {
            let store = load::run(&self.runtime, db, Shape::Small, callers, self.length, &self.numbers)?;
            let bare = match reference.location() {
                Location::Sqlite { path } => bare::sqlite(path, callers, self.length, &self.numbers)?,
                Location::Postgres { url } => {
                    bare::postgres(&self.runtime, url, callers, self.length, &self.numbers)?
                }
            };
            pairs.push((store, bare));
        }
        let (store, bare, ratio) = median(pairs)?;
        Ok(Point { callers, store, bare, ratio })
    }

    fn growth(&self, server: Option<&str>) -> Result<Growth, Failure> {
        let (full, empty) = (self.scratch(server)?, self.scratch(server)?);
        full.fill(self.rows)?;
        let (full_db, empty_db) = (full.open()?, empty.open()?);
        let run =
            |db: &Db| load::run(&self.runtime, db, Shape::Payment, GOAL_CALLERS, self.length, &self.numbers);
        // Warm caches first: a server that has a million payments has been running for a while.
        run(&full_db)?;
        run(&empty_db)?;
        let mut pairs = Vec::new();
        for _ in 0..self.rounds {
            pairs.push((run(&full_db)?, run(&empty_db)?));
        }
        check_books(&full_db)?;
        check_books(&empty_db)?;
        full_db.close();
        empty_db.close();
        full.remove()?;
        empty.remove()?;
        let (full, empty, ratio) = median(pairs)?;
        Ok(Growth { callers: GOAL_CALLERS, rows_there: self.rows, empty, full, ratio })
    }
}

/// A figure counts only when nothing was lost: every payment has its two ledger rows, its event
/// and its outbox row, and the ledger sums to nothing.
fn check_books(db: &Db) -> Result<(), Failure> {
    let totals = db.read_blocking(measure::totals).map_err(|error: starpay_store::StoreError| {
        Failure::failed(format!("the books could not be read: {error}"))
    })?;
    let [payments, entries, events, outbox, sum] = totals;
    if entries == 2 * payments && events == payments && outbox == payments && sum == 0 {
        return Ok(());
    }
    Err(Failure::failed(format!("the books do not fit: {totals:?}")))
}

/// The round with the median ratio.
fn median(pairs: Vec<(Rate, Rate)>) -> Result<(Rate, Rate, f64), Failure> {
    let mut rounds: Vec<_> = pairs
        .into_iter()
        .map(|(subject, reference)| {
            let ratio = subject.per_second / reference.per_second.max(1.0);
            (subject, reference, (ratio * 1000.0).round() / 1000.0)
        })
        .collect();
    rounds.sort_by(|a, b| a.2.total_cmp(&b.2));
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle).ok_or_else(|| Failure::failed("no round was measured"))
}

fn goals(engine: &EngineReport) -> Vec<Goal> {
    let name = engine.engine;
    let small = engine.writes.iter().filter(|point| point.callers == GOAL_CALLERS).map(|point| {
        goal(format!("{name}: writes at {GOAL_CALLERS} callers / bare engine"), BARE_GOAL, point.ratio)
    });
    let rows = engine.payments.rows_there;
    let full = goal(format!("{name}: payments with {rows} there / empty"), FULL_GOAL, engine.payments.ratio);
    small.chain([full]).collect()
}

fn goal(goal: String, wanted: f64, got: f64) -> Goal {
    Goal { goal, wanted, got, met: got >= wanted }
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string(report).map_err(|error| Failure::failed(error.to_string()))?
    } else {
        table(report)
    };
    writeln!(std::io::stdout().lock(), "{text}").map_err(|error| Failure::failed(error.to_string()))
}

fn table(report: &Report) -> String {
    let mut lines = vec!["engine    callers  writes/s     bare/s  ratio   p50 µs   p99 µs".to_owned()];
    for engine in &report.engines {
        for Point { callers, store, bare, ratio } in &engine.writes {
            lines.push(format!(
                "{:<9} {callers:>7} {:>9} {:>10} {ratio:>6.2} {:>8} {:>8}",
                engine.engine, store.per_second, bare.per_second, store.p50_us, store.p99_us
            ));
        }
        let Growth { callers, rows_there, empty, full, ratio } = &engine.payments;
        lines.push(format!(
            "{:<9} {callers:>7} payments/s: {} empty, {} with {rows_there} there, ratio {ratio:.2}",
            engine.engine, empty.per_second, full.per_second
        ));
    }
    lines.extend(report.not_measured.iter().map(|why| format!("not measured: {why}")));
    lines.extend(report.goals.iter().map(|goal| {
        let met = if goal.met { "met" } else { "NOT met" };
        format!("{met}: {} is {:.2}, wanted {:.2}", goal.goal, goal.got, goal.wanted)
    }));
    lines.join("\n")
}
