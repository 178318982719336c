//! Who looked at whose personal data, and who did what to keys and merchants: it stands somewhere.

use crate::support::{admin, erasure, jobs, on_both};
use crate::world::{Far, World, page};
use starpay_app::view::{NewAccessKey, Page};
use starpay_app::{Actor, IdempotencyKey, Platform, Role};
use starpay_domain::id::{AccessKeyId, AgreementId, ApplicationId, DocumentId, MerchantId, TypedId};
use starpay_store::event::{self, StoredEvent};
use starpay_store::{Engine, StoreError, pii_access};
use uuid::Uuid;

/// Longer than the same look stands once.
const A_WHILE_MS: u32 = 601_000;

fn staff(role: Role) -> Actor {
    Actor { id: format!("ak_{}", role.as_str()), role, merchant: None, subject: None, request: None }
}

/// Who looked at what of a merchant, in order.
async fn looks(platform: &Platform, merchant: MerchantId) -> Vec<(String, String)> {
    let found = platform
        .db()
        .read(move |tx| pii_access::list_by_merchant(tx, merchant.uuid(), None, 100))
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
    found.rows.into_iter().map(|row| (row.actor, row.what)).collect()
}

async fn deeds(platform: &Platform, id: Uuid) -> Vec<StoredEvent> {
    platform
        .db()
        .read(move |tx| event::list_of_aggregate(tx, id, Uuid::nil(), 0, 10))
        .await
        .map_err(|error: StoreError| error)
        .unwrap()
}

#[test]
fn whatever_staff_are_shown_of_a_person_is_recorded() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let other = stand.shop("15400000002").await;
        let platform = &stand.platform;
        let document = DocumentId::parse(&shop.document.id).unwrap();
        // Their own is nobody's business.
        platform.application(&shop.actor, shop.application).await.unwrap();
        platform.applications(&shop.actor, None, page()).await.unwrap();
        platform.document_content(&shop.actor, shop.application, document).await.unwrap();
        assert_eq!(looks(platform, shop.merchant).await, []);

        platform.application(&staff(Role::Support), shop.application).await.unwrap();
        stand.clock.advance_ms(1);
        platform.document_content(&staff(Role::Reviewer), shop.application, document).await.unwrap();
        stand.clock.advance_ms(1);
        platform.applications(&staff(Role::FieldVerifier), None, page()).await.unwrap();
        // What shows nobody is not recorded; nor is what was refused.
        platform.timeline(&staff(Role::Support), shop.merchant, page()).await.unwrap();
        platform.application(&staff(Role::Warehouse), shop.application).await.unwrap_err();
        let form = format!("{}: contact.mobile, contact.email", shop.application);
        let expected = [
            ("ak_support".to_owned(), form.clone()),
            ("ak_reviewer".to_owned(), format!("{}: document licence {document}", shop.application)),
            ("ak_field_verifier".to_owned(), form),
        ];
        assert_eq!(looks(platform, shop.merchant).await, expected);
        assert_eq!(looks(platform, other.merchant).await.len(), 1, "the list showed them too");
        stand
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_repeated_answers_and_agreements_show_persons_too() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let platform = &world.platform;
        let reviewer = world.staff(Role::Reviewer);
        let seen = platform.applications(&staff(Role::Admin), None, page()).await.unwrap().data.remove(0);
        let (application, merchant) =
            (ApplicationId::parse(&seen.id).unwrap(), MerchantId::parse(&seen.merchant_id).unwrap());
        let newest = async || {
            let looks = looks(platform, merchant).await;
            (looks.len(), looks.into_iter().next_back().unwrap())
        };
        let shown = |(_, (who, what)): &(usize, (String, String)), by: &Actor, part: &str| {
            assert!(*who == by.id && what.contains(part), "{who}: {what}");
        };
        let later = || world.clock.advance_ms(A_WHILE_MS);
        later();
        let key = IdempotencyKey::parse("approve");
        platform.approve_application(&reviewer, key.clone(), application, None).await.unwrap();
        let approved = newest().await;
        shown(&approved, &reviewer, "principal.id_number");
        // The same answer again shows the same persons again, whoever asks for it and how.
        platform.approve_application(&reviewer, key.clone(), application, None).await.unwrap();
        assert_eq!(newest().await, approved, "a moment later it is the same look");
        later();
        platform.approve_application(&reviewer, key.clone(), application, None).await.unwrap();
        let repeated = newest().await;
        assert_eq!(repeated, (approved.0 + 1, approved.1));
        later();
        let given = platform.answers(&reviewer, &key.unwrap()).await.unwrap();
        assert_eq!(given[0].answer["id"], application.to_string());
        assert_eq!(newest().await, (repeated.0 + 1, repeated.1));

        later();
        let signer = platform.authenticate(&world.newest_code("sign_link").await).await.unwrap();
        let offered = platform.current_agreement(&signer).await.unwrap();
        assert_eq!(newest().await.0, repeated.0 + 1, "the signer reads their own");
        let agreement = AgreementId::parse(&offered.id).unwrap();
        platform.agreement(&staff(Role::Support), agreement).await.unwrap();
        shown(&newest().await, &staff(Role::Support), "the agreement's text");
        platform.db().close();
    }
}

