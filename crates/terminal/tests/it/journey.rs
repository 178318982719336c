//! The way from power-on to 已激活, and what the terminal does when it is asked twice.

use starpay_terminal::answer::Phase;
use starpay_terminal::fault::Fault;
use starpay_terminal::{Error, Step, Terminal};

use crate::bench::{Bench, Typist, activate, faulty, settings};
use crate::platform::{PIN, Platform, Quirk, SERIAL, WEAK_PIN};

#[test]
fn a_new_terminal_becomes_active() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let (bench, mut typist) = (Bench::new(), Typist::new());
    let mut terminal = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
    let status = terminal.activate(&mut typist).unwrap();
    assert_eq!((status.phase(), status.status_text.as_str()), (Phase::Active, "已激活"));
    assert_eq!(typist.done(), Step::ALL);
    // The platform answers the test with `active`; what the step led to is `tested` all the same.
    let led_to: Vec<&str> = typist.reports.iter().map(|report| report.state.as_str()).collect();
    assert_eq!(led_to, Step::ALL.map(Step::completes));
    assert_eq!(typist.asked, ["first", "pin"]);
    assert_eq!(terminal.receipt().unwrap(), ["测试", "0.00"]);
    let kcv = terminal.keys().unwrap().kcv();
    platform.ledger(|ledger| {
        assert_eq!((ledger.activations, ledger.claims.len(), ledger.key_sets.len()), (1, 1, 1));
        assert_eq!(ledger.confirmed, [kcv]);
        assert_eq!(ledger.pins["01"], PIN);
        assert!(ledger.languages.contains("zh-CN"));
    });
}

#[test]
fn an_active_terminal_switched_on_again_asks_for_nothing() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap();
    let mut nobody = Typist::typing(&[], &[]);
    let status = activate(settings(&platform, home.path()), &Bench::new(), &mut nobody).unwrap();
    assert_eq!(status.phase(), Phase::Active);
    assert!(nobody.asked.is_empty() && nobody.reports.is_empty());
}

#[test]
fn no_file_of_the_terminal_shows_code_pin_or_name() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(home.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        for secret in [crate::platform::CODE, PIN, "星光小面馆", SERIAL] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    assert!(files >= 6, "{files} files");
}

#[test]
fn a_terminal_waits_for_its_merchant_and_goes_on_by_itself() {
    let platform = Platform::with(Quirk::Waits(4));
    let home = tempfile::tempdir().unwrap();
    let (bench, mut typist) = (Bench::new(), Typist::new());
    activate(settings(&platform, home.path()), &bench, &mut typist).unwrap();
    assert_eq!(typist.waited_for, ["agreement_unsigned"; 4]);
    assert_eq!(bench.ticks_ms.get(), 4 * 3_000, "the platform said Retry-After: 3");
}

#[test]
fn patience_has_an_end_and_names_what_is_missing() {
    let platform = Platform::with(Quirk::Waits(1_000));
    let home = tempfile::tempdir().unwrap();
    let error = activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap_err();
    assert!(matches!(&error, Error::StillWaiting { waited_s: 60, codes } if codes == "agreement_unsigned"));
}

#[test]
fn a_busy_platform_is_asked_again() {
    let platform = Platform::with(Quirk::Busy(3));
    let home = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    activate(settings(&platform, home.path()), &bench, &mut Typist::new()).unwrap();
    assert!(bench.ticks_ms.get() >= 3_000, "Retry-After: 1 was not kept three times");
}

#[test]
fn a_terminal_that_lost_its_journal_finds_its_activation() {
    for (lost_after, asked) in [(Step::Identity, vec!["journal lost"]), (Step::SignIn, vec![])] {
        let platform = Platform::start();
        let home = tempfile::tempdir().unwrap();
        stop_after(&platform, home.path(), lost_after);
        std::fs::remove_file(home.path().join("journal.sealed")).unwrap();
        let mut typist = Typist::new();
        activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap();
        let questions: Vec<_> = typist.asked.iter().filter(|asked| *asked != "pin").collect();
        assert_eq!(questions, asked, "lost after {lost_after:?}");
        platform.ledger(|ledger| assert_eq!((ledger.activations, ledger.key_sets.len()), (1, 1)));
    }
}

