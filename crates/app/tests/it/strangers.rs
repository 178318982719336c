//! What somebody can do who only knows a number, a link or an old session.

use crate::support::{Stand, on_both, picture};
use crate::world::World;
use starpay_app::view::{SignCode, StartContact, VerifyContact};
use starpay_app::{Error, ErrorKind, IdempotencyKey, Role};
use starpay_domain::id::{AgreementId, ContactId, TypedId};
use starpay_store::Engine;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

async fn ask(stand: &Stand, mobile: &str, email: Option<&str>, from: IpAddr) -> Result<ContactId, Error> {
    // One moment for each: the outbox shows messages in the order of their moments.
    stand.clock.advance_ms(1);
    let wanted = StartContact { mobile: mobile.to_owned(), email: email.map(str::to_owned) };
    let started = stand.platform.asked_from(Some(from)).start_contact(None, wanted).await?;
    Ok(ContactId::parse(&started.contact_id).unwrap())
}

fn subscriber(last: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, last).into()
}

#[test]
fn one_address_cannot_have_codes_sent_to_everybody() {
    on_both(|stand| async move {
        for number in 0..40 {
            // Another host each time, but one subscriber.
            ask(&stand, &format!("1540001{number:04}"), None, subscriber(number)).await.unwrap();
        }
        let refused = ask(&stand, "15400019999", None, subscriber(999)).await.unwrap_err();
        assert_eq!((refused.kind, refused.code), (ErrorKind::RateLimited, "rate_limited"));
        assert!(refused.retry_after_seconds.is_some_and(|wait| (1..=600).contains(&wait)));
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        ask(&stand, "15400019999", None, elsewhere).await.unwrap();
        stand.clock.advance_ms(601_000);
        ask(&stand, "15400019998", None, subscriber(1)).await.unwrap();
        stand
    });
}

#[test]
fn an_upload_that_is_refused_leaves_no_file_behind() {
    let stand = Stand::new(Engine::Sqlite);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let shop = stand.shop("15400000001").await;
        let add = |kind: &'static str, number| {
            let key = IdempotencyKey::parse("one-intention");
            stand.platform.add_document(&shop.actor, key, shop.application, kind, picture(number))
        };
        let files = || std::fs::read_dir(stand.path("files/documents")).unwrap().count();
        add("id_front", 201).await.unwrap();
        assert_eq!(files(), 2);
        for number in 202..205 {
            assert_eq!(add("id_front", number).await.unwrap_err().code, "idempotency_mismatch");
        }
        assert_eq!(files(), 2);
    });
    stand.platform.db().close();
}

/// What the form of a new application says the e-mail address is, after the newest code was used.
async fn email_after_sign_in(stand: &Stand, contact: ContactId) -> Option<String> {
    let code = stand.platform.dev_outbox().await.unwrap().pop().unwrap().code;
    let session = stand.platform.verify_contact(None, contact, VerifyContact { code }).await.unwrap();
    let actor = stand.platform.authenticate(&session.token).await.unwrap();
    let wanted =
        starpay_app::view::NewApplication { subject_type: "sole_proprietor".to_owned(), business_no: None };
    let form = stand.platform.start_application(&actor, None, wanted).await.unwrap().value.fields;
    form.into_iter().find(|field| field.name == "contact.email").map(|field| field.value)
}

#[test]
fn nobody_plants_an_address_under_a_number_that_is_not_theirs() {
    let stand = Stand::new(Engine::Sqlite);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (evil, good) = (Some("evil@example.test"), Some("good@example.test"));
        for (mobile, first, second) in
            [("15400000001", evil, good), ("15400000002", good, evil), ("15400000003", evil, None)]
        {
            ask(&stand, mobile, first, subscriber(1)).await.unwrap();
            let contact = ask(&stand, mobile, second, subscriber(2)).await.unwrap();
            assert_eq!(email_after_sign_in(&stand, contact).await, None, "{first:?} {second:?}");
        }
        // Said twice the same, and said anew when the first code is over, it stands.
        ask(&stand, "15400000004", good, subscriber(1)).await.unwrap();
        let contact = ask(&stand, "15400000004", good, subscriber(1)).await.unwrap();
        assert_eq!(email_after_sign_in(&stand, contact).await.as_deref(), good);
        ask(&stand, "15400000005", evil, subscriber(1)).await.unwrap();
        stand.clock.advance_ms(11 * 60_000);
        let contact = ask(&stand, "15400000005", good, subscriber(2)).await.unwrap();
        assert_eq!(email_after_sign_in(&stand, contact).await.as_deref(), good);
    });
    stand.platform.db().close();
}

