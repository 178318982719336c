//! Every row of every sandbox table, and one effect per reference.

use crate::Stage;
use secrecy::{ExposeSecret as _, SecretString};
use starpay_adapters::sandbox::{
    DevOutbox, Pace, SandboxCarrier, SandboxClearing, SandboxIdentity, SandboxLicences, SandboxLists,
    SandboxSigner, SandboxSms,
};
use starpay_app::port::{
    AgreementSigner as _, Carrier as _, ClearingRegistry as _, FiveElements, IdentityQuestion,
    IdentityVerifier as _, LicenceQuestion, LicenceRegistry as _, ListQuestion, ParcelRequest, PortError,
    RegistrationAnswer, RegistrationRequest, SigningRequest, Simulated, Sms, SmsSender as _, TrackingStatus,
    Verdict, WatchLists as _,
};
use std::time::Duration;

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

/// An ID number with these sequence digits; the sandbox does not look at the check digit.
fn id_number(sequence: &str) -> SecretString {
    secret(&format!("44039920000229{sequence}8"))
}

/// A verdict or a failure in one word.
fn word(outcome: Result<Verdict, PortError>) -> &'static str {
    match outcome {
        Ok(Verdict::Match { reference }) => {
            assert!(reference.starts_with("sandbox-"), "{reference}");
            "match"
        }
        Ok(Verdict::Mismatch { reason_code, .. }) => reason_code,
        Ok(Verdict::Inconclusive { .. }) => "inconclusive",
        Err(PortError::Unavailable { .. }) => "unavailable",
        Err(PortError::Refused { .. }) => "refused",
        Err(PortError::Unknown { .. }) => "unknown",
    }
}

fn elements(sequence: &str, card: Option<&str>) -> IdentityQuestion {
    IdentityQuestion {
        name: secret("林样例"),
        id_number: id_number(sequence),
        card_number: card.map(secret),
        mobile: None,
    }
}

#[tokio::test]
async fn identity_answers_by_the_sequence_digits() {
    let verifier = SandboxIdentity::new(Stage::new().paced(Pace::Immediate));
    assert_eq!(verifier.adapter().simulated, Simulated::Sandbox);
    let card = Some("6200000000000013");
    for (sequence, card, expected) in [
        ("112", card, "match"),
        ("901", None, "B204"),
        ("902", card, "C301"),
        ("902", None, "match"),
        ("903", card, "C302"),
        ("904", card, "inconclusive"),
        ("905", card, "unavailable"),
        ("906", card, "unknown"),
    ] {
        assert_eq!(word(verifier.verify(elements(sequence, card)).await), expected, "{sequence}");
    }
}

#[tokio::test]
async fn a_slow_verifier_keeps_the_caller_waiting_and_then_answers() {
    let stage = Stage::new();
    let slow = SandboxIdentity::new(stage.world());
    let patience = Duration::from_millis(50);
    assert!(tokio::time::timeout(patience, slow.verify(elements("907", None))).await.is_err());
    let hurried = SandboxIdentity::new(stage.paced(Pace::Immediate));
    assert_eq!(word(hurried.verify(elements("907", None)).await), "match");
}

#[tokio::test]
async fn licences_answer_by_the_end_of_the_name() {
    let registry = SandboxLicences::new(Stage::new().paced(Pace::Immediate));
    for (ending, expected) in [
        ("", "match"),
        ("（吊销）", "A103"),
        ("（注销）", "A103"),
        ("（经营异常）", "A103"),
        ("错号", "A101"),
        ("(换人)", "B204"),
        ("（无记录）", "inconclusive"),
        ("（登记断线）", "unavailable"),
        ("（登记超时）", "unknown"),
    ] {
        let question = LicenceQuestion {
            licence_no: "92440399MA5DEM039F".to_owned(),
            name: format!("深圳市样例区星光小面馆{ending}"),
            principal: secret("林样例"),
        };
        assert_eq!(word(registry.look_up(question).await), expected, "{ending}");
    }
}

