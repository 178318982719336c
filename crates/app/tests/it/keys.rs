//! Rotation keeps everything readable; erasure makes one merchant unreadable and the chain whole.

use crate::support::{Shop, Stand, admin, erasure, jobs, on_both};
use crate::world::{SERIAL, World, page};
use starpay_app::view::NewAccessKey;
use starpay_app::{Erasure, Error, ErrorKind, Standing};
use starpay_domain::id::{AccessKeyId, DeviceId, DocumentId, MerchantId, TypedId};
use starpay_store::{Engine, StoreError, aggregate, data_key, event};
use uuid::Uuid;

/// Reads everything of a shop that is sealed: form, document, timeline.
async fn read(stand: &Stand, shop: &Shop) -> Result<(), Error> {
    stand.platform.application(&shop.actor, shop.application).await?;
    let document = DocumentId::parse(&shop.document.id).unwrap();
    stand.platform.document_content(&shop.actor, shop.application, document).await?;
    Ok(())
}

#[test]
fn rotation_keeps_everything_readable() {
    on_both(|stand| async move {
        let shops = [stand.shop("15400000001").await, stand.shop("15400000002").await];
        let first = stand.platform.rotate_keys(&admin()).await.unwrap();
        // Two merchants and the platform itself.
        assert_eq!((first.version, first.rewrapped), (2, 3));
        let second = stand.platform.rotate_keys(&admin()).await.unwrap();
        assert_eq!((second.version, second.rewrapped), (3, 3));
        assert_ne!(first.key, second.key);
        for shop in &shops {
            read(&stand, shop).await.unwrap();
        }
        let stand = tokio::task::spawn_blocking(|| stand.restart()).await.unwrap();
        for shop in &shops {
            read(&stand, shop).await.unwrap();
        }
        stand.shop("15400000003").await;
        assert!(stand.platform.verify_chain(&admin()).await.unwrap().clean);
        assert_eq!(stand.platform.rotate_keys(&shops[0].actor).await.unwrap_err().kind, ErrorKind::Forbidden);
        stand
    });
}

#[test]
fn every_merchant_gets_another_data_key_and_what_lies_under_the_first_opens() {
    on_both(|stand| async move {
        let shops = [stand.shop("15400000001").await, stand.shop("15400000002").await];
        let erased = shops[1].actor.merchant.unwrap();
        stand.platform.erase_merchant(&admin(), erased, erasure(erased)).await.unwrap();
        let made = stand.platform.rotate_data_keys(&admin()).await.unwrap().made;
        assert_eq!(made, 2, "the platform's own and that of the merchant who is left");
        read(&stand, &shops[0]).await.unwrap();
        let again = stand.platform.rotate_data_keys(&admin()).await.unwrap().made;
        assert_eq!(again, 2);
        // Nothing of the first keys is needed for what is written now, everything for what was before.
        stand.shop("15400000003").await;
        read(&stand, &shops[0]).await.unwrap();
        let versions = |merchant: MerchantId| {
            let found = stand.platform.db().read(move |tx| data_key::find_current(tx, merchant.uuid()));
            async move { found.await.map_err(|error: StoreError| error).unwrap().unwrap() }
        };
        assert_eq!(versions(shops[0].actor.merchant.unwrap()).await.version, 3);
        let gone = versions(erased).await;
        assert_eq!((gone.version, gone.wrapped), (1, None), "no key appears behind an erasure");
        assert_eq!(stand.platform.rotate_keys(&admin()).await.unwrap().rewrapped, 7);
        read(&stand, &shops[0]).await.unwrap();
        assert!(stand.platform.verify_chain(&admin()).await.unwrap().clean);
        stand
    });
}

/// What stands in the chains of keys, sorted: version of the event, its name, by whom. The clock
/// stands still, so that the order in time says nothing.
async fn said_of_keys(stand: &Stand) -> Vec<(i64, String, Option<String>)> {
    let listed = stand.platform.db().read(|tx| event::list_of_merchant(tx, Uuid::nil(), None, 100)).await;
    let events = listed.map_err(|error: StoreError| error).unwrap().rows;
    let of_keys = events.into_iter().filter(|stored| stored.event.kind == "key");
    let mut said: Vec<_> =
        of_keys.map(|stored| (stored.event.version, stored.event.name, stored.event.actor_id)).collect();
    said.sort();
    said
}

