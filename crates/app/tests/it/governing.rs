//! 一个商户一份申请: which application counts, and why there is no second one (decision 0010).

use crate::world::{Far, World, page};
use starpay_app::view::{Appeal, ApplicationView, NewApplication, Rejection};
use starpay_app::{Actor, Error, ErrorKind, Role};
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_store::aggregate::{self, APPLICATION};
use starpay_store::{Engine, StoreError, Value, settlement_account, store_place};
use starpay_text::Language;
use uuid::Uuid;

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

async fn start(world: &World) -> Result<ApplicationView, Error> {
    // Nobody begins two at the same microsecond.
    world.clock.advance_ms(1);
    let wanted = NewApplication { subject_type: "sole_proprietor".to_owned(), business_no: None };
    let started = world.platform.start_application(&world.owner().await, None, wanted).await;
    started.map(|reply| reply.value)
}

fn id_of(view: &ApplicationView) -> ApplicationId {
    ApplicationId::parse(&view.id).unwrap()
}

async fn only(world: &World) -> ApplicationId {
    let found = world.platform.applications(&world.owner().await, None, page()).await.unwrap().data;
    assert_eq!(found.len(), 1);
    id_of(&found[0])
}

/// The refusal names this application, which stands so.
fn names(refused: &Error, live: ApplicationId, state: &str) {
    assert_eq!((refused.kind, refused.code), (ErrorKind::Conflict, "application_live"));
    assert_eq!(refused.existing, Some(live.to_string()));
    assert_eq!(refused.legal.as_ref().unwrap().state, state);
}

/// What the merchant still has to see to.
async fn open(world: &World) -> Vec<String> {
    let merchant = world.owner().await.merchant.unwrap();
    let view = world.platform.requirements(&world.owner().await, merchant, Language::En).await.unwrap();
    view.requirements.into_iter().map(|one| one.code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_application_cannot_take_over_an_onboarded_merchant() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Registered, |_| ()).await;
        let (live, before) = (only(&world).await, open(&world).await);
        names(&start(&world).await.unwrap_err(), live, "ready");
        assert_eq!(open(&world).await, before);
        assert_eq!(only(&world).await, live);
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_one_of_the_two_ways_is_open_at_a_time() {
    for engine in ENGINES {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (platform, owner, reviewer) = (&world.platform, world.owner().await, world.staff(Role::Reviewer));
        let first = only(&world).await;
        names(&start(&world).await.unwrap_err(), first, "in_review");
        let wanted = Rejection { reasons: vec!["D401".to_owned()] };
        platform.reject_application(&reviewer, None, first, wanted).await.unwrap();
        // The corrected one is a new one; while it lives, the old one stays refused.
        let second = id_of(&start(&world).await.unwrap());
        names(&start(&world).await.unwrap_err(), second, "draft");
        let said = || Appeal { statement: "招牌已更换".to_owned() };
        let appeal = platform.appeal_application(&owner, None, first, said()).await;
        names(&appeal.unwrap_err(), second, "draft");
        platform.withdraw_application(&owner, None, second, None).await.unwrap();
        assert!(open(&world).await.contains(&"application_ended".to_owned()));
        platform.appeal_application(&owner, None, first, said()).await.unwrap();
        // The draft that was given up is newer, but the appeal is what lives.
        assert!(open(&world).await.contains(&"appeal_pending".to_owned()), "{:?}", open(&world).await);
        names(&start(&world).await.unwrap_err(), first, "appealed");
        let colleague = Actor { id: "ak_colleague".to_owned(), ..reviewer };
        platform.uphold_application(&colleague, None, first, None).await.unwrap();
        start(&world).await.unwrap();
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_begun_at_once_one_begins() {
    for engine in ENGINES {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let mut live = only(&world).await;
        for _ in 0..4 {
            world.platform.withdraw_application(&world.owner().await, None, live, None).await.unwrap();
            let (one, other) = tokio::join!(start(&world), start(&world));
            let (begun, refused) = if one.is_ok() { (one, other) } else { (other, one) };
            live = id_of(&begun.unwrap());
            names(&refused.unwrap_err(), live, "draft");
        }
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_that_is_kept_is_begun_and_none_after_it() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Begun, |_| ()).await;
        let (platform, owner) = (&world.platform, world.owner().await);
        let merchant = owner.merchant.unwrap().uuid();
        let given_up = id_of(&start(&world).await.unwrap());
        platform.withdraw_application(&owner, None, given_up, None).await.unwrap();
        // Two hundred and ninety-eight more that were given up.
        platform
            .db()
            .write(move |tx| {
                let kept = aggregate::get(tx, &APPLICATION, given_up.uuid(), merchant)?;
                for number in 1..=298_u128 {
                    let mut row = kept.clone();
                    row.id = Uuid::from_u128(number);
                    row.columns[0] = Value::Text(format!("old-{number}"));
                    aggregate::insert(tx, &APPLICATION, &row)?;
                }
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        let last = id_of(&start(&world).await.unwrap());
        platform.withdraw_application(&owner, None, last, None).await.unwrap();
        let refused = start(&world).await.unwrap_err();
        assert_eq!((refused.kind, refused.code), (ErrorKind::TooLarge, "too_many_applications"));
        let drafts = platform.applications(&owner, Some("draft".to_owned()), page()).await.unwrap();
        assert!(drafts.data.is_empty() && drafts.next_cursor.is_none());
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_reported_and_given_up_can_be_applied_for_again() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Begun, |_| ()).await;
        let (platform, owner) = (&world.platform, world.owner().await);
        // The simulated registry refuses such a name for its category.
        let first = world.apply_again(&[("licence.name", "深圳市样例区星光小面馆拒类别")]).await;
        world.sign().await;
        world.run_jobs().await;
        assert_eq!(platform.application(&owner, first).await.unwrap().state, "report_failed");
        platform.withdraw_application(&owner, None, first, None).await.unwrap();
        let reports = platform.registrations(&owner, Some(first), page()).await.unwrap().data;
        assert!(reports.iter().all(|report| report.state == "closed"), "{reports:?}");

        let moved = [("settlement.card_number", "6200000000000021"), ("shop.latitude_e6", "22543100")];
        let second = world.apply_again(&moved).await;
        world.sign().await;
        world.run_jobs().await;
        world.register(&owner).await;
        assert_eq!(platform.application(&owner, second).await.unwrap().state, "ready");
        let merchant = owner.merchant.unwrap().uuid();
        let (accounts, places) = platform
            .db()
            .read(move |tx| {
                let accounts = settlement_account::list_by_merchant(tx, merchant, None, 9)?.rows;
                let places = store_place::list_by_merchant(tx, merchant, None, 9)?.rows;
                Ok::<_, starpay_store::StoreError>((accounts, places))
            })
            .await
            .unwrap();
        let states: Vec<_> = accounts.iter().map(|account| account.state.as_str()).collect();
        assert_eq!(states, ["closed", "live"]);
        assert_eq!(places.iter().map(|place| place.latitude_e6).collect::<Vec<_>>(), [22_543_100]);
        world.platform.db().close();
    }
}
