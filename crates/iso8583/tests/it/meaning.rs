//! The tables of meaning against a copy written down from the published description: transactions,
//! response codes; and what a person is told about a message.

use super::vectors::{bytes, cases, frame};
use starpay_iso8583::unionpay::{Action, Identified, MacRule, ResponseCode, Role, Transaction};
use starpay_iso8583::{Description, Draft, Link, Message, Mti, UNIONPAY_POS, Value};

/// Message types of the request, field 3 (`*`: the card's or the original's), 25, 60.1, 60.3,
/// whether it carries a code (`?`: hosts differ), whether it can be reversed.
const MATRIX: &[(Transaction, &str)] = {
    use Transaction as T;
    &[
        (T::SignInSingle, "0800 - - 00 001 no no"),
        (T::SignInDouble, "0800 - - 00 003 no no"),
        (T::SignInTrack, "0800 - - 00 004 no no"),
        (T::SignInSm4, "0800 - - 00 005/006 no no"),
        (T::CashierSignIn, "0820 - - 00 401 no no"),
        (T::SignOut, "0820 - - 00 002 no no"),
        (T::EchoTest, "0820 - - 00 301 no no"),
        (T::BalanceInquiry, "0200 310000 00 01 000 yes no"),
        (T::Sale, "0200 000000 00 22 000 yes yes"),
        (T::SaleVoid, "0200 200000 00 23 000 yes yes"),
        (T::Refund, "0220 200000 00 25 000 yes no"),
        (T::PreAuthorization, "0100 030000 06 10 000 yes yes"),
        (T::PreAuthorizationVoid, "0100 200000 06 11 000 yes yes"),
        (T::Completion, "0200 000000 06 20 000 yes yes"),
        (T::CompletionVoid, "0200 200000 06 21 000 yes yes"),
        (T::CompletionAdvice, "0220 000000 06 24 000 yes no"),
        (T::Adjustment, "0220 000000 00 32 000 yes no"),
        (T::Tip, "0220 000000 00 34 000 yes no"),
        (T::OfflineSale, "0200 000000 00 36 000 yes no"),
        (T::LoadBound, "0200 60* 91 45 000 yes no"),
        (T::LoadCash, "0200 63* 91 46 000 yes no"),
        (T::LoadUnbound, "0200 62* 91 47 000 yes no"),
        (T::LoadCashVoid, "0200 17* 91 51 000 yes no"),
        (T::Settlement, "0500 - - 00 201 no no"),
        (T::BatchStripe, "0320 - - 00 201 no no"),
        (T::BatchAdvice, "0320 - - * 000 no no"),
        (T::BatchChip, "0320 - - 00 203/205/204/206 no no"),
        (T::BatchEnd, "0320 - - 00 207/202 no no"),
        (T::ScriptResult, "0620 - - 00 951 yes no"),
        (T::MagneticParameters, "0800 - - 00 360 no no"),
        (T::MagneticParametersEnd, "0800 - - 00 361 no no"),
        (T::StatusUpload, "0820 - - 00 362 no no"),
        (T::CaKeyList, "0820 - - 00 372 ? no"),
        (T::CaKeyDownload, "0800 - - 00 370/373 ? no"),
        (T::CaKeyEnd, "0800 - - 00 371 no no"),
        (T::ChipParameterList, "0820 - - 00 382 no no"),
        (T::ChipParameterDownload, "0800 - - 00 380 no no"),
        (T::ChipParameterEnd, "0800 - - 00 381 no no"),
        (T::Blacklist, "0800 - - 00 390 no no"),
        (T::BlacklistEnd, "0800 - - 00 391 no no"),
        (T::ContactlessParameters, "0800 - - 00 394 no no"),
        (T::ContactlessParametersEnd, "0800 - - 00 395 no no"),
        (T::NoPinListB, "0800 - - 00 396 no no"),
        (T::NoPinListBEnd, "0800 - - 00 397 no no"),
        (T::NoPinListC, "0800 - - 00 398 no no"),
        (T::NoPinListCEnd, "0800 - - 00 399 no no"),
        (T::SignatureUpload, "0820 - - 07 800/801/802/803/804/805/806/807/808/809 yes no"),
        (T::MasterKeyDownload, "0800/0820 - - 00 101/102 ? no"),
    ]
};

