//! What the demo prints: one line a step, for people or as JSON.

use crate::Failure;
use std::io::Write;
use std::time::{Duration, Instant};

/// How steps are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Aligned text.
    People,
    /// `{"step","actor","ok","ms","state"}`, one object a line.
    Json,
}

/// Prints the journey as it goes.
pub(crate) struct Report {
    form: Form,
    started: Instant,
    pause: Duration,
    steps: u32,
}

impl Report {
    pub(crate) fn begin(form: Form, pause: Duration) -> Self {
        Self { form, started: Instant::now(), pause, steps: 0 }
    }

    /// Runs one step and prints what came of it. `run` answers the state it led to.
    pub(crate) fn step<T>(
        &mut self,
        step: &str,
        actor: &str,
        run: impl FnOnce() -> Result<(T, String), Failure>,
    ) -> Result<T, Failure> {
        std::thread::sleep(self.pause);
        let started = Instant::now();
        let outcome = run();
        let took = started.elapsed();
        match outcome {
            Ok((value, state)) => {
                self.print(step, actor, Outcome::Done, took, &state)?;
                Ok(value)
            }
            Err(failure) => {
                self.print(step, actor, Outcome::Failed, took, &failure.to_string())?;
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
        self.print(step, actor, Outcome::Done, took, state)
    }

    /// Says something to people only.
    pub(crate) fn say(&self, text: &str) -> Result<(), Failure> {
        if self.form == Form::People {
            writeln!(std::io::stdout().lock(), "{text}").map_err(Failure::from)?;
        }
        Ok(())
    }

    /// Time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn print(
        &mut self,
        step: &str,
        actor: &str,
        outcome: Outcome,
        took: Duration,
        state: &str,
    ) -> Result<(), Failure> {
        self.steps += 1;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let ok = outcome == Outcome::Done;
        let mut out = std::io::stdout().lock();
        match self.form {
            Form::Json => {
                let line =
                    serde_json::json!({"step": step, "actor": actor, "ok": ok, "ms": ms, "state": state});
                writeln!(out, "{line}")?;
            }
            Form::People => {
                let mark = if ok { '✓' } else { '✗' };
                writeln!(out, "{:>3} {mark} {step:<30} {actor:<21} {ms:>6} ms   {state}", self.steps)?;
            }
        }
        out.flush().map_err(Failure::from)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Failed,
}
