//! What the demo prints: one line a step, for people or as JSON.

use crate::Failure;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How steps are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Aligned text.
    People,
    /// `{"step","actor","ok","ms","state"}`, one object a line.
    Json,
}

/// Whether anything happened yet in this run that had not happened before it: a journey that goes
/// on finds its first steps done. Shared by everybody who can make something happen.
#[derive(Debug, Clone, Default)]
pub(crate) struct News(Arc<AtomicBool>);

impl News {
    /// Something happened.
    pub(crate) fn happened(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether anything did.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Prints the journey as it goes.
pub(crate) struct Report {
    form: Form,
    started: Instant,
    pause: Duration,
    steps: u32,
    news: News,
    found_done: u32,
}

impl Report {
    pub(crate) fn begin(form: Form, pause: Duration, news: News) -> Self {
        Self { form, started: Instant::now(), pause, steps: 0, news, found_done: 0 }
    }

    /// Runs one step and prints what came of it. `run` answers where it led.
    pub(crate) fn step<T, R: Into<Reached>>(
        &mut self,
        step: &str,
        actor: &str,
        run: impl FnOnce() -> Result<(T, R), Failure>,
    ) -> Result<T, Failure> {
        std::thread::sleep(self.pause);
        let started = Instant::now();
        let outcome = run();
        let took = started.elapsed();
        match outcome {
            Ok((value, reached)) => {
                self.print(step, actor, Outcome::Done, took, &reached.into())?;
                Ok(value)
            }
            Err(failure) => {
                self.print(step, actor, Outcome::Failed, took, &Reached::state(&failure.to_string()))?;
                Err(failure)
            }
        }
    }

    /// Prints a step that was taken and timed elsewhere (by the terminal's own process).
    pub(crate) fn note(
        &mut self,
        step: &str,
        actor: &str,
        took: Duration,
        state: &str,
    ) -> Result<(), Failure> {
        self.print(step, actor, Outcome::Done, took, &Reached::state(state))
    }

    /// Says where the journey is to be found, before its first step: to whoever reads the steps as
    /// JSON on standard error.
    pub(crate) fn announce(&self, text: &str) -> Result<(), Failure> {
        match self.form {
            Form::People => self.say(text),
            Form::Json => writeln!(std::io::stderr().lock(), "{text}").map_err(Failure::from),
        }
    }

    /// Says something to people only.
    pub(crate) fn say(&self, text: &str) -> Result<(), Failure> {
        if self.form == Form::People {
            writeln!(std::io::stdout().lock(), "{text}").map_err(Failure::from)?;
        }
        Ok(())
    }

    /// Where whatever happens is told.
    pub(crate) fn news(&self) -> News {
        self.news.clone()
    }

    /// The end, in words: how long it took, and what of it lay before this run.
    pub(crate) fn summary(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f32();
        match (self.found_done, self.news.any()) {
            (_, false) => "已激活 · the terminal was active already; nothing was left to do".to_owned(),
            (0, true) => format!("已激活 · the terminal is active after {seconds:.1} s"),
            (before, true) => {
                format!(
                    "已激活 · the terminal is active; {before} steps had been done before, the rest took {seconds:.1} s"
                )
            }
        }
    }

    fn print(
        &mut self,
        step: &str,
        actor: &str,
        outcome: Outcome,
        took: Duration,
        reached: &Reached,
    ) -> Result<(), Failure> {
        self.steps += 1;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let ok = outcome == Outcome::Done;
        let found_done = ok && !self.news.any();
        self.found_done += u32::from(found_done);
        let Reached { state, detail } = reached;
        let mut out = std::io::stdout().lock();
        match self.form {
            Form::Json => {
                let line =
                    serde_json::json!({"step": step, "actor": actor, "ok": ok, "ms": ms, "state": state});
                writeln!(out, "{line}")?;
            }
            Form::People => {
                let mark = if ok { '✓' } else { '✗' };
                let number = self.steps;
                let took = if found_done { "was done".to_owned() } else { format!("{ms} ms") };
                write!(out, "{number:>3} {mark} {step:<30} {actor:<21} {took:>9}   {state}")?;
                match detail {
                    Some(detail) => writeln!(out, " · {detail}")?,
                    None => writeln!(out)?,
                }
            }
        }
        out.flush().map_err(Failure::from)
    }
}

/// Where a step led: a state in its machine's own word, and what people are told besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    state: String,
    detail: Option<String>,
}

impl Reached {
    /// A state.
    pub(crate) fn state(state: &str) -> Self {
        Self { state: state.to_owned(), detail: None }
    }

    /// The same with a remark that only people read.
    pub(crate) fn remarking(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }
}

impl From<String> for Reached {
    fn from(state: String) -> Self {
        Self { state, detail: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_before_is_counted_apart() {
        let news = News::default();
        let mut report = Report::begin(Form::Json, Duration::ZERO, news.clone());
        let mut step = |happens: bool| {
            let run = || {
                if happens {
                    news.happened();
                }
                Ok(((), "draft".to_owned()))
            };
            report.step("step", "applicant", run).unwrap();
            report.summary()
        };
        assert!(step(false).contains("was active already"));
        assert!(step(false).contains("was active already"));
        for _ in 0..2 {
            assert!(step(true).contains("2 steps had been done before"));
        }
        // What waits for nothing after that is part of this run all the same.
        assert!(step(false).contains("2 steps had been done before"));
        let news = News::default();
        news.happened();
        let report = Report::begin(Form::Json, Duration::ZERO, news);
        assert!(report.summary().contains("is active after 0.0 s"));
    }
}