#[tokio::test]
async fn lists_answer_by_the_sequence_digits() {
    let lists = SandboxLists::new(Stage::new().world());
    for (sequence, expected) in
        [("112", "match"), ("921", "G701"), ("922", "inconclusive"), ("923", "unavailable")]
    {
        let question = ListQuestion {
            licence_no: None,
            merchant_name: "小面馆".to_owned(),
            principal: secret("林样例"),
            id_number: id_number(sequence),
        };
        assert_eq!(word(lists.screen(question).await), expected, "{sequence}");
    }
}

fn signing(reference: &str, sequence: &str, hash: &str) -> SigningRequest {
    SigningRequest {
        reference: reference.to_owned(),
        document_sha256: hash.to_owned(),
        signer: secret("林样例"),
        id_number: id_number(sequence),
    }
}

#[tokio::test]
async fn a_document_is_signed_once_per_reference() {
    let stage = Stage::new();
    let signer = SandboxSigner::new(stage.world());
    let first = signer.sign(signing("agr_1", "112", "aa")).await.unwrap();
    assert!(first.serial.starts_with("sandbox-signing-") && first.certificate.contains("Sandbox"));
    let restarted = SandboxSigner::new(stage.world());
    assert_eq!(restarted.sign(signing("agr_1", "112", "aa")).await.unwrap(), first);
    let other = restarted.sign(signing("agr_1", "112", "bb")).await;
    assert!(matches!(other, Err(PortError::Refused { .. })), "{other:?}");
    assert_ne!(restarted.sign(signing("agr_2", "112", "aa")).await.unwrap().serial, first.serial);
    assert_eq!(stage.world().memory().count("signature").unwrap(), 2);
}

#[tokio::test]
async fn a_signature_whose_answer_was_lost_is_found_when_asked_again() {
    let stage = Stage::new();
    let signer = SandboxSigner::new(stage.world());
    for (sequence, is_refusal) in [("911", true), ("912", false)] {
        let outcome = signer.sign(signing("agr_0", sequence, "aa")).await;
        assert_eq!(matches!(outcome, Err(PortError::Refused { .. })), is_refusal, "{outcome:?}");
    }
    assert!(matches!(signer.sign(signing("agr_1", "914", "aa")).await, Err(PortError::Unknown { .. })));
    assert_eq!(stage.world().memory().count("signature").unwrap(), 0);
    assert!(matches!(signer.sign(signing("agr_2", "913", "aa")).await, Err(PortError::Unknown { .. })));
    signer.sign(signing("agr_2", "913", "aa")).await.unwrap();
    assert_eq!(stage.world().memory().count("signature").unwrap(), 1);
}

fn parcel(reference: &str, ending: &str) -> ParcelRequest {
    ParcelRequest {
        reference: reference.to_owned(),
        address: secret(&format!("广东省深圳市样例区样例路99号{ending}")),
        mobile: secret("15400000001"),
    }
}

#[tokio::test]
async fn a_parcel_is_delivered_after_its_time_and_ordered_once() {
    let stage = Stage::new();
    let carrier = SandboxCarrier::new(stage.world());
    let number = carrier.order(parcel("shp_1", "")).await.unwrap();
    assert!(number.starts_with("SANDBOX"));
    let seen = async |carrier: &SandboxCarrier, number: &str| -> Vec<TrackingStatus> {
        carrier.track(number.to_owned()).await.unwrap().iter().map(|entry| entry.status).collect()
    };
    assert_eq!(seen(&carrier, &number).await, [TrackingStatus::InTransit]);
    stage.clock.advance_ms(1000);
    let restarted = SandboxCarrier::new(stage.world());
    assert_eq!(restarted.order(parcel("shp_1", "")).await.unwrap(), number);
    assert_eq!(seen(&restarted, &number).await, [TrackingStatus::InTransit, TrackingStatus::Delivered]);
    assert_eq!(stage.world().memory().count("parcel").unwrap(), 1);
    assert!(seen(&restarted, "SANDBOX000000000000").await.is_empty());
}

