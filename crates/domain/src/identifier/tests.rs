use super::*;
use crate::fact::FactValue;
use crate::instant::{Date, parse_date};
use proptest::prelude::*;

fn today() -> Date {
    parse_date("2026-11-22").unwrap()
}

fn id_code(text: &str) -> &'static str {
    ResidentId::parse(text, today()).map_or_else(|invalid| invalid.reason_code(), |_| "ok")
}

fn other_code(kind: OtherIdKind, text: &str) -> &'static str {
    OtherIdDocument::parse(kind, text, today()).map_or_else(|invalid| invalid.reason_code(), |_| "ok")
}

/// The reason code of a parse, or `ok`.
macro_rules! code {
    ($type:ident, $text:expr) => {
        $type::parse($text).map_or_else(|invalid| invalid.reason_code(), |_| "ok")
    };
}

#[test]
fn uscc_tells_authority_kind_and_region() {
    let code = Uscc::parse(" 92 440399-ma5dem039f\n").unwrap();
    assert_eq!(code.as_str(), "92440399MA5DEM039F");
    assert_eq!((code.reg_dept(), code.org_kind(), code.region()), ("9", "2", "440399"));
    assert_eq!(code.subject_type(), SubjectType::SoleProprietor);
    assert_eq!(code.warning(), None);
    // A published example of GB 32100 users.
    assert_eq!(Uscc::parse("91110000600037341L").unwrap().subject_type(), SubjectType::Enterprise);
}

#[test]
fn uscc_refusals_in_their_order() {
    assert_eq!(code!(Uscc, "000000000000000000"), "degenerate");
    assert_eq!(code!(Uscc, "91110199MA0TE5T16"), "length");
    assert_eq!(code!(Uscc, "91110199MAITE5T16Y"), "charset");
    assert_eq!(code!(Uscc, "9111019AMA0TE5T16Y"), "charset");
    assert_eq!(code!(Uscc, "B1110199MA0TE5T16Y"), "reg_dept");
    assert_eq!(code!(Uscc, "94110199MA0TE5T16Y"), "org_kind");
    assert_eq!(code!(Uscc, "91110199MA0TE5T16X"), "checksum");
    let odd = Uscc::parse("91110199MA0TE5T172").unwrap();
    assert_eq!(odd.warning().map(UsccWarning::reason_code), Some("org_code_checksum"));
}

#[test]
fn a_licence_does_not_go_with_another_type() {
    let enterprise = Uscc::parse("91110199MA0TE5T16Y").unwrap();
    assert_eq!(enterprise.cross_check(SubjectType::Enterprise), Verdict::Accept);
    for declared in [SubjectType::Micro, SubjectType::SoleProprietor, SubjectType::OtherOrg] {
        assert_eq!(enterprise.cross_check(declared), Verdict::Reject(Conflict::TypeMismatch));
    }
}

#[test]
fn old_licences_stay_with_sole_proprietors_and_a_person_looks() {
    assert_eq!(code!(BusinessRegistration, "110199000000126"), "ok");
    assert_eq!(code!(BusinessRegistration, "110199000000127"), "checksum");
    assert_eq!(code!(BusinessRegistration, "1101990A0000126"), "charset");
    let verdict = |number: &str, declared| BusinessRegistration::parse(number).unwrap().cross_check(declared);
    let sole = "440399600001237";
    assert_eq!(
        verdict(sole, SubjectType::SoleProprietor),
        Verdict::ManualReview(Conflict::LegacyLicenceIndividual)
    );
    assert_eq!(verdict(sole, SubjectType::Micro), Verdict::Reject(Conflict::TypeMismatch));
    assert_eq!(
        verdict("330199400000558", SubjectType::Enterprise),
        Verdict::Reject(Conflict::LegacyLicenceEnterprise)
    );
}

#[test]
fn resident_id_tells_birth_sex_and_age() {
    let id = ResidentId::parse("４４0399 20000229 1128", today()).unwrap();
    assert_eq!(id.expose(), "440399200002291128");
    assert_eq!((id.kind(), id.sex(), id.age_on(today())), (ResidentIdKind::Mainland, Sex::Female, 26));
    assert_eq!(Some(id.birth()), parse_date("2000-02-29"));
    assert_eq!(id.masked(), "440***********1128");
    assert_eq!(ResidentId::parse("830000197909019990", today()).unwrap().sex(), Sex::Male);
}

