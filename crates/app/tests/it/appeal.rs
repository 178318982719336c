//! 申诉与解冻: a refusal and a duplicate are no dead ends.

use crate::world::{Far, World, page};
use starpay_app::port::Clock;
use starpay_app::view::{Appeal, Rejection};
use starpay_app::{Actor, Role};
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_store::Engine;

async fn rejected(world: &World) -> ApplicationId {
    let found = world.platform.applications(&world.owner().await, None, page()).await.unwrap().data;
    let id = ApplicationId::parse(&found[0].id).unwrap();
    let wanted = Rejection { reasons: vec!["D401".to_owned()] };
    world.platform.reject_application(&world.staff(Role::Reviewer), None, id, wanted).await.unwrap();
    id
}

fn because(text: &str) -> Appeal {
    Appeal { statement: text.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_appealed_and_somebody_else_decides() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (platform, owner, reviewer) = (&world.platform, world.owner().await, world.staff(Role::Reviewer));
        let colleague = Actor { id: "ak_colleague".to_owned(), ..reviewer.clone() };
        let id = rejected(&world).await;
        let before = platform.reconsider_application(&colleague, None, id, None).await.unwrap_err();
        assert_eq!(before.code, "illegal_transition");
        for (text, code) in
            [(" \n ", "field_required"), ("a\u{200b}b", "length"), (&"长".repeat(2001), "length")]
        {
            let refused = platform.appeal_application(&owner, None, id, because(text)).await.unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), (code, Some("statement")));
        }
        let said = because("招牌上周已更换。\n新照片见附件。");
        let forbidden = platform.appeal_application(&reviewer, None, id, said.clone()).await.unwrap_err();
        assert_eq!(forbidden.code, "forbidden");
        let appealed = platform.appeal_application(&owner, None, id, said.clone()).await.unwrap().value;
        assert_eq!(appealed.state, "appealed");
        assert!(platform.appeal_application(&owner, None, id, said.clone()).await.is_err(), "once");

        // Whoever refused it decides nothing about it.
        for own in [
            platform.reconsider_application(&reviewer, None, id, None).await,
            platform.uphold_application(&reviewer, None, id, None).await,
        ] {
            assert_eq!(own.unwrap_err().code, "own_decision");
        }
        let stale = platform.uphold_application(&colleague, None, id, Some(1)).await.unwrap_err();
        assert_eq!(stale.code, "stale_version");
        let again = platform.reconsider_application(&colleague, None, id, None).await.unwrap().value;
        assert_eq!(again.state, "in_review");
        // It is on nobody's desk: the first one who takes it has it.
        platform.claim_application(&colleague, None, id).await.unwrap();
        let wanted = Rejection { reasons: vec!["D401".to_owned()] };
        platform.reject_application(&colleague, None, id, wanted).await.unwrap();
        platform.appeal_application(&owner, None, id, said).await.unwrap();
        let told = world.count("rejected").await;
        let upheld = platform.uphold_application(&reviewer, None, id, Some(again.version + 3)).await.unwrap();
        assert_eq!((upheld.value.state.as_str(), upheld.value.allowed.len()), ("upheld", 0));
        assert_eq!(world.count("rejected").await, told + 2, "by SMS and by e-mail");
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_has_its_last_day() {
    let world = World::on(Engine::Sqlite, Far::InReview, |_| ()).await;
    let owner = world.owner().await;
    let until = world.clock.now().plus_seconds(15 * 86_400);
    let id = rejected(&world).await;
    world.clock.advance_to(until);
    let late = world.platform.appeal_application(&owner, None, id, because("太晚了")).await.unwrap_err();
    assert_eq!(late.code, "appeal_over");

    let world = World::on(Engine::Sqlite, Far::InReview, |_| ()).await;
    let id = rejected(&world).await;
    world.clock.advance_to(until.plus_seconds(-1));
    world.platform.appeal_application(&world.owner().await, None, id, because("还来得及")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_checked_anew_once_it_is_cleared_up() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (platform, owner, reviewer) = (&world.platform, world.owner().await, world.staff(Role::Reviewer));
        let found = platform.applications(&owner, None, page()).await.unwrap().data;
        let first = ApplicationId::parse(&found[0].id).unwrap();
        let (other, second) = world.freeze_another().await;
        let state = async || platform.application(&other, second).await.unwrap().state;
        let forbidden = platform.unfreeze_application(&other, None, second, None).await.unwrap_err();
        assert_eq!(forbidden.code, "forbidden");
        // The merchant is told that it waits, and not what for.
        assert_eq!(world.count("on_hold").await, 2, "by SMS and by e-mail");
        // The other one still lives, and a person has looked at it: what they decided stands.
        platform.unfreeze_application(&reviewer, None, second, None).await.unwrap();
        assert_eq!(state().await, "submitted");
        world.run_jobs().await;
        assert_eq!(state().await, "verifying");
        let again = platform.unfreeze_application(&reviewer, None, second, None).await.unwrap_err();
        assert_eq!(again.code, "illegal_transition");
        // What was let pass for this one is no pass for the next, nor beside another one.
        platform.withdraw_application(&other, None, second, None).await.unwrap();
        let third = world.apply(&other, &[("contact.mobile", "15400000002")]).await;
        let state = async || platform.application(&other, third).await.unwrap().state;
        assert_eq!(state().await, "frozen");
        platform.unfreeze_application(&reviewer, None, third, None).await.unwrap();
        platform.withdraw_application(&owner, None, first, None).await.unwrap();
        world.run_jobs().await;
        assert_eq!(state().await, "verifying");
        let fourth = world.apply_as("15400000003").await;
        let seen = platform.application(&reviewer, fourth).await.unwrap();
        assert_eq!(seen.state, "frozen", "the third is in the way of the fourth");
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_finding_freezes_again() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (platform, reviewer) = (&world.platform, world.staff(Role::Reviewer));
        let (other, second) = world.freeze_another().await;
        let state = async || platform.application(&other, second).await.unwrap().state;
        let third = world.apply_as("15400000003").await;
        assert_eq!(platform.application(&reviewer, third).await.unwrap().state, "frozen");
        platform.unfreeze_application(&reviewer, None, third, None).await.unwrap();
        world.run_jobs().await;
        assert_eq!(platform.application(&reviewer, third).await.unwrap().state, "verifying");
        // The first is let pass; the third, of which the reviewer did not know, is another finding.
        platform.unfreeze_application(&reviewer, None, second, None).await.unwrap();
        world.run_jobs().await;
        assert_eq!(state().await, "frozen");
        platform.unfreeze_application(&reviewer, None, second, None).await.unwrap();
        world.run_jobs().await;
        assert_eq!(state().await, "verifying", "each of the two was let pass");
        world.platform.db().close();
    }
}
