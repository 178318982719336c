//! Guessing activation codes: costly for strangers, no way to keep the owner out.

use crate::terminal::Terminal;
use crate::world::{SERIAL, World};
use starpay_app::view::{ActivationRequest, ActivationView};
use starpay_app::{Error, ErrorKind, Replayed, Role};
use starpay_domain::id::{ActivationId, TypedId};
use starpay_domain::identifier::ActivationCode;
use std::net::{IpAddr, Ipv4Addr};

/// Where the owner's phone and the shop's terminal are.
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
/// Another network of the owner's.
const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 99));
/// Wrong tries of one code that strangers have together.
const STRANGERS: u8 = 50;

fn stranger(number: u8) -> IpAddr {
    Ipv4Addr::new(203, 0, 113, number).into()
}

/// A well-formed code that is nobody's.
fn guess(number: u8) -> String {
    ActivationCode::from_random([number, 1, 2, 3, 4, 5, 6, 7, 8]).expose_grouped()
}

async fn claim(terminal: &mut Terminal<'_>, code: &str, from: IpAddr) -> Result<Replayed, Error> {
    terminal.claim_from(code, Some(from)).await
}

async fn refused(terminal: &mut Terminal<'_>, code: &str, from: IpAddr) -> Error {
    claim(terminal, code, from).await.unwrap_err()
}

/// The owner asks for a code, from home.
async fn ask(world: &World) -> (ActivationId, String) {
    let wanted = ActivationRequest { serial: SERIAL.to_owned() };
    let owner = world.owner().await;
    let platform = world.platform.asked_from(Some(HOME));
    let view = platform.request_activation(&owner, None, wanted).await.unwrap().value;
    (ActivationId::parse(&view.id).unwrap(), world.newest_code("activation_code").await)
}

async fn seen(world: &World, id: ActivationId) -> ActivationView {
    world.platform.activation(&world.owner().await, id).await.unwrap()
}