#[test]
fn every_row_of_the_matrix_is_the_published_one() {
    assert_eq!(MATRIX.len(), Transaction::ALL.len());
    for (transaction, published) in MATRIX {
        let row = transaction.row();
        let requests: Vec<String> = row.requests.iter().map(ToString::to_string).collect();
        let processing = match row.processing {
            Some(code) if code.len() < 6 => format!("{code}*"),
            Some(code) => code.to_owned(),
            None => "-".to_owned(),
        };
        let mac = match row.mac {
            MacRule::Required => "yes",
            MacRule::None => "no",
            MacRule::HostDecides => "?",
        };
        let ours = [
            requests.join("/"),
            processing,
            row.condition.unwrap_or("-").to_owned(),
            row.kind.unwrap_or("*").to_owned(),
            row.network.join("/"),
            mac.to_owned(),
            if row.is_reversible { "yes" } else { "no" }.to_owned(),
        ];
        assert_eq!(ours.join(" "), *published, "{transaction:?}");
    }
}

/// Both ways: what the codes of a transaction make is recognised as that transaction.
#[test]
fn a_transaction_is_recognised_by_the_codes_it_gives() {
    for transaction in Transaction::ALL {
        let (processing, condition, kind, network) = transaction.request_codes();
        let mti = Identified { transaction: *transaction, role: Role::Request }.mti().unwrap();
        let card = transaction.row().processing.map(|code| format!("{code:0<6}"));
        let mut draft = Draft::new(&UNIONPAY_POS, mti);
        if let Some(code) = processing.or(card.as_deref()) {
            draft.set(3, Value::Digits(code)).unwrap();
        }
        if let Some(code) = condition {
            draft.set(25, Value::Digits(code)).unwrap();
        }
        draft.set(60, Value::Digits(&format!("{}000001{network}", kind.unwrap_or("24")))).unwrap();
        let wire = draft.to_bytes().unwrap();
        let read = Identified::read(&Message::read(&UNIONPAY_POS, &wire).unwrap());
        assert_eq!(read, Some(Identified { transaction: *transaction, role: Role::Request }));
    }
}

const RESPONSE_CODES: &str = "00 A 承兑或交易成功 · 01 C 查发卡行 · 02 C 查发卡行的特殊条件 · 03 C 无效商户 · \
    04 D 没收卡 · 05 C 不予承兑 · 06 E 出错 · 07 D 特殊条件下没收卡 · 09 B 请求正在处理中 · 10 A 部分批准 · \
    11 A 重要人物批准 · 12 C 无效交易 · 13 B 无效金额 · 14 B 无效卡号 · 15 C 无此发卡行 · \
    16 A 批准更新第三磁道 · 19 C 重新送入交易 · 20 C 无效应答 · 21 C 不做任何处理 · \
    22 C 怀疑操作有误(重新签到) · 23 C 不可接受的交易费 · 25 C 未能找到文件上记录 · 30 C 格式错误 · \
    31 C 不支持的银行 · 33 D 过期的卡 · 34 D 有作弊嫌疑 · 35 D 与安全保密部门联系 · 36 D 受限制的卡 · \
    37 D 呼受理方安全保密部门(没收卡) · 38 D 超过允许的PIN试输入 · 39 C 无此信用卡账户 · \
    40 C 请求的功能尚不支持 · 41 D 丢失卡 · 42 B 无此账户 · 43 D 被窃卡 · 44 C 无此投资账户 · \
    45 C 不允许降级(Fallback)交易 · 51 C 无足够的存款 · 52 C 无此支票账户 · 53 C 无此储蓄卡账户 · \
    54 C 过期的卡 · 55 C 不正确的PIN · 56 C 无此卡记录 · 57 C 不允许持卡人进行的交易 · \
    58 C 不允许终端进行的交易 · 59 C 有作弊嫌疑 · 60 C 与安全保密部门联系 · 61 C 超出取款金额限制 · \
    62 C 受限制的卡 · 63 C 违反安全保密规定 · 64 C 原始金额不正确 · 65 C 超出取款次数限制 · \
    66 C 呼受理方安全保密部门 · 67 C 捕捉(没收卡) · 68 C 收到的回答太迟 · 75 C PIN次数超限 · \
    77 D 需要向网络中心签到(批次不符) · 79 C 脱机交易对账不平 · 89 C 安全处理失败 · 90 C 日期切换正在处理 · \
    91 C 发卡行或银联不能操作 · 92 C 找不到或无法达到机构 · 93 C 交易违法 · 94 C 重复交易 · 95 C 调节控制错 · \
    96 C 系统异常 · 97 D POS终端号找不到 · 98 E 收不到发卡行应答 · 99 B PIN格式错(重新签到) · \
    A0 B MAC校验错(重新签到) · A1 C 转账货币不一致/未知交易 · A2 A 成功(请向发卡行确认) · A3 C 账户不正确 · \
    A4 A 成功(请向发卡行确认) · A5 A 成功(请向发卡行确认) · A6 A 成功(请向发卡行确认) · A7 C 安全处理失败";

