//! Journeys to look at: before it starts, in the middle, at the terminal, done, stopped.

use super::{
    Change, Face, JourneyStep, JourneyView, OpenRequirement, Phase, Progress, Receipt, Stage, TerminalFace,
};

/// Step, part, role, state change as `machine from to`, milliseconds, open requirements after it.
type Row = (&'static str, Phase, &'static str, &'static str, u64, u32);

const ROWS: &[Row] = &[
    ("application_started", Phase::Apply, "applicant", "application - draft", 12, 9),
    ("application_filled", Phase::Apply, "applicant", "", 486, 8),
    ("application_submitted", Phase::Apply, "applicant", "application draft submitted", 21, 7),
    ("checks_passed", Phase::Verify, "platform", "application checking verifying", 655, 6),
    ("visit_booked", Phase::Verify, "applicant", "visit offered booked", 16, 6),
    ("visit_done", Phase::Verify, "field_verifier", "visit under_way done", 168, 5),
    ("review_started", Phase::Verify, "reviewer", "", 9, 5),
    ("application_approved", Phase::Verify, "reviewer", "application in_review approved", 24, 4),
    ("agreement_signed", Phase::Sign, "signer", "agreement offered signed", 312, 3),
    ("registered", Phase::Sign, "registry", "registration sent registered", 903, 2),
    ("merchant_ready", Phase::Sign, "registry", "application reporting ready", 18, 2),
    ("shipment_prepared", Phase::Ship, "warehouse", "shipment pending ready_to_ship", 18, 2),
    ("shipped", Phase::Ship, "warehouse", "shipment ready_to_ship shipped", 22, 2),
    ("delivered", Phase::Ship, "courier", "shipment shipped delivered", 19, 1),
    ("received", Phase::Ship, "applicant", "shipment delivered received", 17, 1),
    ("code_issued", Phase::Activate, "applicant", "activation - code_issued", 11, 1),
    ("claimed", Phase::Activate, "terminal", "activation code_issued claimed", 34, 1),
    ("identity_proven", Phase::Activate, "terminal", "activation claimed identity_proven", 41, 1),
    ("compatible", Phase::Activate, "terminal", "activation identity_proven compatible", 9, 1),
    ("network_ok", Phase::Activate, "terminal", "activation compatible network_ok", 133, 1),
    ("located", Phase::Activate, "terminal", "activation network_ok located", 10, 1),
    ("backed_up", Phase::Activate, "terminal", "activation located backed_up", 15, 1),
    ("keys_loaded", Phase::Activate, "terminal", "key_slot loading loaded", 58, 1),
    ("config_applied", Phase::Activate, "terminal", "activation keys_loaded config_applied", 14, 1),
    ("signed_in", Phase::Activate, "terminal", "activation config_applied signed_in", 12, 1),
    ("pin_set", Phase::Activate, "terminal", "activation signed_in pin_set", 287, 1),
    ("tested", Phase::Activate, "terminal", "activation pin_set tested", 16, 1),
    ("active", Phase::Activate, "terminal", "device activating active", 8, 0),
];

/// As a terminal counts them: from the code to the test transaction.
const ACTIVATION_STEPS: u32 = 11;

fn change(text: &str) -> Option<Change> {
    let mut words = text.split(' ');
    let (machine, from, to) = (words.next()?, words.next()?, words.next()?);
    Some(Change {
        machine: machine.to_owned(),
        from: (from != "-").then(|| from.to_owned()),
        to: to.to_owned(),
    })
}

/// The first `done` rows done, the next one `at`, the rest to come.
fn steps(done: usize, at: Progress) -> Vec<JourneyStep> {
    let progress = |index: usize| match index {
        _ if index < done => Progress::Done,
        _ if index == done => at,
        _ => Progress::Next,
    };
    let step = |(index, row): (usize, &Row)| JourneyStep {
        code: row.0.to_owned(),
        phase: row.1,
        actor: row.2.to_owned(),
        change: change(row.3).filter(|_| index < done),
        took_ms: if index < done { row.4 } else { 0 },
        progress: progress(index),
        open_after: (index < done).then_some(row.5),
    };
    ROWS.iter().enumerate().map(step).collect()
}

/// Code, party, desk or nothing, what it holds up, seconds it usually takes.
type Open = (&'static str, &'static str, &'static str, &'static [&'static str], u64);

const OPEN_AT_FIRST: &[Open] = &[
    ("document_missing", "merchant", "", &["apply"], 300),
    ("application_unsubmitted", "merchant", "", &["apply"], 60),
    ("checks_running", "third_party", "verification", &["apply"], 60),
    ("visit_pending", "us", "field", &["ship", "activate"], 5_400),
    ("review_pending", "us", "review", &["ship", "activate"], 14_400),
    ("agreement_unsigned", "merchant", "", &["activate", "settle"], 600),
    ("registration_pending", "third_party", "registry", &["accept_card"], 7_200),
    ("device_in_transit", "third_party", "carrier", &["activate"], 172_800),
    ("activation_unfinished", "device", "", &["accept_card"], 120),
];

fn opened((code, party, desk, blocks, wait): Open) -> OpenRequirement {
    OpenRequirement {
        code: code.to_owned(),
        field: None,
        party: party.to_owned(),
        desk: (!desk.is_empty()).then(|| desk.to_owned()),
        blocks: blocks.iter().map(|code| (*code).to_owned()).collect(),
        expected_wait_s: Some(wait),
    }
}

fn terminal(face: Face, done: u32, reached: Option<&str>) -> TerminalFace {
    TerminalFace {
        face,
        model: "STAR-A1".to_owned(),
        serial: "99990004STAR00000001".to_owned(),
        reached: reached.map(str::to_owned),
        done,
        total: ACTIVATION_STEPS,
        receipt: (face == Face::Active)
            .then(|| Receipt { number: "000001".to_owned(), at: "2026-11-23 10:42:19".to_owned() }),
    }
}

fn view(stage: Stage, steps: Vec<JourneyStep>, terminal: TerminalFace) -> JourneyView {
    let elapsed_ms = steps.iter().map(|step| step.took_ms).sum();
    let merchant_name = if elapsed_ms == 0 { "" } else { "星光小面馆" };
    JourneyView {
        merchant_name: merchant_name.to_owned(),
        stage,
        steps,
        requirements: Vec::new(),
        cleared: Vec::new(),
        terminal,
        elapsed_ms,
    }
}

impl JourneyView {
    /// How many steps [`JourneyView::played`] knows.
    pub const STEPS_PLAYED: usize = ROWS.len();

    /// The journey after so many steps, for looking at the page while it changes.
    #[must_use]
    pub fn played(done: usize) -> Self {
        let done = done.min(Self::STEPS_PLAYED);
        let activated = u32::try_from(ROWS.iter().take(done).filter(|row| row.1 == Phase::Activate).count());
        let reached = ROWS.get(done.saturating_sub(1)).and_then(|row| change(row.3)).map(|change| change.to);
        let (stage, face) = match (done, &activated) {
            (0, _) => (Stage::Waiting, Face::Off),
            (Self::STEPS_PLAYED, _) => (Stage::Finished, Face::Active),
            (_, Ok(2..)) => (Stage::Running, Face::Inactive),
            (_, Ok(_) | Err(_)) => (Stage::Running, Face::Off),
        };
        let begun = if face == Face::Off { 0 } else { activated.unwrap_or_default().saturating_sub(1) };
        let begun = begun.min(ACTIVATION_STEPS);
        let mut played = view(stage, steps(done, Progress::Now), terminal(face, begun, reached.as_deref()));
        let open = ROWS.get(done.saturating_sub(1)).map_or(0, |row| row.5).try_into().unwrap_or(0);
        let from = OPEN_AT_FIRST.len().saturating_sub(open);
        if done > 0 {
            played.requirements = OPEN_AT_FIRST.iter().skip(from).map(|row| opened(*row)).collect();
            played.cleared = OPEN_AT_FIRST.iter().take(from).map(|row| row.0.to_owned()).collect();
        }
        played
    }

    /// Every shape the page can take, by name.
    #[must_use]
    pub fn samples() -> Vec<(&'static str, Self)> {
        let waiting = view(Stage::Waiting, Vec::new(), terminal(Face::Off, 0, None));
        let mut review = view(Stage::Running, steps(7, Progress::Now), terminal(Face::Off, 0, None));
        review.requirements = OPEN_AT_FIRST.iter().skip(3).map(|row| opened(*row)).collect();
        review.cleared = OPEN_AT_FIRST.iter().take(3).map(|row| row.0.to_owned()).collect();
        review.requirements.push(OpenRequirement {
            field: Some("settlement.card_number".to_owned()),
            ..opened(("field_invalid", "merchant", "", &["settle"], 300))
        });
        let mut at_terminal =
            view(Stage::Running, steps(21, Progress::Now), terminal(Face::Inactive, 5, Some("located")));
        at_terminal.requirements = OPEN_AT_FIRST.iter().skip(8).map(|row| opened(*row)).collect();
        at_terminal.cleared = OPEN_AT_FIRST.iter().take(8).map(|row| row.0.to_owned()).collect();
        let mut finished = view(
            Stage::Finished,
            steps(ROWS.len(), Progress::Done),
            terminal(Face::Active, ACTIVATION_STEPS, Some("active")),
        );
        finished.cleared = OPEN_AT_FIRST.iter().map(|row| row.0.to_owned()).collect();
        let mut stopped = view(Stage::Stopped, steps(9, Progress::Failed), terminal(Face::Off, 0, None));
        stopped.requirements = OPEN_AT_FIRST.iter().skip(6).map(|row| opened(*row)).collect();
        vec![
            ("waiting", waiting),
            ("review", review),
            ("terminal", at_terminal),
            ("finished", finished),
            ("stopped", stopped),
        ]
    }
}
