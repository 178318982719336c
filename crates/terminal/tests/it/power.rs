//! The power is cut at every moment at which it makes a difference: before and after each write to
//! the folder, before and after each request. The terminal must always finish, with one activation,
//! one claim and one key set.

use starpay_terminal::answer::Phase;
use starpay_terminal::{Error, Terminal};

use crate::bench::{Bench, Typist, activate, settings};
use crate::platform::{PIN, Platform};

/// How many moments one whole activation has.
fn moments_in_all() -> u32 {
    let platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    activate(settings(&platform, home.path()), &bench, &mut Typist::new()).unwrap();
    bench.moments.get()
}

fn assert_done_once(platform: &Platform, folder: &std::path::Path, when: &str) {
    let bench = Bench::new();
    let terminal = Terminal::switch_on(settings(platform, folder), &bench).unwrap();
    assert_eq!(terminal.status().unwrap().phase(), Phase::Active, "{when}");
    let kcv = terminal.keys().unwrap().kcv();
    platform.ledger(|ledger| {
        assert_eq!((ledger.activations, ledger.claims.len()), (1, 1), "{when}");
        assert_eq!(ledger.key_sets.len(), 1, "key sets, {when}");
        assert!(ledger.confirmed.iter().all(|confirmed| *confirmed == kcv), "{when}");
        assert_eq!(ledger.pins["01"], PIN, "{when}");
    });
}

#[test]
fn one_cut_at_any_moment_changes_nothing() {
    let moments = moments_in_all();
    assert!(moments > 100, "only {moments} moments");
    for cut in 0..moments {
        let platform = Platform::start();
        let home = tempfile::tempdir().unwrap();
        let mut typist = Typist::new();
        let result = activate(settings(&platform, home.path()), &Bench::with_power_for(cut), &mut typist);
        assert!(matches!(result, Err(Error::PowerCut(_))), "moment {cut}: {result:?}");
        // Whoever typed the code or PIN before the cut types it again if asked again.
        activate(settings(&platform, home.path()), &Bench::new(), &mut Typist::new()).unwrap();
        assert_done_once(&platform, home.path(), &format!("cut at moment {cut} of {moments}"));
    }
}

#[test]
fn cuts_that_keep_coming_only_take_longer() {
    // Below some length of life a terminal cannot even start; from there on every life must bring
    // it forward.
    for life in [22, 24, 27, 31] {
        let platform = Platform::start();
        let home = tempfile::tempdir().unwrap();
        let mut lives = 0;
        loop {
            lives += 1;
            assert!(lives < 60, "no end after {lives} lives of {life} moments");
            let bench = Bench::with_power_for(life);
            match activate(settings(&platform, home.path()), &bench, &mut Typist::new()) {
                Ok(_) => break,
                Err(Error::PowerCut(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(lives > 3, "{lives} lives of {life} moments");
        assert_done_once(&platform, home.path(), &format!("{lives} lives of {life} moments"));
    }
}