#[test]
fn resident_id_refusals_in_their_order() {
    // The example of GB 11643 itself, and the same with one digit changed.
    assert_eq!(id_code("11010519491231002x"), "ok");
    assert_eq!(id_code("110105194912310021"), "checksum");
    assert_eq!(id_code("111111111111111111"), "degenerate");
    assert_eq!(id_code("110199900307001"), "length");
    assert_eq!(id_code("1101991990030799X6"), "charset");
    assert_eq!(id_code("000199199003070011"), "region");
    assert_eq!(id_code("110199202302290014"), "bad_date");
    assert_eq!(id_code("110199185001010013"), "too_old");
    assert_eq!(id_code("110199000001010011"), "bad_date");
    assert_eq!(id_code("110199000101010011"), "too_old");
    let tomorrow = parse_date("2026-11-23").unwrap();
    let newborn = with_check("11019920261123001", |text| ResidentId::parse(text, tomorrow).is_ok());
    let invalid = ResidentId::parse(&newborn, today()).unwrap_err();
    assert_eq!((invalid.reason_code(), invalid.reason), ("bad_date", Reason::BornLater));
}

#[test]
fn other_documents_have_the_form_of_their_kind() {
    use OtherIdKind as K;
    for (kind, text, code) in [
        (K::TaiwanPermit, "12340000", "ok"),
        (K::TaiwanPermit, "1234567", "length"),
        (K::TaiwanPermit, "1234567A", "charset"),
        (K::TaiwanPermit, "00000000", "degenerate"),
        (K::HkMacauPermit, "h0000000301", "ok"),
        (K::HkMacauPermit, "M00000002", "ok"),
        (K::HkMacauPermit, "H123456789", "length"),
        (K::HkMacauPermit, "A12345678", "prefix"),
        (K::HkMacauPermit, "H1234567A", "charset"),
        (K::HmtResidence, "81000019881120999X", "ok"),
        (K::HmtResidence, "440399200002291128", "prefix"),
        (K::ForeignPermanent2023, "931840198002140008", "ok"),
        (K::ForeignPermanent2023, "931840198002140009", "checksum"),
        (K::ForeignPermanent2023, "831840198002140008", "prefix"),
        (K::ForeignPermanent2023, "990840198002140008", "region"),
        (K::ForeignPermanent2023, "931840198013140008", "bad_date"),
        (K::ForeignPermanent2017, "DEU440091000030", "ok"),
        (K::ForeignPermanent2017, "US3100800000100", "pattern"),
        (K::Passport, "E12345678", "ok"),
        (K::Passport, "E123", "length"),
        (K::Passport, "E1234567_", "charset"),
    ] {
        assert_eq!(other_code(kind, text), code, "{} {text}", kind.as_str());
    }
    let permit = OtherIdDocument::parse(K::HkMacauPermit, "H0000000301", today()).unwrap();
    assert_eq!(permit.masked(), "H********01");
}

#[test]
fn mobile_forgives_how_people_write_it() {
    for text in
        ["+86 154 0000 0001", "0086-154-0000-0001", "8615400000001", "(154)0000.0001", "＋８６15400000001"]
    {
        assert_eq!(Mobile::parse(text).unwrap().expose(), "15400000001", "{text}");
    }
    assert_eq!(Mobile::parse("１５４０００００００１").unwrap().masked(), "154****0001");
    assert_eq!(Mobile::parse("16200000001").unwrap().carrier(), MobileCarrier::Virtual);
}

#[test]
fn mobile_refusals() {
    for (text, code) in [
        ("1540000000", "length"),
        ("1440000000001", "iot"),
        ("01088888888", "landline"),
        ("0755-8888 8888", "landline"),
        ("1540000000a", "charset"),
        ("12000000001", "prefix"),
        ("25400000001", "prefix"),
        ("+852 5400 0001", "prefix"),
        ("00000000000", "degenerate"),
        ("", "length"),
    ] {
        assert_eq!(code!(Mobile, text), code, "{text}");
    }
}

#[test]
fn bank_card_shows_six_and_four() {
    let card = BankCard::parse("6200 0000 0000 0013").unwrap();
    assert_eq!(
        (card.masked().as_str(), card.network(), card.length()),
        ("620000******0013", CardNetwork::UnionPay, 16)
    );
    assert_eq!(BankCard::parse("4000000000000002").unwrap().network(), CardNetwork::Other);
    for (text, code) in [
        ("6200000000000014", "luhn"),
        ("620000000000001", "length"),
        ("0000000000000000", "degenerate"),
        ("0000000000000018", "prefix"),
        ("62000000O0000013", "charset"),
    ] {
        assert_eq!(code!(BankCard, text), code, "{text}");
    }
}