/// The keystore is no part of a transaction: whatever fails or ends in between, a rotation that
/// happened is recorded, and one that cannot be recorded does not begin.
#[test]
fn no_rotation_goes_unrecorded() {
    let stand = Stand::new(Engine::Sqlite);
    let refuse = |event: &str| {
        stand.poke(&format!(
            "CREATE TRIGGER refused BEFORE INSERT ON event WHEN NEW.name = '{event}' \
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        ));
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = |id: &str| Some(id.to_owned());
    let by = told(&admin().id);
    runtime.block_on(async {
        refuse("begin_rotation");
        stand.platform.rotate_keys(&admin()).await.unwrap_err();
        stand.platform.rotate_signing_key(&admin()).await.unwrap_err();
        assert_eq!(said_of_keys(&stand).await, []);
        stand.poke("DROP TRIGGER refused");
        let first = stand.platform.rotate_keys(&admin()).await.unwrap();
        assert_eq!(first.version, 2, "nothing was rotated by those that could not be recorded");
        let mut known =
            vec![(1, "begin_rotation".to_owned(), by.clone()), (1, "rotate".to_owned(), by.clone())];
        known.sort();
        assert_eq!(said_of_keys(&stand).await, known);

        // It happened, and could not be told.
        refuse("rotate");
        stand.platform.rotate_keys(&admin()).await.unwrap_err();
        known.push((2, "begin_rotation".to_owned(), by.clone()));
        known.sort();
        assert_eq!(said_of_keys(&stand).await, known);
        stand.poke("DROP TRIGGER refused");
        // The next rotation tells it first, and who it was stands there already.
        let third = stand.platform.rotate_keys(&admin()).await.unwrap();
        assert_eq!(third.version, 4);
        known.push((1, "rotate".to_owned(), told("system:keystore")));
        known.push((2, "begin_rotation".to_owned(), by.clone()));
        known.push((1, "rotate".to_owned(), by.clone()));
        known.sort();
        assert_eq!(said_of_keys(&stand).await, known);

        refuse("rotate");
        stand.platform.rotate_signing_key(&admin()).await.unwrap_err();
        stand.poke("DROP TRIGGER refused");
    });
    // Or the next start does.
    let stand = stand.restart();
    runtime.block_on(async {
        stand.platform.keep_current(std::future::ready(())).await;
        told_late(&stand).await;
        stand.platform.keep_current(std::future::ready(())).await;
        told_late(&stand).await;
        assert!(stand.platform.verify_chain(&admin()).await.unwrap().clean);
    });
    stand.platform.db().close();
}

/// Two rotations were told late: one by the next rotation, one by the next start.
async fn told_late(stand: &Stand) {
    let said = said_of_keys(stand).await;
    let late = said.iter().filter(|(_, _, who)| who.as_deref() == Some("system:keystore")).count();
    assert_eq!((said.len(), late), (8, 2), "{said:?}");
}

#[test]
fn roots_of_an_earlier_signing_key_still_verify() {
    on_both(|stand| async move {
        stand.shop("15400000001").await;
        assert_eq!(stand.platform.sign_root(&jobs()).await.unwrap().roots, 1);
        let rotated = stand.platform.rotate_signing_key(&admin()).await.unwrap();
        assert_eq!(rotated.version, 2);
        let shop = stand.shop("15400000002").await;
        assert_eq!(stand.platform.sign_root(&jobs()).await.unwrap().roots, 1);
        assert_eq!(stand.platform.rotate_signing_key(&admin()).await.unwrap().version, 3);
        let refused = stand.platform.rotate_signing_key(&shop.actor).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Forbidden);
        let stand = tokio::task::spawn_blocking(|| stand.restart()).await.unwrap();
        let report = stand.platform.verify_chain(&admin()).await.unwrap();
        assert!(report.clean, "{:?}", report.findings);
        assert_eq!(report.roots, 2);
        stand
    });
}

#[test]
fn an_erased_merchant_is_unreadable_and_the_chain_verifies() {
    on_both(|stand| async move {
        let (erased, kept) = (stand.shop("15400000001").await, stand.shop("15400000002").await);
        stand.platform.sign_root(&jobs()).await.unwrap();
        read(&stand, &erased).await.unwrap();
        // Not by a slip: it is said twice, and why; and nothing happens until then.
        let slip = |confirm: &str, reason: &str| Erasure { confirm: confirm.into(), reason: reason.into() };
        let id = erased.merchant.to_string();
        for (wanted, code, field) in [
            (slip("", "asked for"), "confirm_mismatch", "confirm"),
            (slip(&kept.merchant.to_string(), "asked for"), "confirm_mismatch", "confirm"),
            (slip(&id, " "), "length", "reason"),
        ] {
            let refused = stand.platform.erase_merchant(&admin(), erased.merchant, wanted).await.unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), (code, Some(field)));
        }
        let plan = stand.platform.erasure_plan(&admin(), erased.merchant).await.unwrap();
        let draft = Standing { name: erased.application.to_string(), state: "draft".to_owned() };
        assert_eq!((plan.applications, plan.terminals), (vec![draft], Vec::new()));
        read(&stand, &erased).await.unwrap();
        let wanted = erasure(erased.merchant);
        let report = stand.platform.erase_merchant(&admin(), erased.merchant, wanted).await.unwrap();
        assert_eq!((report.keys_destroyed, report.contacts_cleared), (1, 1));
        assert_eq!(read(&stand, &erased).await.unwrap_err().kind, ErrorKind::NotFound);
        read(&stand, &kept).await.unwrap();
        let report = stand.platform.verify_chain(&admin()).await.unwrap();
        assert!(report.clean, "{:?}", report.findings);
        // Nothing is erased twice, and nobody who is no merchant.
        let stranger = MerchantId::from_uuid(erased.application.uuid());
        for (merchant, code) in [(erased.merchant, "already_erased"), (stranger, "not_found")] {
            let wanted = erasure(merchant);
            let refused = stand.platform.erase_merchant(&admin(), merchant, wanted).await.unwrap_err();
            assert_eq!(refused.code, code);
            assert_eq!(stand.platform.erasure_plan(&admin(), merchant).await.unwrap_err().code, code);
        }
        // Housekeeping and rotation go round what cannot be opened.
        stand.wait_days(200);
        stand.platform.sweep(&jobs()).await.unwrap();
        let passed = stand.platform.pass_deadlines(&jobs()).await.unwrap();
        assert_eq!((passed.ended, passed.failed), (1, 0), "the other one's draft");
        assert_eq!(stand.platform.rotate_keys(&admin()).await.unwrap().rewrapped, 2);
        // The same person comes back as somebody new.
        let back = stand.shop("15400000001").await;
        assert_ne!(back.merchant, erased.merchant);
        read(&stand, &back).await.unwrap();
        stand
    });
}

