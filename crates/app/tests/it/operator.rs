//! Choosing PINs and typing them.

use crate::terminal::{PIN, Terminal};
use crate::world::{MOBILE, World};
use starpay_app::{Error, ErrorKind};

async fn active(world: &World) -> Terminal<'_> {
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("none").await;
    terminal
}

fn said(error: &Error) -> (&'static str, ErrorKind, Option<i64>) {
    (error.code, error.kind, error.tries_left)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_good_pins_are_set() {
    let world = World::delivered().await;
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("pin").await;
    let (actor, id) = (terminal.actor().await, terminal.id());
    let mobile_part = &MOBILE[..6];
    let merchant_no = world.merchant_no().await;
    type Wanted<'w> = &'w [(&'w str, &'w str, &'w str)];
    let cases: &[(Wanted<'_>, &str, &str)] = &[
        (&[("01", "manager", "123456")], "pin_weak", "operators.0.pin"),
        (&[("01", "manager", PIN), ("02", "cashier", mobile_part)], "pin_weak", "operators.1.pin"),
        (&[("01", "manager", &merchant_no[4..10])], "pin_weak", "operators.0.pin"),
        (&[("01", "manager", "73916")], "pin_format", "operators.0.pin"),
        (&[("01", "manager", "73916x")], "pin_format", "operators.0.pin"),
        (&[("01", "cashier", PIN)], "operator_manager_missing", "operators"),
        (&[], "operator_manager_missing", "operators"),
        (
            &[("01", "manager", PIN), ("01", "cashier", "804637")],
            "operator_number_taken",
            "operators.1.number",
        ),
        (&[("1", "manager", PIN)], "charset", "operators.0.number"),
        (&[("12345", "manager", PIN)], "charset", "operators.0.number"),
        (&[("01", "owner", PIN)], "choice", "operators.0.role"),
    ];
    for (operators, code, field) in cases {
        let error = world.platform.set_pins(&actor, id, terminal.operators(operators)).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (*code, Some(*field)), "{operators:?}");
    }
    // An envelope made for one number does not open for another.
    let mut swapped = terminal.operators(&[("01", "manager", PIN)]);
    swapped.operators[0].number = "02".to_owned();
    assert_eq!(world.platform.set_pins(&actor, id, swapped).await.unwrap_err().code, "pattern");
    let good = terminal.operators(&[("01", "manager", PIN), ("02", "cashier", "804637")]);
    world.platform.set_pins(&actor, id, good).await.unwrap();
    terminal.step("test").await.unwrap();
    assert_eq!(terminal.verify("02", "804637").await.unwrap().role, "cashier");
    assert_eq!(terminal.verify("01", "804637").await.unwrap_err().code, "pin_wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_pins_lock_and_the_pause_doubles() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    for round in 0..2 {
        for left in (0..5).rev() {
            let error = terminal.verify("01", "111111").await.unwrap_err();
            assert_eq!(said(&error), ("pin_wrong", ErrorKind::Unauthenticated, Some(left)), "round {round}");
        }
        let error = terminal.verify("01", PIN).await.unwrap_err();
        assert_eq!(
            (error.code, error.kind),
            ("operator_locked", ErrorKind::Locked),
            "the right PIN waits, too"
        );
        let minutes = 30 << round;
        assert_eq!(error.retry_after_seconds, Some(minutes * 60));
        world.wait_minutes(u32::try_from(minutes).unwrap());
    }
    assert!(terminal.verify("01", PIN).await.unwrap().ok);
    let error = terminal.verify("01", "111111").await.unwrap_err();
    assert_eq!(error.tries_left, Some(4), "a right PIN gives the tries back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_nobody_has_answers_like_a_wrong_pin() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    for left in (0..5).rev() {
        let known = terminal.verify("01", "111111").await.unwrap_err();
        let unknown = terminal.verify("99", "111111").await.unwrap_err();
        assert_eq!(said(&known), said(&unknown));
        assert_eq!(unknown.tries_left, Some(left));
    }
    let known = terminal.verify("01", PIN).await.unwrap_err();
    let unknown = terminal.verify("99", PIN).await.unwrap_err();
    assert_eq!((known.code, known.retry_after_seconds), (unknown.code, unknown.retry_after_seconds));
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_at_the_same_moment_are_all_charged() {
    let world = World::delivered().await;
    let terminal = active(&world).await;
    let tries = (0..8).map(|_| terminal.verify("01", "111111"));
    let answers = futures_join(tries).await;
    let wrong = answers.iter().filter(|answer| answer.as_ref().unwrap_err().code == "pin_wrong").count();
    assert_eq!(wrong, 5, "five are compared, the others find the lock");
    assert_eq!(terminal.verify("01", PIN).await.unwrap_err().code, "operator_locked");
}

/// Polls all of them together.
async fn futures_join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut open = false;
        for (future, answer) in &mut waiting {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *answer = Some(value),
                    std::task::Poll::Pending => open = true,
                }
            }
        }
        if open { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    waiting.into_iter().filter_map(|(_, answer)| answer).collect()
}