#[test]
fn every_response_code_is_the_published_one() {
    let ours: Vec<String> = ResponseCode::all()
        .map(|code| format!("{code} {} {}", code.action().letter(), code.chinese()))
        .collect();
    assert_eq!(ours.join(" · "), RESPONSE_CODES);
    let of = |text| ResponseCode::parse(text).unwrap();
    assert_eq!(
        (of("08").is_known(), of("08").action(), of("08").chinese()),
        (false, Action::Decline, "交易失败")
    );
}

fn described(id: &str) -> String {
    let wire = frame(id);
    let message = Link::UNIONPAY_POS.whole(&wire).unwrap().message();
    Message::read(&UNIONPAY_POS, message).unwrap().describe().to_string()
}

#[test]
fn a_person_is_told_what_the_values_stand_for() {
    let expected = [
        (
            "sale-req-ic",
            &["22.1   主账号输入方式: 05 (插入IC卡)", "9F27   密文信息数据: 80 (ARQC,请求联机)"][..],
        ),
        ("sale-req-ic", &["- 交易超过最低限额", "60.1   交易类型码: 22 (消费)", "字符形式: ED826C2A"]),
        ("sale-resp", &["含义: 承兑或交易成功", "44.1   发卡行: 01030000", "63.1   国际信用卡公司代码: CUP"]),
        ("reversal-req", &["39     冲正原因: 未在规定时间内收到应答"]),
        (
            "signin-resp-003",
            &["密钥密文: **** (8) (单倍长,其余字节为零)", "60.3   网络管理信息码: 003 (签到(双倍长密钥))"],
        ),
        ("signin-req-003", &["63.1   操作员代码: 01"]),
        ("settle-resp", &["48.1   内卡: 1 (对账平)", "借记总金额(分): 10000"]),
        ("batch-up-req", &["卡号: 622588******6784"]),
        ("capk-query", &["62     标志: 1", "位置: 00"]),
        ("qr-sale-req", &["A3     付款码: **** (19)"]),
    ];
    for (id, texts) in expected {
        let page = described(id);
        for text in texts {
            assert!(page.contains(text), "{id} does not say {text}:\n{page}");
        }
    }
    assert!(!described("reversal-req").contains("终端动作"), "a reason is no answer");
}

#[test]
fn of_a_message_that_is_refused_the_part_before_is_described() {
    for case in cases() {
        let wire = bytes(case["hex"].as_str().unwrap());
        let body = Link::UNIONPAY_POS.whole(&wire).unwrap().message();
        let whole = Message::read(&UNIONPAY_POS, body).unwrap().describe();
        for end in 0..body.len() {
            let part = Description::of_part(&UNIONPAY_POS, &body[..end]);
            assert_eq!(part.is_some(), end >= 10, "message type and bitmap must be there");
            let Some(part) = part else { continue };
            assert!(part.fields.len() < whole.fields.len());
            for (part, whole) in part.fields.iter().zip(&whole.fields) {
                assert_eq!((part.number, &part.shown), (whole.number, &whole.shown));
            }
        }
        assert_eq!(Description::of_part(&UNIONPAY_POS, body), Some(whole));
    }
    let unknown = b"\x02\x00\x28\0\0\0\0\0\0\0\x31\x00\x00\0\0\0";
    let part = Description::of_part(&UNIONPAY_POS, unknown).unwrap();
    assert_eq!((part.fields.len(), part.fields[0].number), (1, 3));
}

#[test]
fn terminal_data_names_its_parts_and_hides_them() {
    let mut inner = Vec::new();
    starpay_iso8583::unionpay::write_detail_tag(b"02", b"99990004STAR00000001", &mut inner).unwrap();
    let mut outer = Vec::new();
    starpay_iso8583::unionpay::write_detail_tag(b"A2", &inner, &mut outer).unwrap();
    let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0200));
    draft.set(59, Value::Bytes(&outer)).unwrap();
    let wire = draft.to_bytes().unwrap();
    let page = Message::read(&UNIONPAY_POS, &wire).unwrap().describe().to_string();
    assert!(page.contains("A2.02  终端硬件序列号: **** (20)") && !page.contains("STAR"), "{page}");
}
