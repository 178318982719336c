//! What the terminal refuses, and what it makes of being refused.

use starpay_terminal::{Error, Step, Terminal};

use crate::bench::{Bench, Typist, activate, settings};
use crate::platform::{CODE, PIN, Platform, Quirk};

#[test]
fn no_key_is_installed_from_a_statement_that_is_not_ours() {
    for (quirk, said) in [
        (Quirk::StatementTampered, "signature"),
        (Quirk::SignedByAnother, "signer"),
        (Quirk::SignerNotThePlatform, "signer"),
        (Quirk::VersionNotHigher, "version"),
        (Quirk::OtherDeviceNonce, "device_nonce"),
        (Quirk::OtherServerNonce, "server_nonce"),
        (Quirk::OtherSerial, "serial"),
        (Quirk::OtherActivation, "activation_id"),
        (Quirk::StatementExpired, "expired"),
        (Quirk::CertificateForAnotherKey, "certificate"),
        (Quirk::BlockUnderAnotherKey, "master key"),
    ] {
        let platform = Platform::with(quirk);
        let home = tempfile::tempdir().unwrap();
        let (bench, mut typist) = (Bench::new(), Typist::new());
        let mut terminal = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
        let error = terminal.activate(&mut typist).unwrap_err();
        assert!(matches!(&error, Error::Statement(reason) if reason.contains(said)), "{quirk:?}: {error}");
        assert!(terminal.keys().is_none(), "{quirk:?}");
        let last = typist.reports.last().unwrap();
        assert_eq!((last.step, last.ok), (Step::Keys, false));
        assert!(!home.path().join("keys.sealed").exists(), "{quirk:?}");
        platform.ledger(|ledger| assert!(ledger.confirmed.is_empty(), "{quirk:?}"));
    }
}

#[test]
fn a_document_or_configuration_that_does_not_match_its_hash_is_refused() {
    for (quirk, step) in
        [(Quirk::BackupDamaged, Step::Backup), (Quirk::ConfigurationDamaged, Step::Configuration)]
    {
        let platform = Platform::with(quirk);
        let home = tempfile::tempdir().unwrap();
        let mut typist = Typist::new();
        let error = activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert_eq!(typist.reports.last().unwrap().step, step);
    }
}

#[test]
fn a_good_answer_that_moves_nothing_is_noticed() {
    let platform = Platform::with(Quirk::NothingMoves);
    let home = tempfile::tempdir().unwrap();
    let error = activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[test]
fn a_wrong_code_is_asked_for_again() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let mut typist = Typist::typing(&["0000000000", CODE], &[PIN]);
    activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap();
    assert_eq!(typist.asked, ["first", "refused code_invalid", "pin"]);
}

#[test]
fn a_wrong_code_nobody_corrects_is_forgotten() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let mut typist = Typist::typing(&["0000000000"], &[]);
    let error = activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.code == "code_invalid"), "{error}");
    activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap();
}

#[test]
fn an_activation_that_ended_needs_a_new_code() {
    let platform = Platform::with(Quirk::Expires);
    let home = tempfile::tempdir().unwrap();
    let mut typist = Typist::new();
    let error = activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap_err();
    assert!(matches!(&error, Error::Ended { state, .. } if state == "expired"), "{error}");
    assert_eq!(typist.asked, ["first", "ended expired"]);
    // The old code does not help, and is not taken for a new one.
    let mut typist = Typist::new();
    let error = activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.code == "code_used"), "{error}");
}

#[test]
fn a_failed_step_is_told_and_sent_again_when_asked_to_go_on() {
    let platform = Platform::with(Quirk::FailsOnce);
    let home = tempfile::tempdir().unwrap();
    let mut typist = Typist::new();
    let error = activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap_err();
    assert!(
        matches!(&error, Error::Ended { state, detail } if state == "failed" && detail == "m r (firmware_too_old)"),
        "{error}"
    );
    assert_eq!(typist.reports.last().map(|last| (last.step, last.ok)), Some((Step::Compatibility, false)));
    let mut typist = Typist::typing(&[], &[PIN]);
    activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap();
    assert_eq!(typist.reports.first().map(|first| (first.step, first.ok)), Some((Step::Compatibility, true)));
}

#[test]
fn a_copied_folder_is_the_same_device_and_another_folder_is_not() {
    let platform = Platform::start();
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap();
    let error = activate(settings(&platform, other.path()), &Bench::new(), &mut Typist::new()).unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.code == "device_auth_rejected"), "{error}");
    platform.ledger(|ledger| assert_eq!(ledger.claims.len(), 1));
}

#[test]
fn a_terminal_whose_keys_were_rejected_makes_new_ones_with_a_new_code() {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let id = |bench: &Bench| {
        Terminal::switch_on(settings(&platform, home.path()), bench)
            .unwrap()
            .device()
            .sign_key_id()
            .to_owned()
    };
    let bench = Bench::new();
    activate(settings(&platform, home.path()), &bench, &mut Typist::new()).unwrap();
    let first = id(&bench);
    platform.reject_keys();
    // Nobody has a new code: the terminal says why it stops, and keeps what it has.
    let mut typist = Typist::typing(&[], &[]);
    let error = activate(settings(&platform, home.path()), &bench, &mut typist).unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.code == "device_auth_rejected"), "{error}");
    assert_eq!(typist.asked, ["keys rejected device_auth_rejected"]);
    assert_eq!(id(&bench), first);
    // With one it is a new device to the platform, and the same to its merchant.
    let mut typist = Typist::new();
    let status = activate(settings(&platform, home.path()), &bench, &mut typist).unwrap();
    assert_eq!(status.status_text, "已激活");
    assert_eq!(typist.asked, ["keys rejected device_auth_rejected", "pin"]);
    assert_ne!(id(&bench), first);
    platform.ledger(|ledger| assert_eq!((ledger.claims.len(), ledger.activations), (2, 2)));
    activate(settings(&platform, home.path()), &bench, &mut Typist::typing(&[], &[])).unwrap();
}

#[test]
fn a_power_cut_anywhere_while_keys_are_made_anew_is_healed_by_the_next_start() {
    // Up to the claim with the new keys; what follows is an activation like any other.
    for moments in 0..20 {
        let platform = Platform::start();
        let home = tempfile::tempdir().unwrap();
        activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap();
        platform.reject_keys();
        let cut =
            activate(settings(&platform, home.path()), &Bench::with_power_for(moments), &mut Typist::new());
        let healed = activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new());
        assert_eq!(healed.unwrap().status_text, "已激活", "cut after {moments}");
        assert!(cut.is_err(), "the power was never cut");
    }
}

#[test]
fn a_tls_key_that_was_put_aside_is_made_anew_and_kept() {
    let platform = Platform::with(Quirk::KnowsTheFirstKey);
    let home = tempfile::tempdir().unwrap();
    let (bench, mut typist) = (Bench::new(), Typist::new());
    let mut terminal = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
    let key = terminal.device().sign_key_id().to_owned();
    terminal.activate(&mut typist).unwrap();
    let certificate = terminal.certificate().unwrap();
    drop(terminal);
    // The folder holds what the platform certified: it opens connections after a restart.
    let again = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
    assert_eq!((again.device().sign_key_id(), again.certificate()), (key.as_str(), Some(certificate)));
}