#[tokio::test]
async fn parcels_end_as_the_address_says() {
    let stage = Stage::new();
    let carrier = SandboxCarrier::new(stage.world());
    for (ending, wait_ms, expected) in [
        ("（无法投递）", 1000, TrackingStatus::Undeliverable),
        ("（丢件）", 1000, TrackingStatus::Lost),
        ("（慢件）", 1000, TrackingStatus::InTransit),
        ("（慢件）", 30_000, TrackingStatus::Delivered),
        ("（在途）", 30_000, TrackingStatus::InTransit),
    ] {
        let number = carrier.order(parcel(&format!("shp_{ending}"), ending)).await.unwrap();
        stage.clock.advance_ms(wait_ms);
        let entries = carrier.track(number).await.unwrap();
        assert_eq!(entries.last().unwrap().status, expected, "{ending}");
    }
    let closed = carrier.order(parcel("shp_8", "（下单断线）")).await;
    assert!(matches!(closed, Err(PortError::Unavailable { .. })), "{closed:?}");
    let lost = carrier.order(parcel("shp_9", "（下单超时）")).await;
    assert!(matches!(lost, Err(PortError::Unknown { .. })), "{lost:?}");
    let number = carrier.order(parcel("shp_9", "（下单超时）")).await.unwrap();
    stage.clock.advance_ms(1000);
    assert_eq!(carrier.track(number).await.unwrap().len(), 2);
}

fn registration(reference: &str, ending: &str) -> RegistrationRequest {
    RegistrationRequest {
        reference: reference.to_owned(),
        channel: "clearing".to_owned(),
        merchant_name: format!("深圳市样例区星光小面馆{ending}"),
        mcc: "5812".to_owned(),
        elements: FiveElements {
            acquirer_code: "99990000".to_owned(),
            merchant_no: None,
            subject_no: secret("92440399MA5DEM039F"),
            settlement_account: secret("6200000000000013"),
            latitude_e6: 22_543_096,
            longitude_e6: 114_057_865,
        },
    }
}

#[tokio::test]
async fn a_registration_is_pending_then_registered_under_numbers_of_its_own() {
    let stage = Stage::new();
    let registry = SandboxClearing::new(stage.world());
    assert_eq!(registry.query("reg_1".to_owned()).await.unwrap(), None);
    let first = registry.submit(registration("reg_1", "")).await.unwrap();
    assert!(matches!(first, RegistrationAnswer::Pending { .. }), "{first:?}");
    stage.clock.advance_ms(1000);
    let restarted = SandboxClearing::new(stage.world());
    let answer = restarted.query("reg_1".to_owned()).await.unwrap().unwrap();
    let RegistrationAnswer::Registered { merchant_no, terminal_no, network_ref } = &answer else {
        panic!("{answer:?}")
    };
    assert!(network_ref.starts_with("sandbox-clearing-"));
    assert_eq!((merchant_no.len(), &merchant_no[..11]), (15, "99958405812"));
    assert_eq!(terminal_no.len(), 8);
    assert_eq!(restarted.submit(registration("reg_1", "")).await.unwrap(), answer);
    assert_eq!(stage.world().memory().count("registration").unwrap(), 1);
}

#[tokio::test]
async fn no_two_registrations_share_a_number() {
    let stage = Stage::new();
    let registry = SandboxClearing::new(stage.world());
    let mut numbers = std::collections::BTreeSet::new();
    for index in 0..150 {
        let reference = format!("reg_{index}");
        registry.submit(registration(&reference, "")).await.unwrap();
        stage.clock.advance_ms(1000);
        let answer = registry.query(reference).await.unwrap().unwrap();
        let RegistrationAnswer::Registered { merchant_no, terminal_no, .. } = answer else {
            panic!("{answer:?}")
        };
        assert!(numbers.insert(merchant_no) && numbers.insert(terminal_no), "a number came twice");
    }
}

