//! 进件: what a merchant meets between the first field and the decision.

use crate::world::{Far, World, page};
use bytes::Bytes;
use starpay_app::view::{ApplicationView, InfoRequest, NewApplication, PatchApplication};
use starpay_app::{Actor, IdempotencyKey, Role};
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_store::{Engine, Value, aggregate};
use starpay_text::Language;
use std::collections::BTreeMap;

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];
const SHOP_FRONT: &[u8] = include_bytes!("../../../../testdata/specimens/shop_front.jpg");
const SHOP_INSIDE: &[u8] = include_bytes!("../../../../testdata/specimens/shop_inside.jpg");

async fn only(world: &World, owner: &Actor) -> ApplicationId {
    let found = world.platform.applications(owner, None, page()).await.unwrap().data;
    ApplicationId::parse(&found[0].id).unwrap()
}

fn patch(name: &str, value: &str) -> PatchApplication {
    PatchApplication { fields: BTreeMap::from([(name.to_owned(), value.to_owned())]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_is_not_typed_again() {
    for engine in ENGINES {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (platform, owner) = (&world.platform, world.owner().await);
        let id = only(&world, &owner).await;
        let before = platform.application(&owner, id).await.unwrap();
        assert_eq!(before.notice, None);
        let withdrawn = platform.withdraw_application(&owner, None, id, None).await.unwrap().value;
        assert!(withdrawn.notice.is_some_and(|said| !said.is_empty()));
        let begin = async |subject: &str| {
            world.clock.advance_ms(1);
            let wanted = NewApplication { subject_type: subject.to_owned(), business_no: None };
            platform.start_application(&owner, None, wanted).await.unwrap().value
        };
        let again = begin("sole_proprietor").await;
        let names = |view: &ApplicationView| -> Vec<String> {
            view.fields.iter().map(|field| field.name.clone()).collect()
        };
        let mut kept = names(&before);
        // What was declared or agreed to is said for each application anew.
        kept.retain(|name| !name.starts_with("consents.") && name != "principal.full_capacity");
        assert_eq!(names(&again), kept);
        assert!(again.documents.is_empty() && again.notice.is_none());
        // Whose it is, is known as if it had been typed: it is found as the duplicate that it is.
        let id = ApplicationId::parse(&again.id).unwrap();
        let column = platform
            .db()
            .read(move |tx| aggregate::find_any(tx, &aggregate::APPLICATION, id.uuid()))
            .await
            .map_err(|error: starpay_store::StoreError| error);
        assert!(matches!(column.unwrap().unwrap().columns[1], Value::Bytes(_)));
        // A licence of one kind of subject is none of another kind.
        platform.withdraw_application(&owner, None, id, None).await.unwrap();
        let other = begin("enterprise").await;
        assert!(!names(&other).contains(&"licence.uscc".to_owned()));
        assert!(names(&other).contains(&"shop.name".to_owned()));
        world.platform.db().close();
    }
}

/// What is asked of the merchant, by the field it is about.
async fn asked(world: &World, owner: &Actor) -> Vec<(String, String)> {
    let merchant = owner.merchant.unwrap();
    let list = world.platform.requirements(owner, merchant, Language::En).await.unwrap().requirements;
    list.into_iter().filter_map(|one| Some((one.code, one.field?))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_one_request_does_nothing_else() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Begun, |_| ()).await;
        let (platform, owner) = (&world.platform, world.owner().await);
        let id = world.apply(&owner, &[]).await;
        world.clock.advance_ms(1);
        let key = || IdempotencyKey::parse("once");
        let refused = platform.submit_application(&owner, key(), id, None).await.unwrap_err();
        assert_eq!(refused.code, "illegal_transition", "what was refused uses no key up");
        let withdrawn = platform.withdraw_application(&owner, key(), id, None).await.unwrap().value;
        assert_eq!(withdrawn.state, "withdrawn");
        let wanted = NewApplication { subject_type: "sole_proprietor".to_owned(), business_no: None };
        let refused = platform.start_application(&owner, key(), wanted.clone()).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            ("idempotency_mismatch", Some("Idempotency-Key"))
        );
        assert_eq!(platform.applications(&owner, None, page()).await.unwrap().data.len(), 1);
        let given = platform.answers(&owner, &key().unwrap()).await.unwrap();
        assert_eq!(given.into_iter().map(|one| one.route).collect::<Vec<_>>(), ["application.withdraw"]);
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_right_is_confirmed_by_saying_it_again() {
    for engine in ENGINES {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (platform, owner, reviewer) = (&world.platform, world.owner().await, world.staff(Role::Reviewer));
        let id = only(&world, &owner).await;
        let wanted = InfoRequest {
            fields: vec!["licence.uscc".to_owned(), "licence.name".to_owned()],
            reasons: Vec::new(),
        };
        platform.request_info(&reviewer, None, id, wanted).await.unwrap();
        let invalid = |field: &str| ("field_invalid".to_owned(), field.to_owned());
        let open = asked(&world, &owner).await;
        assert!(open.contains(&invalid("licence.uscc")) && open.contains(&invalid("licence.name")));

        let same = patch("licence.uscc", "92440399MA5DEM039F");
        let saved = platform.patch_application(&owner, id, None, same.clone()).await.unwrap();
        assert_eq!(saved.confirmed, ["licence.uscc"]);
        let open = asked(&world, &owner).await;
        assert!(!open.contains(&invalid("licence.uscc")) && open.contains(&invalid("licence.name")));
        // Said once more, nothing happens: it is not asked any more.
        let again = platform.patch_application(&owner, id, None, same).await.unwrap();
        assert_eq!((again.version, again.confirmed.len()), (saved.version, 1));
        let other = patch("licence.name", "深圳市样例区星光面馆");
        platform.patch_application(&owner, id, None, other).await.unwrap();
        platform.submit_application(&owner, None, id, None).await.unwrap();
        world.run_jobs().await;
        // The reviewer sees which of the two was confirmed.
        let seen = platform.application(&reviewer, id).await.unwrap();
        assert_eq!((seen.state.as_str(), seen.confirmed), ("verifying", vec!["licence.uscc".to_owned()]));
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_that_was_sent_back_is_no_answer() {
    for engine in ENGINES {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (platform, owner, reviewer) = (&world.platform, world.owner().await, world.staff(Role::Reviewer));
        let id = only(&world, &owner).await;
        let add = |picture: &'static [u8]| {
            platform.add_document(&owner, None, id, "shop_front", Bytes::from_static(picture))
        };
        // Unasked, the same picture is the same document.
        add(SHOP_FRONT).await.unwrap();
        let wanted = InfoRequest { fields: Vec::new(), reasons: vec!["D401".to_owned()] };
        platform.request_info(&reviewer, None, id, wanted).await.unwrap();
        let refused = add(SHOP_FRONT).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            ("document_sent_back", Some("documents.shop_front"))
        );
        assert_eq!(add(SHOP_INSIDE).await.unwrap_err().code, "duplicate_document");
        let another = crate::support::picture(77);
        platform.add_document(&owner, None, id, "shop_front", another).await.unwrap();
        let open = asked(&world, &owner).await;
        assert!(open.iter().all(|(code, _)| !code.starts_with("document_")), "{open:?}");
        let again = platform.submit_application(&owner, None, id, None).await.unwrap().value;
        assert_eq!(again.state, "in_review");
        world.platform.db().close();
    }
}