#[test]
fn corporate_accounts_have_no_check_digit() {
    assert_eq!(CorporateAccount::parse("31000–99 000001").unwrap().expose(), "31000-99000001");
    assert_eq!(CorporateAccount::parse("4403999900012").unwrap().masked(), "*********0012");
    assert_eq!(code!(CorporateAccount, "ABC123"), "charset");
    assert_eq!(code!(CorporateAccount, "-1234567"), "charset");
    assert_eq!(code!(CorporateAccount, "1234567"), "length");
}

#[test]
fn cnaps_of_the_central_bank_and_one_wrong_digit() {
    let code = Cnaps::parse("102100099996").unwrap();
    assert_eq!((code.bank_code(), code.area_code(), code.branch()), ("102", "1000", "9999"));
    assert_eq!(code!(Cnaps, "102100099997"), "checksum");
    assert_eq!(code!(Cnaps, "000000000000"), "degenerate");
    assert_eq!(code!(Cnaps, "3139999000150"), "length");
}

#[test]
fn merchant_numbers_carry_their_category() {
    let number = UnionPayMerchantNo::parse("999290058120001").unwrap();
    let parts = (number.institution(), number.area(), number.mcc().as_str(), number.sequence());
    assert_eq!(parts, ("999", "2900", "5812", "0001"));
    assert_eq!(number.cross_check(&Mcc::parse("5812").unwrap()), Verdict::Accept);
    assert_eq!(number.cross_check(&Mcc::parse("5411").unwrap()), Verdict::Reject(Conflict::MccMismatch));
    assert_eq!(code!(UnionPayMerchantNo, "999290079950001"), "mcc_prohibited");
    assert_eq!(code!(UnionPayMerchantNo, "99929005812000A"), "charset");
    assert_eq!(code!(Mcc, "581"), "length");
}

#[test]
fn terminal_numbers_and_serials() {
    assert_eq!(TerminalNo::parse(" A0000012\r\n").unwrap().as_str(), "A0000012");
    assert_eq!(code!(TerminalNo, "a0000012"), "charset");
    assert_eq!(code!(TerminalNo, "123456789"), "length");
    let serial = TerminalSerial::parse(" 99990004star00000001\n").unwrap();
    assert_eq!(serial.as_str(), "99990004STAR00000001");
    assert_eq!((serial.vendor(), serial.device_type()), ("999900", DeviceType::SmartPos));
    assert_eq!(code!(TerminalSerial, "99990012STAR0001"), "device_type");
    assert_eq!(code!(TerminalSerial, "9999A004STAR0001"), "charset");
    assert_eq!(code!(TerminalSerial, "99990004STAR-001"), "charset");
    assert_eq!(code!(TerminalSerial, "99990004"), "length");
    // Two scans without a blank between would be a serial of forty characters.
    assert_eq!(code!(TerminalSerial, "99990004STAR00000001\r\n99990004STAR00000001"), "charset");
    assert_eq!(code!(TerminalSerial, "99990004STAR\u{2028}00000001"), "charset");
    assert_eq!(TerminalSerial::parse("\r\n9999 0004STAR\u{202c}00000001\r\n"), Ok(serial));
}

#[test]
fn endless_numbers_are_said_to_be_longer_than_is_looked_at() {
    let message = |digits: usize| Uscc::parse(&"9".repeat(digits)).unwrap_err().message();
    assert!(message(128).ends_with("现在是 128 位"), "{}", message(128));
    for digits in [129, 100_000] {
        assert!(message(digits).ends_with("现在超过 128 位"), "{}", message(digits));
    }
}

#[test]
fn secrets_do_not_print_and_open_numbers_are_facts() {
    let id = ResidentId::parse("440399200002291128", today()).unwrap();
    assert_eq!(format!("{id:?}"), "ResidentId(redacted)");
    assert_eq!(format!("{:?}", BankCard::parse("6200000000000013").unwrap()), "BankCard(redacted)");
    let code = Uscc::parse("91110199MA0TE5T16Y").unwrap();
    assert_eq!(Uscc::from_fact(code.to_fact().as_deref()), Some(code));
}

