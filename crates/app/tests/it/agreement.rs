//! 受理协议: what is signed, and the code it is signed with.

use crate::world::{MOBILE, World};
use starpay_app::view::{SignCode, StartContact, VerifyContact};
use starpay_domain::id::{AgreementId, ContactId, TypedId};

#[tokio::test(flavor = "multi_thread")]
async fn a_code_to_sign_in_and_a_code_to_sign_leave_each_other_alone() {
    let world = World::to_be_signed().await;
    let platform = &world.platform;
    let signer = platform.authenticate(&world.newest_code("sign_link").await).await.unwrap();
    let offered = platform.current_agreement(&signer).await.unwrap();
    let id = AgreementId::parse(&offered.id).unwrap();
    let sign_in = async || {
        world.clock.advance_ms(1);
        let wanted = StartContact { mobile: MOBILE.to_owned(), email: None };
        let started = platform.start_contact(None, wanted).await.unwrap();
        (ContactId::parse(&started.contact_id).unwrap(), world.newest_code("one_time_code").await)
    };
    let (contact, first) = sign_in().await;
    let sign_with = async |code: &str| {
        let given = SignCode { code: code.to_owned(), sha256: offered.sha256.clone() };
        platform.sign_agreement(&signer, None, id, given).await.unwrap_err().code
    };
    assert_eq!(sign_with("123456").await, "code_unasked");
    world.clock.advance_ms(1);
    platform.send_sign_code(&signer, None, id).await.unwrap();
    let signing = world.newest_code("sign_code").await;
    // The code to sign was sent last; neither opens the other's door, and a wrong try at one door
    // is not counted at the other.
    let try_to_sign = async |code: &str| {
        let given = SignCode { code: code.to_owned(), sha256: offered.sha256.clone() };
        platform.sign_agreement(&signer, None, id, given).await
    };
    assert_eq!(sign_with("12345").await, "code_format");
    for _ in 0..5 {
        let wrong = if signing == "000000" { "000001" } else { "000000" };
        assert_eq!(try_to_sign(wrong).await.unwrap_err().code, "code_invalid");
    }
    assert_eq!(try_to_sign(&signing).await.unwrap_err().code, "code_locked");
    platform.verify_contact(None, contact, VerifyContact { code: first }).await.unwrap();

    world.clock.advance_ms(1);
    platform.send_sign_code(&signer, None, id).await.unwrap();
    let signing = world.newest_code("sign_code").await;
    let (contact, second) = sign_in().await;
    assert_eq!(try_to_sign(&signing).await.unwrap().value.state, "signed");
    platform.verify_contact(None, contact, VerifyContact { code: second.clone() }).await.unwrap();
    // Each is good once.
    let again = platform.verify_contact(None, contact, VerifyContact { code: second }).await;
    assert_eq!(again.unwrap_err().code, "code_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agreement_is_set_in_chinese_punctuation() {
    let world = World::to_be_signed().await;
    let signer = world.platform.authenticate(&world.newest_code("sign_link").await).await.unwrap();
    let text = world.platform.current_agreement(&signer).await.unwrap().text;
    let slips: Vec<char> = text.chars().filter(|mark| ",;:()?!".contains(*mark)).collect();
    assert_eq!(slips, Vec::<char>::new(), "{text}");
    assert!(text.contains("受理支付，不出租、出借、出售终端"), "{text}");
}
