//! The certificate's life: shown over TLS, renewed when the platform says so, crash-safe.

use starpay_terminal::answer::{CertificateStatus, Phase};
use starpay_terminal::{Error, Terminal};

use crate::bench::{Bench, Typist, activate, settings};
use crate::platform::{NOW_MS, PIN, Platform, Quirk};

const DAY_MS: i64 = 86_400_000;

/// A platform over TLS with an active terminal in a folder.
fn activated(quirk: Quirk) -> (Platform, tempfile::TempDir) {
    let platform = Platform::over_tls(quirk);
    let home = tempfile::tempdir().unwrap();
    activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap();
    (platform, home)
}

/// The terminal is switched on so many days later, by both clocks.
fn later(platform: &Platform, home: &tempfile::TempDir, days: i64) -> (Option<CertificateStatus>, Typist) {
    platform.set_clock(NOW_MS + days * DAY_MS);
    let mut typist = Typist::typing(&[], &[]);
    let bench = Bench::new().after_days(days);
    let status = activate(settings(platform, home.path()), &bench, &mut typist).unwrap();
    assert_eq!(status.phase(), Phase::Active);
    (status.certificate, typist)
}

fn present(platform: &Platform) -> String {
    platform.certificates(|certificates| certificates.present.clone().unwrap().serial)
}

fn shown_last(platform: &Platform) -> Option<String> {
    platform.ledger(|ledger| ledger.shown.last().unwrap().clone())
}

#[test]
fn the_first_certificate_opens_connections_from_its_confirmation_on() {
    let (platform, _home) = activated(Quirk::None);
    let serial = present(&platform);
    platform.ledger(|ledger| {
        let confirmed = ledger.requests.iter().position(|path| path.ends_with("keys/confirm")).unwrap();
        assert!(ledger.shown[..=confirmed].iter().all(Option::is_none));
        let after = &ledger.shown[confirmed + 1..];
        assert!(!after.is_empty() && after.iter().all(|shown| shown.as_ref() == Some(&serial)));
    });
}

#[test]
fn nothing_is_renewed_before_its_time() {
    let (platform, home) = activated(Quirk::None);
    let first = present(&platform);
    let (certificate, typist) = later(&platform, &home, 300);
    assert_eq!(certificate.unwrap().standing, "in_force");
    assert!(typist.renewals.is_empty());
    assert_eq!((present(&platform), shown_last(&platform)), (first.clone(), Some(first)));
}

#[test]
fn a_certificate_that_is_due_is_renewed_and_shown() {
    let (platform, home) = activated(Quirk::None);
    let first = present(&platform);
    let (certificate, typist) = later(&platform, &home, 310);
    let second = present(&platform);
    assert_ne!(first, second);
    assert_eq!(certificate.unwrap().serial, second);
    assert!(typist.renewals[0].ok && typist.renewals[0].detail.contains(&second), "{:?}", typist.renewals);
    // The confirmation already came over the new one.
    assert_eq!(shown_last(&platform), Some(second.clone()));
    let (_, typist) = later(&platform, &home, 311);
    assert!(typist.renewals.is_empty());
    assert_eq!(shown_last(&platform), Some(second));
}

#[test]
fn a_terminal_from_the_drawer_renews_without_its_ended_certificate() {
    let (platform, home) = activated(Quirk::None);
    let (_, typist) = later(&platform, &home, 400);
    assert!(typist.renewals[0].ok, "{:?}", typist.renewals);
    let second = present(&platform);
    platform.ledger(|ledger| {
        let renewed = ledger.requests.iter().position(|path| path.ends_with("certificate-renewal")).unwrap();
        assert_eq!(ledger.shown[renewed], None);
    });
    assert_eq!(shown_last(&platform), Some(second));
}

#[test]
fn an_ended_certificate_shown_by_a_slow_clock_is_put_aside() {
    let (platform, home) = activated(Quirk::None);
    platform.set_clock(NOW_MS + 400 * DAY_MS);
    // The terminal's own clock still is in the certificate's year: it shows it, the handshake
    // fails, and without it the platform says what is wrong: the clock.
    let bench = Bench::new().after_days(364);
    let error = activate(settings(&platform, home.path()), &bench, &mut Typist::new()).unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.code == "clock_skew"), "{error}");
}