#[test]
fn a_second_code_asked_for_while_the_first_signs_in_takes_no_merchant_away() {
    on_both(|stand| async move {
        for number in 0..15_u16 {
            let mobile = format!("1540002{number:04}");
            let contact = ask(&stand, &mobile, None, subscriber(number)).await.unwrap();
            let code = stand.platform.dev_outbox().await.unwrap().pop().unwrap().code;
            let wanted = StartContact { mobile: mobile.clone(), email: None };
            let (one, other) = (stand.platform.clone(), stand.platform.clone());
            let (signed_in, _) = tokio::join!(
                tokio::spawn(async move { one.verify_contact(None, contact, VerifyContact { code }).await }),
                tokio::spawn(async move { other.start_contact(None, wanted).await })
            );
            // The newer code may have come first; then the older one is wrong, and nothing happened.
            let Ok(session) = signed_in.unwrap() else { continue };
            stand.clock.advance_ms(20_000);
            ask(&stand, &mobile, None, subscriber(number)).await.unwrap();
            let code = stand.platform.dev_outbox().await.unwrap().pop().unwrap().code;
            let again = stand.platform.verify_contact(None, contact, VerifyContact { code }).await.unwrap();
            assert_eq!(again.merchant_id, session.merchant_id);
        }
        stand
    });
}

