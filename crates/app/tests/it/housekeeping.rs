//! What is over goes away; what is young stays.

use crate::support::{jobs, on_both};
use starpay_app::view::StartContact;
use starpay_store::{StoreError, work};

#[test]
fn what_is_over_is_removed_in_slices() {
    on_both(|stand| async move {
        stand.shop("15400000001").await;
        let old = 1_700_000_000_000_000_i64;
        for number in 0..450 {
            stand_row(&stand, number, old);
        }
        let swept = stand.platform.sweep(&jobs()).await.unwrap();
        assert_eq!(swept.nonces, 450);
        let again = stand.platform.sweep(&jobs()).await.unwrap();
        assert_eq!(again.nonces, 0);
        let unused = StartContact { mobile: "15400000002".to_owned(), email: None };
        stand.platform.start_contact(None, unused).await.unwrap();
        stand.clock.advance_ms(11 * 60_000);
        assert!(stand.platform.sweep(&jobs()).await.unwrap().codes >= 1, "nobody used it in time");
        assert_eq!(stand.platform.sweep(&jobs()).await.unwrap().codes, 0);
        stand.wait_days(10);
        assert_eq!(
            stand.platform.sweep(&jobs()).await.unwrap().attempts,
            2,
            "the codes that were sent are forgotten"
        );
        stand
    });
}

#[test]
fn what_a_killed_runner_held_is_taken_up_by_its_successor_at_once() {
    on_both(|stand| async move {
        stand.shop("15400000001").await;
        stand.poke(&format!("UPDATE outbox SET owner = 'killed', lease_until = {}", i64::MAX));
        let run = async |name: &str| {
            stand.platform.run_jobs_once(name.to_owned()).await;
            let depth = stand.platform.db().read(|tx| work::depth(tx, &work::OUTBOX)).await;
            depth.map_err(|error: StoreError| error).unwrap().waiting
        };
        let held = run("another").await;
        assert!(held > 0, "the code that was sent waits");
        assert_eq!(run("killed").await, 0);
        stand
    });
}

fn stand_row(stand: &crate::support::Stand, number: i64, expires_at: i64) {
    if number % 50 == 0 {
        let rows: Vec<String> =
            (number..number + 50).map(|n| format!("('test', {}, {expires_at})", nonce(stand, n))).collect();
        stand.poke(&format!("INSERT INTO used_nonce (scope, nonce, expires_at) VALUES {}", rows.join(", ")));
    }
}

fn nonce(stand: &crate::support::Stand, number: i64) -> String {
    match stand.config.location.engine() {
        starpay_store::Engine::Sqlite => format!("x'{number:016x}'"),
        starpay_store::Engine::Postgres => format!("'\\x{number:016x}'::bytea"),
    }
}