/// Strangers spend what they have: five tries from each of ten addresses.
async fn besiege(world: &World, from: u8) {
    for number in 0..STRANGERS {
        let mut thief = world.terminal();
        let error = refused(&mut thief, &guess(number), stranger(from + number / 5)).await;
        assert_eq!((error.code, error.field.as_deref()), ("activation_code_invalid", Some("code")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_guesses_pauses_only_their_own_address() {
    let world = World::delivered().await;
    let (id, code) = ask(&world).await;
    let mut thief = world.terminal();
    for number in 0..5 {
        let error = refused(&mut thief, &guess(number), stranger(1)).await;
        assert_eq!(error.tries_left, Some(4 - i64::from(number)));
    }
    let error = refused(&mut thief, &guess(9), stranger(1)).await;
    assert_eq!((error.code, error.kind), ("activation_code_locked", ErrorKind::Locked));
    assert_eq!(error.retry_after_seconds, Some(600));
    // A fresh key from the same address is paused as well, even with the right code.
    assert_eq!(refused(&mut world.terminal(), &code, stranger(1)).await.code, "activation_code_locked");
    assert!(!seen(&world, id).await.code_frozen);
    // The owner, from anywhere else, at once.
    assert_eq!(claim(&mut world.terminal(), &code, AWAY).await.unwrap(), Replayed::No);
}

/// How many rows of what a stranger can make us keep.
fn kept(world: &World) -> Vec<i64> {
    let connection = rusqlite::Connection::open(world.folder.path().join("db/starpay.db")).unwrap();
    let count = |table: &str| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    ["used_nonce", "attempt", "device_auth", "event"].map(count).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_paused_leaves_nothing_behind() {
    let world = World::delivered().await;
    let (_, code) = ask(&world).await;
    for number in 0..5 {
        refused(&mut world.terminal(), &guess(number), stranger(1)).await;
    }
    let before = kept(&world);
    for number in 0..10 {
        // A new key each time: nobody can be told apart but by the address.
        let error = refused(&mut world.terminal(), &guess(number), stranger(1)).await;
        assert_eq!(error.code, "activation_code_locked");
    }
    assert_eq!(kept(&world), before);
    // Other serials, until the address is paused for all of them.
    for number in 0..25_u8 {
        let mut thief = world.terminal();
        thief.serial = format!("99990004STAR0000{:04}", 100 + number / 5);
        refused(&mut thief, &guess(number), stranger(1)).await;
    }
    let before = kept(&world);
    for number in 0..10_u8 {
        let mut thief = world.terminal();
        thief.serial = format!("99990004STAR0001{number:04}");
        assert_eq!(refused(&mut thief, &code, stranger(1)).await.code, "rate_limited");
    }
    assert_eq!(kept(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_strangers_spend_their_own_lane_and_learn_nothing() {
    let world = World::delivered().await;
    let (id, code) = ask(&world).await;
    besiege(&world, 1).await;
    assert!(seen(&world, id).await.code_frozen);
    // Right and wrong are answered alike now, so nothing can be found out.
    let right = refused(&mut world.terminal(), &code, stranger(100)).await;
    let wrong = refused(&mut world.terminal(), &guess(99), stranger(101)).await;
    assert_eq!((right.code, right.kind, right.tries_left), (wrong.code, wrong.kind, wrong.tries_left));
    assert_eq!(right.code, "activation_code_invalid");
    assert_eq!(seen(&world, id).await.state, "code_issued");
    // It does not thaw by waiting: a code has so many tries in all its life.
    world.wait_minutes(24 * 60);
    assert_eq!(refused(&mut world.terminal(), &code, stranger(102)).await.code, "activation_code_invalid");
    // From the network that asked for it, it passes.
    assert_eq!(claim(&mut world.terminal(), &code, HOME).await.unwrap(), Replayed::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_code_passes_from_anywhere_and_home_starts_anew() {
    let world = World::delivered().await;
    let (id, first) = ask(&world).await;
    besiege(&world, 1).await;
    // A neighbour behind the shop's own address has paused it, too.
    let mut neighbour = world.terminal();
    for number in 0..6 {
        refused(&mut neighbour, &guess(number), HOME).await;
    }
    assert_eq!(refused(&mut world.terminal(), &first, HOME).await.code, "activation_code_locked");
    let owner = world.owner().await;
    let reissued = world.platform.asked_from(Some(HOME)).reissue_activation(&owner, None, id).await;
    assert!(!reissued.unwrap().value.code_frozen);
    let second = world.newest_code("activation_code").await;
    // What was spent was the old code's: strangers that are paused stay so, everybody else may try.
    let tired = refused(&mut world.terminal(), &guess(1), stranger(1)).await;
    assert_eq!(tired.code, "activation_code_locked");
    assert_eq!(refused(&mut world.terminal(), &first, HOME).await.code, "activation_code_invalid");
    assert_eq!(claim(&mut world.terminal(), &second, AWAY).await.unwrap(), Replayed::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_known_have_a_lane_of_their_own() {
    let world = World::delivered().await;
    let (first, code) = ask(&world).await;
    let mut terminal = world.terminal();
    claim(&mut terminal, &code, AWAY).await.unwrap();
    let owner = world.owner().await;
    world.platform.abort_activation(&owner, None, first).await.unwrap();
    let (_, code) = ask(&world).await;
    besiege(&world, 1).await;
    let fresh = refused(&mut world.terminal(), &code, AWAY).await;
    assert_eq!(fresh.code, "activation_code_invalid");
    assert_eq!(claim(&mut terminal, &code, AWAY).await.unwrap(), Replayed::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lane_of_a_code_comes_to_an_end() {
    let world = World::delivered().await;
    let (_, code) = ask(&world).await;
    // Four times five wrong tries at home, with the pauses waited for: the home's budget.
    for round in 0..4 {
        for number in 0..5 {
            let error = refused(&mut world.terminal(), &guess(round * 5 + number), HOME).await;
            assert_eq!(error.code, "activation_code_invalid");
        }
        world.wait_minutes(10);
    }
    assert_eq!(refused(&mut world.terminal(), &code, HOME).await.code, "activation_code_invalid");
    // Elsewhere it was not tried yet.
    assert_eq!(claim(&mut world.terminal(), &code, AWAY).await.unwrap(), Replayed::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_of_a_code_is_not_swept_away_while_it_is_good() {
    let world = World::delivered().await;
    let (id, _) = ask(&world).await;
    for number in 1..STRANGERS {
        refused(&mut world.terminal(), &guess(number), stranger(number / 5)).await;
    }
    world.wait_minutes(70 * 60);
    world.platform.sweep(&world.staff(Role::System)).await.unwrap();
    assert!(!seen(&world, id).await.code_frozen);
    refused(&mut world.terminal(), &guess(0), stranger(200)).await;
    assert!(seen(&world, id).await.code_frozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_without_a_code_answers_like_one_with() {
    let world = World::delivered().await;
    for number in 0..STRANGERS + 5 {
        let mut thief = world.terminal();
        let error = refused(&mut thief, &guess(number), stranger(number / 4)).await;
        assert_eq!(error.code, "activation_code_invalid");
        assert_eq!(error.tries_left, Some(4 - i64::from(number % 4)));
    }
    // Tries made before a code is asked for take nothing from it.
    let (_, code) = ask(&world).await;
    assert_eq!(claim(&mut world.terminal(), &code, AWAY).await.unwrap(), Replayed::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_sealed_is_opened_before_a_nonce_is_spent() {
    let world = World::delivered().await;
    let (_, code) = ask(&world).await;
    for number in 0..5 {
        refused(&mut world.terminal(), &guess(number), stranger(1)).await;
    }
    // Whoever opened any of these would fail.
    for table in ["activation", "device", "device_auth"] {
        world.poke(&format!("UPDATE {table} SET facts = x'00'"));
    }
    let nonces = || kept(&world)[0];
    let before = nonces();
    let paused = refused(&mut world.terminal(), &code, stranger(1)).await;
    assert_eq!((paused.code, nonces()), ("activation_code_locked", before));
    // Who is not paused gets as far as a spent nonce.
    assert_eq!(refused(&mut world.terminal(), &code, stranger(2)).await.code, "internal");
    assert_eq!(nonces(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_key_is_paused_for_itself_and_not_for_its_place() {
    let world = World::delivered().await;
    let (first, code) = ask(&world).await;
    let mut terminal = world.terminal();
    claim(&mut terminal, &code, AWAY).await.unwrap();
    let owner = world.owner().await;
    world.platform.abort_activation(&owner, None, first).await.unwrap();
    let (_, code) = ask(&world).await;
    for number in 0..5 {
        refused(&mut world.terminal(), &guess(number), AWAY).await;
    }
    assert_eq!(refused(&mut world.terminal(), &code, AWAY).await.code, "activation_code_locked");
    // Its own five tries, from where strangers are paused.
    for number in 0..5 {
        let error = refused(&mut terminal, &guess(number), AWAY).await;
        assert_eq!((error.code, error.tries_left), ("activation_code_invalid", Some(4 - i64::from(number))));
    }
    let nonces = kept(&world)[0];
    for from in [AWAY, HOME] {
        assert_eq!(refused(&mut terminal, &code, from).await.code, "activation_code_locked");
    }
    assert_eq!(kept(&world)[0], nonces);
    world.wait_minutes(10);
    assert_eq!(claim(&mut terminal, &code, AWAY).await.unwrap(), Replayed::No);
}