#[test]
fn the_answer_does_not_tell_since_when_a_number_is_known() {
    let stand = Stand::new(Engine::Sqlite);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let contact = ask(&stand, "15400000001", None, subscriber(1)).await.unwrap();
        // A random UUID, not one made from the time.
        assert_eq!(contact.uuid().get_version_num(), 4);
        assert_eq!(ask(&stand, "15400000001", None, subscriber(2)).await.unwrap(), contact);
    });
    stand.platform.db().close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_link_does_not_buy_guesses_without_end() {
    let world = World::to_be_signed().await;
    let signer = world.platform.authenticate(&world.newest_code("sign_link").await).await.unwrap();
    let offered = world.platform.current_agreement(&signer).await.unwrap();
    let id = AgreementId::parse(&offered.id).unwrap();
    for _ in 0..10 {
        world.clock.advance_ms(1);
        world.platform.send_sign_code(&signer, None, id).await.unwrap();
    }
    let refused = world.platform.send_sign_code(&signer, None, id).await.unwrap_err();
    assert_eq!((refused.kind, refused.retry_after_seconds), (ErrorKind::RateLimited, Some(3600)));
    // The newest code is as good as before.
    let code = world.newest_code("sign_code").await;
    let signed = SignCode { code, sha256: offered.sha256 };
    assert_eq!(world.platform.sign_agreement(&signer, None, id, signed).await.unwrap().value.state, "signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn activation_codes_are_not_sent_without_end() {
    let world = World::delivered().await;
    let owner = world.owner().await;
    let (id, _) = world.ask_for_code().await;
    for _ in 1..10 {
        world.platform.reissue_activation(&owner, None, id).await.unwrap();
    }
    let refused = world.platform.reissue_activation(&owner, None, id).await.unwrap_err();
    assert_eq!(refused.code, "rate_limited");
    world.wait_minutes(61);
    world.platform.reissue_activation(&owner, None, id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_activation_does_not_come_back_beside_a_later_one() {
    let world = World::delivered().await;
    let owner = world.owner().await;
    let (first, _) = world.ask_for_code().await;
    world.wait_minutes(73 * 60);
    world.platform.pass_deadlines(&world.staff(Role::System)).await.unwrap();
    let (second, _) = world.ask_for_code().await;
    let refused = world.platform.reissue_activation(&owner, None, first).await.unwrap_err();
    assert_eq!((refused.code, refused.existing), ("activation_open", Some(second.to_string())));
    world.platform.reissue_activation(&owner, None, second).await.unwrap();
}

#[test]
fn a_sign_in_whose_answers_were_lost_is_repeated_without_a_second_code_or_session() {
    on_both(|stand| async move {
        let platform = &stand.platform;
        let key = |text: &str| IdempotencyKey::parse(text);
        let asked = async |name: &str, mobile: &str, email: Option<&str>| {
            stand.clock.advance_ms(1);
            let wanted = StartContact { mobile: mobile.to_owned(), email: email.map(str::to_owned) };
            platform.asked_from(Some(subscriber(1))).start_contact(key(name), wanted).await
        };
        let ask = async |name: &str| asked(name, "15400000001", None).await.unwrap();
        let sent = async || platform.dev_outbox().await.unwrap().len();
        let first = ask("ask-1").await;
        let again = ask("ask-1").await;
        assert_eq!((&again.contact_id, &again.expires_at), (&first.contact_id, &first.expires_at));
        assert_eq!(sent().await, 1);
        // Another question under the same key is a mistake, another key another intention.
        let mixed_up = asked("ask-1", "15400000001", Some("lin@example.test")).await.unwrap_err();
        assert_eq!((mixed_up.kind, mixed_up.code), (ErrorKind::Unprocessable, "idempotency_mismatch"));
        assert_eq!(mixed_up.field.as_deref(), Some("Idempotency-Key"));
        assert_eq!(ask("ask-1").await.expires_at, first.expires_at, "nothing was changed");
        // Nobody knows whose key a stranger's is: with another number it is somebody else's.
        let other = asked("ask-1", "15400000002", None).await.unwrap();
        assert_ne!(other.contact_id, first.contact_id);
        assert_eq!(sent().await, 2);
        ask("ask-2").await;
        assert_eq!(sent().await, 3);

        let contact = ContactId::parse(&first.contact_id).unwrap();
        let code = platform.dev_outbox().await.unwrap().pop().unwrap().code;
        let verify = async |name: Option<&str>| {
            platform.verify_contact(name.and_then(key), contact, VerifyContact { code: code.clone() }).await
        };
        let session = verify(Some("verify-1")).await.unwrap();
        assert_eq!(verify(Some("verify-1")).await.unwrap().token, session.token);
        platform.authenticate(&session.token).await.unwrap();
        // To everybody else the code is used up, and every try with it counts.
        for other in [Some("verify-2"), None, Some("verify-3"), None, Some("verify-4")] {
            assert_eq!(verify(other).await.unwrap_err().code, "code_invalid");
        }
        assert_eq!(verify(Some("verify-1")).await.unwrap_err().code, "code_locked");
        stand
    });
}

#[test]
fn a_session_that_ended_is_not_given_again() {
    let stand = Stand::new(Engine::Sqlite);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let contact = ask(&stand, "15400000001", None, subscriber(1)).await.unwrap();
        let code = stand.platform.dev_outbox().await.unwrap().pop().unwrap().code;
        let verify = async || {
            let key = IdempotencyKey::parse("verify");
            stand.platform.verify_contact(key, contact, VerifyContact { code: code.clone() }).await
        };
        let actor = stand.platform.authenticate(&verify().await.unwrap().token).await.unwrap();
        let own = starpay_domain::id::AccessKeyId::parse(&actor.id).unwrap();
        stand.platform.revoke_access_key(&actor, own).await.unwrap();
        assert_eq!(verify().await.unwrap_err().code, "code_invalid");
        stand.clock.advance_ms(11 * 60_000);
        assert_eq!(verify().await.unwrap_err().code, "code_invalid");
    });
    stand.platform.db().close();
}