#[test]
fn a_refusal_never_repeats_the_text() {
    let invalid = ResidentId::parse("440399200002291129", today()).unwrap_err();
    for said in [invalid.to_string(), invalid.message(), format!("{invalid:?}")] {
        assert!(!said.contains("4403"), "{said}");
    }
    assert_eq!(invalid.message(), "身份证号码校验不通过,可能有一位输错,请对照原件");
}

/// `head` and the check character for which `right` holds.
fn with_check(head: &str, right: impl Fn(&str) -> bool) -> String {
    let all = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars();
    all.map(|c| format!("{head}{c}")).find(|text| right(text)).unwrap()
}

/// Every text that differs from `text` in one character.
fn one_changed<'a>(text: &'a str, alphabet: &'a str) -> impl Iterator<Item = String> + 'a {
    (0..text.len()).flat_map(move |at| {
        alphabet
            .chars()
            .filter(move |c| !text[at..].starts_with(*c))
            .map(move |c| format!("{}{c}{}", &text[..at], &text[at + 1..]))
    })
}

/// Every text that differs from `text` by a swap of neighbours.
fn neighbours_swapped(text: &str) -> impl Iterator<Item = String> + '_ {
    (1..text.len()).filter(|at| text.as_bytes()[*at] != text.as_bytes()[*at - 1]).map(|at| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.swap(at, at - 1);
        String::from_utf8(bytes).unwrap()
    })
}

const DIGITS: &str = "0123456789";
const DIGITS_X: &str = "0123456789X";
const USCC_CHARS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

proptest! {
    #[test]
    fn one_wrong_digit_is_always_caught(
        uscc in "9[1-3][0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}",
        licence in "[1-9][0-9]{13}",
        id in "(11|31|44|51)[0-9]{4}(19[4-9][0-9]|200[0-9])(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}",
        card in "62[0-9]{13,16}",
        bank in "[1-9][0-9]{10}",
    ) {
        let uscc = with_check(&uscc, |text| Uscc::parse(text).is_ok());
        prop_assert!(one_changed(&uscc, USCC_CHARS).all(|text| Uscc::parse(&text).is_err()));
        prop_assert!(neighbours_swapped(&uscc).all(|text| Uscc::parse(&text).is_err()));
        let licence = with_check(&licence, |text| BusinessRegistration::parse(text).is_ok());
        prop_assert!(one_changed(&licence, DIGITS).all(|text| BusinessRegistration::parse(&text).is_err()));
        let id = with_check(&id, |text| id_code(text) == "ok");
        prop_assert!(one_changed(&id, DIGITS_X).all(|text| id_code(&text) != "ok"));
        prop_assert!(neighbours_swapped(&id).all(|text| id_code(&text) != "ok"));
        let card = with_check(&card, |text| BankCard::parse(text).is_ok());
        prop_assert!(one_changed(&card, DIGITS).all(|text| BankCard::parse(&text).is_err()));
        let bank = with_check(&bank, |text| Cnaps::parse(text).is_ok());
        prop_assert!(one_changed(&bank, DIGITS).all(|text| Cnaps::parse(&text).is_err()));
    }

    #[test]
    fn nothing_typed_panics(text in any::<String>(), nearly in "[0-9A-Za-z０-９ 　+()-]{0,60}") {
        for text in [text, nearly] {
            let _ = (Uscc::parse(&text), BusinessRegistration::parse(&text), ResidentId::parse(&text, today()));
            let _ = (Mobile::parse(&text), BankCard::parse(&text), CorporateAccount::parse(&text));
            let _ = (Cnaps::parse(&text), Mcc::parse(&text), UnionPayMerchantNo::parse(&text));
            let _ = (TerminalNo::parse(&text), TerminalSerial::parse(&text), ActivationCode::parse(&text));
            for kind in OtherIdKind::ALL {
                let _ = OtherIdDocument::parse(*kind, &text, today());
            }
        }
    }

    #[test]
    fn what_was_accepted_is_accepted_again(text in "[0-9A-Za-z -]{4,60}") {
        if let Ok(serial) = TerminalSerial::parse(&text) {
            let again = TerminalSerial::parse(serial.as_str());
            prop_assert_eq!(again, Ok(serial));
        }
        if let Ok(document) = OtherIdDocument::parse(OtherIdKind::Passport, &text, today()) {
            let again = OtherIdDocument::parse(OtherIdKind::Passport, document.expose(), today());
            prop_assert_eq!(again, Ok(document));
        }
    }
}
