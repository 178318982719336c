//! The journey in the words of one language.

use super::curve::{Curve, curve};
use super::{Change, Face, JourneyStep, JourneyView, OpenRequirement, Phase, Progress, Stage, TerminalFace};
use crate::page::duration::{took, wait};
use askama::Template;
use starpay_text::{Advice, Language, Texts, fl, texts};

/// The parts of the first page that change while the journey is played.
#[derive(Template)]
#[template(path = "_journey.html")]
pub struct JourneyParts {
    /// The language's texts.
    pub texts: &'static Texts,
    /// The journey.
    pub journey: Journey,
}

/// A journey ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// `waiting`, `running`, `finished` or `stopped`.
    pub stage: &'static str,
    /// The stage in words.
    pub stage_text: String,
    /// The section's heading.
    pub title: String,
    /// How many steps are done.
    pub progress: String,
    /// Time since it began; `None` before.
    pub elapsed: Option<String>,
    /// Parts done: the lit arms of the star.
    pub lit: usize,
    /// The parts with their steps.
    pub phases: Vec<PhaseLines>,
    /// What is still missing.
    pub why: Why,
    /// The terminal.
    pub terminal: Screen,
}

/// A part of the journey with its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseLines {
    /// Its code, used as the element's id.
    pub code: &'static str,
    /// Its name.
    pub name: String,
    /// `done`, `now`, `next` or `failed`.
    pub progress: &'static str,
    /// The time of its steps together; `None` while there is none.
    pub took: Option<String>,
    /// Its steps.
    pub steps: Vec<StepLine>,
}

/// A step as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLine {
    /// The element's id.
    pub id: String,
    /// What is done.
    pub title: String,
    /// Who does it.
    pub actor: String,
    /// The state change.
    pub change: Option<ChangeLine>,
    /// How long it took; `None` while it is not done.
    pub took: Option<String>,
    /// `done`, `now`, `next` or `failed`.
    pub progress: &'static str,
    /// The same for those who do not see the marker.
    pub progress_text: String,
}

/// A state change in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLine {
    /// What changed.
    pub machine: String,
    /// The state before.
    pub from: Option<String>,
    /// The state after.
    pub to: String,
}

/// The "why not yet" list in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// How many entries are open.
    pub count: String,
    /// The first open entries, in full.
    pub open: Vec<WhyLine>,
    /// How many follow; `None` when all are shown.
    pub more_count: Option<String>,
    /// Those that follow, in short.
    pub more: Vec<WhyLine>,
    /// Whether the journey knows its requirements yet.
    pub known: bool,
    /// How many were cleared; `None` while there are none.
    pub cleared_count: Option<String>,
    /// The cleared ones.
    pub cleared: Vec<String>,
    /// How the count fell.
    pub curve: Option<Curve>,
}

/// One open requirement in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyLine {
    /// The element's id.
    pub id: String,
    /// What is missing, and what to do.
    pub advice: Advice,
    /// `merchant`, `us`, `third_party` or `device`.
    pub party: String,
    /// Who acts.
    pub who: String,
    /// How long it usually takes.
    pub wait: Option<String>,
    /// What it holds up; `None` when nothing is named.
    pub blocks: Option<String>,
}

/// The terminal's screen in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// `off`, `inactive`, `waiting`, `active` or `out`.
    pub face: &'static str,
    /// The status in words: 未激活, 已激活 …
    pub status: String,
    /// What it is doing, or what it reached.
    pub detail: String,
    /// The merchant's name, once the terminal knows it.
    pub merchant: Option<String>,
    /// Model name.
    pub model: String,
    /// The serial number's line.
    pub serial: String,
    /// One entry for each activation step: done or not.
    pub segments: Vec<bool>,
    /// The figure under the segments; `None` before the first step.
    pub steps: Option<String>,
    /// Lit arms of the star on the screen.
    pub lit: usize,
    /// The slip.
    pub receipt: Option<super::Receipt>,
}