#[test]
fn an_erased_merchants_credentials_end_and_staff_still_see_the_others() {
    on_both(|stand| async move {
        let (erased, kept) = (stand.shop("15400000001").await, stand.shop("15400000002").await);
        let wanted = NewAccessKey {
            role: "integrator".to_owned(),
            label: "till".to_owned(),
            merchant_id: Some(erased.merchant.to_string()),
            scope: None,
        };
        let made = stand.platform.create_access_key(&admin(), None, wanted).await.unwrap().value;
        stand.platform.authenticate(&made.token).await.unwrap();
        let wanted = erasure(erased.merchant);
        stand.platform.erase_merchant(&admin(), erased.merchant, wanted).await.unwrap();
        let refused = stand.platform.authenticate(&made.token).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unauthenticated);
        // What cannot be opened any more is left out; it hides nobody else's.
        let seen = stand.platform.applications(&admin(), None, page()).await.unwrap().data;
        assert_eq!(seen.into_iter().map(|row| row.id).collect::<Vec<_>>(), [kept.application.to_string()]);
        let shown = stand.platform.dev_outbox().await.unwrap();
        assert!(!shown.is_empty());
        stand
    });
}

/// A shop with a terminal that takes money is erased: the terminal is nobody's any more, and whoever
/// has the same licence is nobody's duplicate.
async fn an_erased_shops_terminal_works_no_more(world: World) {
    world.receive().await;
    let (platform, owner) = (&world.platform, world.owner().await);
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("the end").await;
    let merchant = owner.merchant.unwrap();
    let stands = |state: &str| vec![Standing { name: SERIAL.to_owned(), state: state.to_owned() }];
    let plan = platform.erasure_plan(&admin(), merchant).await.unwrap();
    assert_eq!((plan.applications.len(), plan.terminals), (1, stands("active")));
    let speaker = terminal.actor().await;
    platform.terminal_status(&speaker, terminal.id()).await.unwrap();
    let report = platform.erase_merchant(&admin(), merchant, erasure(merchant)).await.unwrap();
    // Its registration is still to be closed; then it is retired.
    assert_eq!(report.terminals, stands("reassigning"));
    let shown = platform.devices(&admin(), page()).await.unwrap().data;
    assert_eq!(shown.iter().map(|one| one.state.as_str()).collect::<Vec<_>>(), ["reassigning"]);
    platform.terminal_status(&speaker, terminal.id()).await.unwrap_err();
    let device = DeviceId::parse(&shown[0].id).unwrap();
    let states = platform
        .db()
        .read(move |tx| {
            let auth = aggregate::device_auth::latest_of_device(tx, device.uuid())?.map(|row| row.state);
            let slots = aggregate::key_slot::list_by_device(tx, device.uuid(), merchant.uuid())?;
            Ok((auth, slots.into_iter().map(|row| row.state).collect::<Vec<_>>()))
        })
        .await
        .map_err(|error: StoreError| error);
    let (auth, slots) = states.unwrap();
    assert_eq!(auth.as_deref(), Some("rejected"));
    assert!(!slots.is_empty() && slots.iter().all(|state| state == "revoked"), "{slots:?}");
    let report = platform.verify_chain(&admin()).await.unwrap();
    assert!(report.clean, "{:?}", report.findings);
    let again = world.apply_as("15400000003").await;
    assert_eq!(platform.application(&admin(), again).await.unwrap().state, "verifying");
    platform.db().close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_shop_is_gone_with_its_terminal() {
    an_erased_shops_terminal_works_no_more(World::shipped().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_an_erased_shop_is_gone_with_its_terminal() {
    an_erased_shops_terminal_works_no_more(World::shipped_on_postgres().await).await;
}

#[test]
fn a_key_is_for_a_merchant_that_exists() {
    let stand = Stand::new(Engine::Sqlite);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        // The nil merchant owns what belongs to the platform itself.
        for merchant in ["mer_00000000000000000000000000000000", "mer_01a207c8ec8276b89a0f6c4db14937b8"] {
            let wanted = NewAccessKey {
                role: "integrator".to_owned(),
                label: "till".to_owned(),
                merchant_id: Some(merchant.to_owned()),
                scope: None,
            };
            let refused = stand.platform.create_access_key(&admin(), None, wanted).await.unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), ("choice", Some("merchant_id")));
        }
    });
    stand.platform.db().close();
}

#[test]
fn a_session_is_signed_out_by_its_owner_and_by_nobody_elses() {
    let stand = Stand::new(Engine::Sqlite);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (one, other) = (stand.shop("15400000001").await, stand.shop("15400000002").await);
        let session = AccessKeyId::parse(&one.actor.id).unwrap();
        let refused = stand.platform.revoke_access_key(&other.actor, session).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Forbidden);
        stand.platform.authenticate(&one.token).await.unwrap();
        stand.platform.revoke_access_key(&one.actor, session).await.unwrap();
        let refused = stand.platform.authenticate(&one.token).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unauthenticated);
    });
    stand.platform.db().close();
}