#[tokio::test]
async fn the_registry_refuses_as_the_name_says_and_when_an_element_is_missing() {
    let stage = Stage::new();
    let registry = SandboxClearing::new(stage.world());
    let mut refused = vec![
        (registration("reg_1", "（拒类别）"), "shop.mcc"),
        (registration("reg_2", "（拒账户）"), "settlement.card_number"),
        (registration("reg_3", "（拒位置）"), "shop.address"),
        (registration("reg_4", ""), "settlement.card_number"),
        (registration("reg_5", ""), "shop.address"),
        (registration("reg_6", ""), "licence.uscc"),
        (registration("reg_7", ""), "shop.mcc"),
    ];
    refused[3].0.elements.settlement_account = secret("");
    refused[4].0.elements.latitude_e6 = 0;
    refused[5].0.elements.subject_no = secret("");
    refused[6].0.mcc = "58".to_owned();
    for (request, expected) in refused {
        let reference = request.reference.clone();
        registry.submit(request).await.unwrap();
        stage.clock.advance_ms(1000);
        let answer = registry.query(reference).await.unwrap().unwrap();
        assert!(
            matches!(&answer, RegistrationAnswer::Refused { field, .. } if field == expected),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_submission_whose_answer_was_lost_is_found_by_its_reference() {
    let stage = Stage::new();
    let registry = SandboxClearing::new(stage.world());
    let closed = registry.submit(registration("reg_1", "（报送断线）")).await;
    assert!(matches!(closed, Err(PortError::Unavailable { .. })), "{closed:?}");
    let never = registry.submit(registration("reg_2", "（报送未达）")).await;
    assert!(matches!(never, Err(PortError::Unknown { .. })), "{never:?}");
    assert_eq!(registry.query("reg_2".to_owned()).await.unwrap(), None);
    let lost = registry.submit(registration("reg_3", "（报送超时）")).await;
    assert!(matches!(lost, Err(PortError::Unknown { .. })), "{lost:?}");
    stage.clock.advance_ms(1000);
    let found = registry.query("reg_3".to_owned()).await.unwrap();
    assert!(matches!(found, Some(RegistrationAnswer::Registered { .. })), "{found:?}");
}

#[tokio::test]
async fn texts_arrive_in_the_outbox_once_or_fail_as_the_number_says() {
    let (stage, outbox) = (Stage::new(), DevOutbox::default());
    let sender = SandboxSms::new(stage.world(), outbox.clone());
    let sms = |reference: &str, to: &str| Sms {
        reference: reference.to_owned(),
        to: secret(to),
        text: secret("验证码 123456"),
    };
    let answer = sender.send(sms("msg_1", "15400000001")).await.unwrap();
    assert_eq!(answer, "sandbox-sms-msg_1");
    // Handed over again after a crash of ours, it is still the same message.
    let restarted = SandboxSms::new(stage.world(), outbox.clone());
    assert_eq!(restarted.send(sms("msg_1", "15400000001")).await.unwrap(), answer);
    assert!(matches!(sender.send(sms("msg_2", "15400009001")).await, Err(PortError::Refused { .. })));
    assert!(matches!(sender.send(sms("msg_3", "15400009002")).await, Err(PortError::Unavailable { .. })));
    assert!(matches!(sender.send(sms("msg_4", "15400009003")).await, Err(PortError::Unknown { .. })));
    assert!(matches!(sender.send(sms("msg_5", "15400009004")).await, Err(PortError::Unknown { .. })));
    let arrived = outbox.messages();
    let references: Vec<&str> = arrived.iter().map(|message| message.reference.as_str()).collect();
    assert_eq!(references, ["msg_4", "msg_1"]);
    assert_eq!(stage.world().memory().count("sms").unwrap(), 2);
    assert_eq!(arrived[1].text.expose_secret(), "验证码 123456");
    assert!(!format!("{arrived:?}").contains("123456"), "the outbox prints no text by accident");
}