impl Journey {
    /// The view in a language.
    #[must_use]
    pub fn in_words(view: &JourneyView, language: Language) -> Self {
        let texts = texts(language);
        let phases: Vec<PhaseLines> =
            Phase::ALL.into_iter().map(|phase| phase_lines(view, phase, language)).collect();
        let done = view.steps.iter().filter(|step| step.progress == Progress::Done).count();
        let (stage, stage_text) = match view.stage {
            Stage::Waiting => ("waiting", fl!(texts, "journey-not-begun")),
            Stage::Running => ("running", fl!(texts, "journey-running")),
            Stage::Finished => ("finished", fl!(texts, "journey-finished")),
            Stage::Stopped => ("stopped", fl!(texts, "journey-stopped")),
        };
        let title = match view.merchant_name.as_str() {
            "" => fl!(texts, "journey-title"),
            name => fl!(texts, "journey-merchant", merchant = name),
        };
        Self {
            stage,
            stage_text,
            title,
            progress: fl!(texts, "journey-steps-done", done = done),
            elapsed: (view.elapsed_ms > 0).then(|| took(texts, view.elapsed_ms)),
            lit: phases.iter().filter(|phase| phase.progress == "done").count(),
            phases,
            why: why(view, language),
            terminal: screen(view, language),
        }
    }
}

const fn class(progress: Progress) -> &'static str {
    match progress {
        Progress::Next => "next",
        Progress::Now => "now",
        Progress::Done => "done",
        Progress::Failed => "failed",
    }
}

fn phase_lines(view: &JourneyView, phase: Phase, language: Language) -> PhaseLines {
    let of_phase: Vec<(usize, &JourneyStep)> =
        view.steps.iter().enumerate().filter(|(_, step)| step.phase == phase).collect();
    let all_done = of_phase.iter().all(|(_, step)| step.progress == Progress::Done);
    let followed =
        view.stage == Stage::Finished || view.steps.iter().any(|step| step.phase > phase && begun(step));
    let failed = of_phase.iter().any(|(_, step)| step.progress == Progress::Failed);
    let progress = match (failed, of_phase.iter().any(|(_, step)| begun(step))) {
        (true, _) => Progress::Failed,
        (false, true) if all_done && followed => Progress::Done,
        (false, true) => Progress::Now,
        (false, false) => Progress::Next,
    };
    let total_ms: u64 = of_phase.iter().map(|(_, step)| step.took_ms).sum();
    PhaseLines {
        code: phase.code(),
        name: worded(starpay_text::phase(language, phase.code()), phase.code()),
        progress: class(progress),
        took: (total_ms > 0).then(|| took(texts(language), total_ms)),
        steps: of_phase.into_iter().map(|(index, step)| step_line(index, step, language)).collect(),
    }
}

fn begun(step: &JourneyStep) -> bool {
    step.progress != Progress::Next
}

fn step_line(index: usize, step: &JourneyStep, language: Language) -> StepLine {
    let texts = texts(language);
    StepLine {
        id: format!("step-{index}"),
        title: worded(starpay_text::step(language, &step.code), &step.code),
        actor: worded(starpay_text::role(language, &step.actor), &step.actor),
        change: step.change.as_ref().map(|change| change_line(change, language)),
        took: (step.progress == Progress::Done).then(|| took(texts, step.took_ms)),
        progress: class(step.progress),
        progress_text: match step.progress {
            Progress::Next => fl!(texts, "journey-next"),
            Progress::Now => fl!(texts, "journey-now"),
            Progress::Done => fl!(texts, "journey-done"),
            Progress::Failed => fl!(texts, "journey-failed"),
        },
    }
}

fn change_line(change: &Change, language: Language) -> ChangeLine {
    let state = |state: &str| worded(starpay_text::state(language, &change.machine, state), state);
    ChangeLine {
        machine: worded(starpay_text::machine(language, &change.machine), &change.machine),
        from: change.from.as_deref().filter(|from| *from != change.to).map(state),
        to: state(&change.to),
    }
}

/// Open entries shown in full: what fits beside the steps. An untouched application misses dozens.
const OPEN_IN_FULL: usize = 5;