#[test]
fn too_late_says_so_and_the_terminal_stays_what_it_is() {
    let (platform, home) = activated(Quirk::None);
    let (certificate, typist) = later(&platform, &home, 500);
    assert_eq!(certificate.unwrap().standing, "over");
    assert!(typist.renewals.is_empty());
    platform.ledger(|ledger| assert!(!ledger.requests.iter().any(|path| path.contains("renewal"))));
}

#[test]
fn a_recalled_certificate_is_put_aside_and_renewed_with_another_key() {
    let (platform, home) = activated(Quirk::None);
    let first = present(&platform);
    platform.certificates(|certificates| certificates.recalled = true);
    let (certificate, typist) = later(&platform, &home, 1);
    assert!(typist.renewals[0].ok);
    assert_eq!(certificate.unwrap().standing, "in_force");
    assert_ne!(present(&platform), first);
    assert_eq!(shown_last(&platform), Some(present(&platform)));
}

#[test]
fn an_operator_is_let_in_after_a_renewal_in_between() {
    let (platform, home) = activated(Quirk::None);
    let bench = Bench::new();
    let mut terminal = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
    terminal.verify_operator("01", &PIN.into()).unwrap();
    platform.certificates(|certificates| certificates.recalled = true);
    terminal.verify_operator("01", &PIN.into()).unwrap();
    let serial = terminal.certificate().unwrap().serial();
    assert_eq!((present(&platform), shown_last(&platform)), (serial.clone(), Some(serial)));
}

#[test]
fn a_certificate_for_somebody_else_is_not_installed() {
    let (platform, home) = activated(Quirk::RenewsForAnother);
    let first = present(&platform);
    let (_, typist) = later(&platform, &home, 310);
    assert!(!typist.renewals[0].ok && typist.renewals[0].detail.contains("refused"), "{:?}", typist.renewals);
    assert_eq!((present(&platform), shown_last(&platform)), (first.clone(), Some(first)));
}

#[test]
fn one_given_up_in_between_is_asked_for_anew() {
    let (platform, home) = activated(Quirk::None);
    platform.set_clock(NOW_MS + 310 * DAY_MS);
    // The power goes between the answer and its confirmation; meanwhile the platform drops it.
    let mut cut = 0;
    loop {
        let bench = Bench::with_power_for(cut).after_days(310);
        let result = activate(settings(&platform, home.path()), &bench, &mut Typist::new());
        assert!(matches!(result, Err(Error::PowerCut(_))), "{result:?}");
        if platform.certificates(|certificates| certificates.next.take().is_some()) {
            break;
        }
        cut += 1;
    }
    let (certificate, typist) = later(&platform, &home, 310);
    assert!(typist.renewals[0].ok, "{:?}", typist.renewals);
    assert_eq!(certificate.unwrap().serial, present(&platform));
    assert_eq!(platform.certificates(|certificates| certificates.issued.len()), 2);
}

#[test]
fn one_cut_at_any_moment_of_a_renewal_changes_nothing() {
    let moments = {
        let (platform, home) = activated(Quirk::None);
        platform.set_clock(NOW_MS + 310 * DAY_MS);
        let bench = Bench::new().after_days(310);
        activate(settings(&platform, home.path()), &bench, &mut Typist::new()).unwrap();
        bench.moments.get()
    };
    assert!(moments > 15, "only {moments} moments");
    for cut in 0..moments {
        let (platform, home) = activated(Quirk::None);
        platform.set_clock(NOW_MS + 310 * DAY_MS);
        let bench = Bench::with_power_for(cut).after_days(310);
        let result = activate(settings(&platform, home.path()), &bench, &mut Typist::new());
        assert!(matches!(result, Err(Error::PowerCut(_))), "moment {cut}: {result:?}");
        let (certificate, _) = later(&platform, &home, 310);
        let (issued, confirmed) =
            platform.certificates(|certificates| (certificates.issued.len(), certificates.confirmed));
        assert_eq!((issued, confirmed), (1, 1), "cut at moment {cut} of {moments}");
        assert_eq!(certificate.unwrap().serial, present(&platform), "cut at moment {cut}");
        let bench = Bench::new().after_days(311);
        let terminal = Terminal::switch_on(settings(&platform, home.path()), &bench).unwrap();
        assert_eq!(terminal.certificate().unwrap().serial(), present(&platform), "cut at moment {cut}");
    }
}