#[test]
fn administrators_read_who_looked_and_by_which_request() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let platform = &stand.platform;
        let reviewer = staff(Role::Reviewer).asking_by("req_of_the_desk".into());
        platform.application(&reviewer, shop.application).await.unwrap();
        stand.clock.advance_ms(1);
        platform.application(&staff(Role::Support), shop.application).await.unwrap();
        let refused = platform.looks(&staff(Role::Support), shop.merchant, page()).await.unwrap_err();
        assert_eq!(refused.code, "forbidden");
        let refused = platform.looks(&shop.actor, shop.merchant, page()).await.unwrap_err();
        assert_eq!(refused.code, "forbidden");
        let nobody = MerchantId::from_uuid(Uuid::from_u128(7));
        assert_eq!(platform.looks(&admin(), nobody, page()).await.unwrap_err().code, "not_found");
        // An erased merchant's looks can still be read.
        platform.erase_merchant(&admin(), shop.merchant, erasure(shop.merchant)).await.unwrap();

        let of = |cursor| Page { cursor, limit: Some(1) };
        let first = platform.looks(&admin(), shop.merchant, of(None)).await.unwrap();
        let second = platform.looks(&admin(), shop.merchant, of(first.next_cursor)).await.unwrap();
        assert_eq!((first.data.len(), second.data.len(), second.next_cursor), (1, 1, None));
        let (look, next) = (&first.data[0], &second.data[0]);
        assert_eq!(look.what, format!("{}: contact.mobile, contact.email", shop.application));
        assert_eq!((look.actor.as_str(), look.role.as_deref()), ("ak_reviewer", Some("reviewer")));
        assert_eq!(look.request_id.as_deref(), Some("req_of_the_desk"));
        assert_eq!((next.role.as_deref(), next.request_id.as_deref()), (Some("support"), None));
        assert!(look.at < next.at, "{} {}", look.at, next.at);
        stand
    });
}

#[test]
fn the_same_look_within_ten_minutes_writes_nothing() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let other = stand.shop("15400000002").await;
        let platform = &stand.platform;
        let list = async || platform.applications(&staff(Role::Reviewer), None, page()).await.unwrap();
        let writes = || platform.db().metrics().writes;
        let before = writes();
        assert_eq!(list().await.data.len(), 2);
        assert_eq!(writes(), before + 1, "one transaction for the page");
        list().await;
        platform.application(&staff(Role::Reviewer), shop.application).await.unwrap();
        assert_eq!(writes(), before + 1, "nothing is new");
        // Somebody else looks for the first time.
        platform.application(&staff(Role::Support), other.application).await.unwrap();
        assert_eq!(writes(), before + 2);
        stand.clock.advance_ms(A_WHILE_MS);
        list().await;
        let (one, two) = (looks(platform, shop.merchant).await, looks(platform, other.merchant).await);
        assert_eq!((one.len(), two.len()), (2, 3));
        stand
    });
}

#[test]
fn looks_go_away_when_their_retention_period_is_over() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let platform = &stand.platform;
        platform.application(&staff(Role::Reviewer), shop.application).await.unwrap();
        // Ten years hold two or three leap days.
        stand.wait_days(3650);
        assert_eq!(platform.sweep(&jobs()).await.unwrap().looks, 0);
        platform.application(&staff(Role::Reviewer), shop.application).await.unwrap();
        stand.wait_days(4);
        assert_eq!(platform.sweep(&jobs()).await.unwrap().looks, 1);
        assert_eq!(platform.sweep(&jobs()).await.unwrap().looks, 0);
        assert_eq!(looks(platform, shop.merchant).await.len(), 1, "the young one stays");
        stand
    });
}

#[test]
fn making_and_ending_keys_rotating_and_erasing_leave_events() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let platform = &stand.platform;
        let wanted = NewAccessKey {
            role: "reviewer".to_owned(),
            label: "second desk".to_owned(),
            merchant_id: None,
            scope: None,
        };
        let key = IdempotencyKey::parse("desk");
        let made = platform.create_access_key(&admin(), key.clone(), wanted.clone()).await.unwrap().value;
        platform.create_access_key(&admin(), key, wanted).await.unwrap();
        let id = AccessKeyId::parse(&made.id).unwrap();
        platform.revoke_access_key(&admin(), id).await.unwrap();
        platform.revoke_access_key(&admin(), id).await.unwrap();
        let session = AccessKeyId::parse(&shop.actor.id).unwrap();
        platform.revoke_access_key(&shop.actor, session).await.unwrap();
        let wrapping = platform.rotate_keys(&admin()).await.unwrap();
        let signing = platform.rotate_signing_key(&admin()).await.unwrap();
        platform.erase_merchant(&admin(), shop.merchant, erasure(shop.merchant)).await.unwrap();
        platform.erase_merchant(&admin(), shop.merchant, erasure(shop.merchant)).await.unwrap_err();

        let of_key = |id: &str| Uuid::parse_str(id).unwrap();
        for (thing, kind, names, by) in [
            (id.uuid(), "ak", &["make", "revoke"][..], "admin"),
            (session.uuid(), "ak", &["revoke"], "applicant"),
            (of_key(&wrapping.key), "key", &["rotate"], "admin"),
            (of_key(&signing.key), "key", &["rotate"], "admin"),
            (shop.merchant.uuid(), "mer", &["erase"], "admin"),
        ] {
            let deeds = deeds(platform, thing).await;
            let told: Vec<&str> = deeds.iter().map(|deed| deed.event.name.as_str()).collect();
            assert_eq!(told, names);
            for deed in &deeds {
                assert_eq!((deed.event.kind.as_str(), deed.event.actor_kind.as_str()), (kind, by));
            }
        }
        let report = platform.verify_chain(&admin()).await.unwrap();
        assert!(report.clean, "{:?}", report.findings);
        stand
    });
}