fn why(view: &JourneyView, language: Language) -> Why {
    let texts = texts(language);
    let counts: Vec<u32> =
        view.steps.iter().filter(|step| begun(step)).filter_map(|step| step.open_after).collect();
    let mut open: Vec<WhyLine> = view.requirements.iter().map(|open| why_line(open, language)).collect();
    let more = open.split_off(open.len().min(OPEN_IN_FULL));
    let cleared: Vec<String> = view.cleared.iter().map(|code| requirement(code, language).message).collect();
    Why {
        count: fl!(texts, "why-count", n = view.requirements.len()),
        open,
        more_count: (!more.is_empty()).then(|| fl!(texts, "why-more", n = more.len())),
        more,
        known: !view.steps.is_empty(),
        cleared_count: (!cleared.is_empty()).then(|| fl!(texts, "why-cleared", n = cleared.len())),
        cleared,
        curve: curve(&counts, view.steps.len()),
    }
}

fn requirement(code: &str, language: Language) -> Advice {
    starpay_text::requirement(language, code)
        .unwrap_or_else(|| Advice { message: code.to_owned(), remedy: String::new() })
}

fn why_line(open: &OpenRequirement, language: Language) -> WhyLine {
    let texts = texts(language);
    let party = worded(starpay_text::party(language, &open.party), &open.party);
    let desk = open.desk.as_deref().map(|desk| worded(starpay_text::desk(language, desk), desk));
    let mut advice = requirement(&open.code, language);
    if let Some(path) = &open.field {
        advice.message = starpay_text::about(language, path, advice.message);
    }
    let about = open.field.as_deref().map(|path| format!("-{}", path.replace('.', "-"))).unwrap_or_default();
    WhyLine {
        id: format!("why-{}{about}", open.code),
        advice,
        party: open.party.clone(),
        who: match desk {
            Some(desk) if open.party == "third_party" => desk,
            Some(desk) => format!("{party} · {desk}"),
            None => party,
        },
        wait: open.expected_wait_s.map(|seconds| wait(texts, seconds)),
        blocks: (!open.blocks.is_empty()).then(|| blocks(open, language)),
    }
}

fn blocks(open: &OpenRequirement, language: Language) -> String {
    let texts = texts(language);
    let named = open.blocks.iter().map(|code| worded(starpay_text::capability(language, code), code));
    fl!(texts, "why-blocks", list = named.collect::<Vec<_>>().join(&fl!(texts, "list-separator")))
}

fn screen(view: &JourneyView, language: Language) -> Screen {
    let texts = texts(language);
    let TerminalFace { face, model, serial, reached, done, total, receipt } = &view.terminal;
    let (class, status) = match face {
        Face::Off => ("off", fl!(texts, "terminal-inactive")),
        Face::Inactive => ("inactive", fl!(texts, "terminal-inactive")),
        Face::Waiting => ("waiting", fl!(texts, "terminal-inactive")),
        Face::Active => ("active", fl!(texts, "terminal-active")),
        Face::OutOfService => ("out", fl!(texts, "terminal-out")),
    };
    let reached =
        reached.as_deref().map(|state| worded(starpay_text::state(language, "activation", state), state));
    let detail = match face {
        Face::Off => fl!(texts, "terminal-off"),
        Face::Waiting => fl!(texts, "terminal-waiting"),
        Face::Active => fl!(texts, "terminal-ready"),
        Face::Inactive | Face::OutOfService => reached.unwrap_or_default(),
    };
    let lit = match face {
        Face::Active => 5,
        Face::Off | Face::Inactive | Face::Waiting | Face::OutOfService => done * 5 / (*total).max(1),
    };
    Screen {
        face: class,
        status,
        detail,
        merchant: (*face != Face::Off && !view.merchant_name.is_empty()).then(|| view.merchant_name.clone()),
        model: model.clone(),
        serial: fl!(texts, "terminal-serial", serial = serial.as_str()),
        segments: (0..*total).map(|segment| segment < *done).collect(),
        steps: (*done > 0)
            .then(|| fl!(texts, "terminal-steps", done = done.to_string(), total = total.to_string())),
        lit: usize::try_from(lit).unwrap_or(0),
        receipt: receipt.clone(),
    }
}

/// The text, or the bare code, should a newer part of the platform know one that the catalogue does
/// not: a test over all codes keeps that from being seen.
fn worded(text: Option<String>, code: &str) -> String {
    text.unwrap_or_else(|| code.to_owned())
}