/// Lets a terminal live in short spells until a step is done, and no further than the next few.
fn stop_after(platform: &Platform, folder: &std::path::Path, step: Step) {
    for _ in 0..20 {
        let result = activate(settings(platform, folder), &Bench::with_power_for(20), &mut Typist::new());
        assert!(matches!(result, Err(Error::PowerCut(_))));
        let bench = Bench::new();
        let terminal = Terminal::switch_on(settings(platform, folder), &bench).unwrap();
        let completed = terminal.status().map(|status| status.completed.clone()).unwrap_or_default();
        if completed.iter().any(|name| name == step.completes()) {
            return;
        }
    }
    panic!("{step:?} was never done");
}

#[test]
fn keys_given_up_before_they_were_confirmed_are_asked_for_anew() {
    let platform = Platform::with(Quirk::GivesKeysUp);
    let home = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    let mut terminal = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
    terminal.activate(&mut Typist::new()).unwrap();
    let keys = terminal.keys().unwrap();
    assert_eq!(keys.version(), 2);
    platform.ledger(|ledger| {
        assert_eq!(ledger.key_sets.len(), 2);
        assert_eq!(ledger.confirmed, [keys.kcv()]);
    });
}

#[test]
fn a_weak_pin_is_asked_for_again() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let mut typist = Typist::typing(&[crate::platform::CODE], &[WEAK_PIN, PIN]);
    activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap();
    assert_eq!(typist.asked, ["first", "pin", "pin after pin_weak"]);
    platform.ledger(|ledger| assert_eq!(ledger.pins["01"], PIN));
}

#[test]
fn an_operator_is_verified_and_a_wrong_pin_is_sent_once() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    let mut terminal = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
    terminal.activate(&mut Typist::new()).unwrap();
    terminal.verify_operator("01", &PIN.into()).unwrap();
    let error = terminal.verify_operator("01", &"999999".into()).unwrap_err();
    let Error::Refused(refusal) = error else { panic!("{error}") };
    assert_eq!((refusal.code.as_str(), refusal.tries_left), ("pin_wrong", Some(4)));
    platform.ledger(|ledger| {
        let verifications = ledger.requests.iter().filter(|line| line.contains("operators/verify")).count();
        assert_eq!(verifications, 2);
    });
}

#[test]
fn every_fault_ends_active_on_a_platform_that_keeps_to_the_protocol() {
    for fault in Fault::ALL {
        let platform = Platform::start();
        let home = tempfile::tempdir().unwrap();
        let result = activate(faulty(&platform, home.path(), fault), &Bench::new(), &mut Typist::new());
        let status = result.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert_eq!(status.phase(), Phase::Active, "{fault}");
        platform.ledger(|ledger| {
            let once = (ledger.activations, ledger.claims.len(), ledger.key_sets.len());
            assert_eq!(once, (1, 1, 1), "{fault}");
            assert_eq!(ledger.pins["01"], PIN);
        });
    }
}

#[test]
fn a_careless_platform_is_found_out() {
    for fault in [Fault::WrongSignature, Fault::ClockSkew, Fault::ReplayNonce, Fault::ClonedSerial] {
        let platform = Platform::with(Quirk::Careless);
        let home = tempfile::tempdir().unwrap();
        let result = activate(faulty(&platform, home.path(), fault), &Bench::new(), &mut Typist::new());
        assert!(
            matches!(&result, Err(Error::FaultAccepted { fault: name, .. }) if *name == fault.name()),
            "{fault}: {result:?}"
        );
    }
}
