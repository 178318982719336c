//! The inside of a field as a person may read it: masked, with what the values stand for.

use super::chip::{self, chip_tag};
use super::detail::DetailTags;
use super::keys::{ChipRecord, SignInKeys};
use super::parameters::{CaKeyList, Parameters};
use super::parts::{EntryMode, Institutions};
use super::private::Field63;
use super::response::ResponseCode;
use super::security::{PinAlgorithm, PinFormat, SecurityControl, TrackProtection};
use super::settlement::{BatchEnd, BatchRecords, SettlementTotals, Totals};
use super::transaction::{Identified, REVERSAL, Role, Transaction};
use crate::describe::Detail;
use crate::digits;
use crate::field::FieldRef;
use crate::message::Message;
use crate::spec::Privacy;
use crate::tlv;

/// The parts of a field of UnionPay POS; none where it has no parts or they cannot be read.
pub(crate) fn inside(message: &Message<'_>, field: &FieldRef<'_>) -> Vec<Detail> {
    match field.number() {
        22 => entry_mode(message),
        25 => condition(field),
        39 => response(message, field),
        44 => institutions(message),
        48 => additional_data(message),
        53 => security(message),
        55 => chip_data(field),
        59 => details(message),
        60 => sixty(message, field),
        61 => numbered(field, SIXTY_ONE),
        62 => downloads(message),
        63 => texts(message),
        64 => code(field),
        _ => Vec::new(),
    }
}

fn entry_mode(message: &Message<'_>) -> Vec<Detail> {
    let Ok(Some(mode)) = EntryMode::read(message) else { return Vec::new() };
    vec![
        Detail::open("22.1", "主账号输入方式", format!("{:02}", mode.pan.code())).meaning(mode.pan.chinese()),
        Detail::open("22.2", "PIN输入能力", mode.pin.code().to_string()).meaning(mode.pin.chinese()),
    ]
}

fn condition(field: &FieldRef<'_>) -> Vec<Detail> {
    let meaning = match &*field.expose() {
        "00" => "正常提交",
        "06" => "预授权类交易",
        "64" => "分期付款",
        "91" => "电子现金圈存",
        _ => return Vec::new(),
    };
    vec![Detail::open("25", "含义", meaning)]
}

/// In a reversal the field is not an answer but the reason.
fn response(message: &Message<'_>, field: &FieldRef<'_>) -> Vec<Detail> {
    let Some(Ok(code)) = field.ascii().map(ResponseCode::parse) else { return Vec::new() };
    if message.mti() == REVERSAL {
        let reason = match code {
            ResponseCode::NO_ANSWER => "未在规定时间内收到应答",
            ResponseCode::SYSTEM_FAULT => "终端故障或其他原因",
            ResponseCode::ERROR => "应答报文格式错或其他原因",
            ResponseCode::MAC_WRONG => "应答报文MAC校验错",
            _ => return Vec::new(),
        };
        return vec![Detail::open("39", "冲正原因", reason)];
    }
    vec![
        Detail::open("39", "含义", code.chinese()),
        Detail::open("", "终端动作", code.action().letter().to_string())
            .meaning(Some(code.action().chinese())),
    ]
}

/// A code of eight characters is easier to compare as characters.
fn code(field: &FieldRef<'_>) -> Vec<Detail> {
    let characters = field.expose_wire();
    let text =
        std::str::from_utf8(characters).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    text.map(|text| Detail::open("64", "字符形式", text)).into_iter().collect()
}

fn institutions(message: &Message<'_>) -> Vec<Detail> {
    let Some(both) = Institutions::read(message) else { return Vec::new() };
    vec![Detail::open("44.1", "发卡行", both.issuer), Detail::open("44.2", "收单机构", both.acquirer)]
}

fn additional_data(message: &Message<'_>) -> Vec<Detail> {
    let transaction = Identified::read(message).map(|identified| identified.transaction);
    if transaction == Some(Transaction::Settlement) {
        let Ok(Some(totals)) = SettlementTotals::read(message) else { return Vec::new() };
        let mut shown = group("48.1", "内卡", &totals.domestic);
        shown.extend(totals.foreign.iter().flat_map(|foreign| group("48.2", "外卡", foreign)));
        return shown;
    }
    if transaction == Some(Transaction::BatchEnd) {
        let Ok(Some(end)) = BatchEnd::read(message) else { return Vec::new() };
        return vec![Detail::open("48", "上送总笔数", end.records.to_string())];
    }
    if transaction == Some(Transaction::BatchStripe) {
        let Ok(Some(records)) = BatchRecords::read(message) else { return Vec::new() };
        return records
            .flatten()
            .flat_map(|record| {
                [
                    Detail::open("48", "流水号", record.trace.as_str()),
                    Detail::open("", "卡号", record.pan.to_string()),
                    Detail::open("", "金额(分)", record.amount_fen.as_str()),
                ]
            })
            .collect();
    }
    Vec::new()
}

fn group(label: &str, cards: &'static str, totals: &Totals) -> Vec<Detail> {
    vec![
        Detail::open(label, cards, totals.result.code().to_string()).meaning(Some(totals.result.chinese())),
        Detail::open("", "借记总金额(分)", totals.debit_fen.to_string()),
        Detail::open("", "借记总笔数", totals.debit_count.to_string()),
        Detail::open("", "贷记总金额(分)", totals.credit_fen.to_string()),
        Detail::open("", "贷记总笔数", totals.credit_count.to_string()),
    ]
}

fn security(message: &Message<'_>) -> Vec<Detail> {
    let Ok(Some(control)) = SecurityControl::read(message) else { return Vec::new() };
    let digits = control.digits();
    let digit = |at: usize| digits.as_str().get(at..at.saturating_add(1)).unwrap_or_default().to_owned();
    let format = match control.pin_format {
        PinFormat::None => "无PIN",
        PinFormat::WithoutPan => "X9.8不带主账号",
        PinFormat::WithPan => "X9.8带主账号",
    };
    let algorithm = match control.algorithm {
        PinAlgorithm::Des => "单倍长DES",
        PinAlgorithm::Tdes => "双倍长3DES",
        PinAlgorithm::Sm4 => "SM4",
    };
    let track = match control.track {
        TrackProtection::Clear => "磁道不加密",
        TrackProtection::Encrypted => "磁道加密",
    };
    vec![
        Detail::open("53.1", "PIN格式", digit(0)).meaning(Some(format)),
        Detail::open("53.2", "加密算法", digit(1)).meaning(Some(algorithm)),
        Detail::open("53.3", "磁道加密", digit(2)).meaning(Some(track)),
    ]
}

fn chip_data(field: &FieldRef<'_>) -> Vec<Detail> {
    let Ok(elements) = tlv::read(field.expose_wire(), tlv::Limits::FIELD_55) else { return Vec::new() };
    elements.map_while(Result::ok).flat_map(|element| chip_element(&element)).collect()
}

fn chip_element(element: &tlv::Element<'_>) -> Vec<Detail> {
    let known = chip_tag(element.tag.value());
    let label = element.tag.to_string();
    let chinese = known.map_or("其他", |known| known.chinese);
    match known.map(|known| known.privacy) {
        Some(Privacy::Open) => {
            let mut details = vec![
                Detail::open(label, chinese, digits::hex(element.value))
                    .meaning(chip::meaning(element.tag.value(), element.value)),
            ];
            if element.tag.value() == 0x95 {
                details
                    .extend(chip::verification_results(element.value).map(|what| Detail::open("", "", what)));
            }
            details
        }
        Some(Privacy::Hidden | Privacy::Pan) | None => {
            vec![Detail::hidden(label, chinese, element.value.len())]
        }
    }
}

fn details(message: &Message<'_>) -> Vec<Detail> {
    let mut details = Vec::new();
    for tag in DetailTags::read(message).map_while(Result::ok) {
        let label = String::from_utf8_lossy(&tag.tag).into_owned();
        details.push(Detail::hidden(label, tag.chinese().unwrap_or("其他"), tag.value.len()));
        if &tag.tag == b"A2" {
            details.extend(DetailTags::inside(tag.value).map_while(Result::ok).map(|inner| {
                let label = format!("A2.{}", String::from_utf8_lossy(&inner.tag));
                Detail::hidden(label, inner.chinese_in_terminal_data().unwrap_or("其他"), inner.value.len())
            }));
        }
    }
    details
}

/// Label, digits, name of a part of field 60 or 61.
type Part = (&'static str, usize, &'static str);

const SIXTY: &[Part] = &[
    ("60.1", 2, "交易类型码"),
    ("60.2", 6, "批次号"),
    ("60.3", 3, "网络管理信息码"),
    ("60.4", 1, "终端读取能力"),
    ("60.5", 1, "IC卡条件代码"),
    ("60.6", 1, "部分扣款和返回余额标志"),
    ("60.7", 3, "账户类型"),
];

const SIXTY_ONE: &[Part] = &[
    ("61.1", 6, "原批次号"),
    ("61.2", 6, "原流水号"),
    ("61.3", 4, "原交易日期"),
    ("61.4", 2, "原授权方式"),
    ("61.5", 11, "原授权机构"),
];

fn sixty(message: &Message<'_>, field: &FieldRef<'_>) -> Vec<Detail> {
    let mut details = numbered(field, SIXTY);
    if let (Some(kind), Some(identified)) = (details.first_mut(), Identified::read(message)) {
        let row = identified.transaction.row();
        kind.meaning = row.kind.filter(|kind| *kind != "00").map(|_| row.chinese);
    }
    if let (Some(network), Some(identified)) = (details.get_mut(2), Identified::read(message)) {
        let row = identified.transaction.row();
        network.meaning = (row.network != ["000"]).then_some(row.chinese);
    }
    details
}

fn numbered(field: &FieldRef<'_>, parts: &[Part]) -> Vec<Detail> {
    let text = field.expose();
    let mut at = 0_usize;
    let mut details = Vec::new();
    for (label, length, chinese) in parts {
        let end = at.saturating_add(*length);
        let Some(part) = text.get(at..end) else { break };
        details.push(Detail::open(*label, chinese, part).meaning(meaning(label, part)));
        at = end;
    }
    details
}

fn meaning(label: &str, value: &str) -> Option<&'static str> {
    match (label, value) {
        ("60.4", "0") => Some("不可知"),
        ("60.4", "2") => Some("可读取磁条卡"),
        ("60.4", "5") => Some("可读取接触式IC卡"),
        ("60.4", "6") => Some("可读取非接触式IC卡"),
        ("60.5", "0") => Some("未使用或后续子域存在"),
        ("60.5", "1") => Some("上一笔读取IC卡成功"),
        ("60.5", "2") => Some("上一笔读取IC卡失败"),
        _ => None,
    }
}

fn downloads(message: &Message<'_>) -> Vec<Detail> {
    let Some(identified) = Identified::read(message) else { return Vec::new() };
    match (identified.transaction, identified.role) {
        (
            Transaction::SignInSingle
            | Transaction::SignInDouble
            | Transaction::SignInTrack
            | Transaction::SignInSm4,
            Role::Response,
        ) => working_keys(message),
        (Transaction::BatchChip, Role::Request) => {
            let Ok(Some(record)) = ChipRecord::read(message) else { return Vec::new() };
            vec![Detail::open("62", "金额(分)", record.amount_fen.as_str())]
        }
        (Transaction::CaKeyList, _) => ca_keys(message),
        (Transaction::CaKeyDownload | Transaction::ChipParameterDownload, Role::Response) => {
            parameters(message)
        }
        _ => Vec::new(),
    }
}

fn working_keys(message: &Message<'_>) -> Vec<Detail> {
    let Ok(Some(keys)) = SignInKeys::read(message) else { return Vec::new() };
    let named = [("PIK", Some(keys.pin)), ("MAK", Some(keys.mac)), ("TDK", keys.track)];
    named
        .into_iter()
        .filter_map(|(label, key)| Some((label, key?)))
        .flat_map(|(label, key)| {
            // Three bytes of a check value are what ANSI X9.24 lets be shown.
            let check = key.check_value().get(..3).unwrap_or_default();
            let short = key.is_short().then_some("单倍长,其余字节为零");
            [
                Detail::hidden(label, "密钥密文", key.cryptogram().len()).meaning(short),
                Detail::open("", "校验值", format!("{}..", digits::hex(check))),
            ]
        })
        .collect()
}

/// Public keys of the card schemes: nothing of them is private.
fn ca_keys(message: &Message<'_>) -> Vec<Detail> {
    let Ok(Some(list)) = CaKeyList::read(message) else { return Vec::new() };
    let mut details = vec![Detail::open("62", "标志", char::from(list.state).to_string())];
    details.extend(list.position.map(|position| Detail::open("", "位置", position.as_str())));
    for key in list.map_while(Result::ok) {
        let name = format!("{} {}", digits::hex(key.provider), digits::hex(key.index));
        details.push(Detail::open("", "RID与索引", name));
        details.push(Detail::open("", "有效期", String::from_utf8_lossy(key.expiry)));
    }
    details
}

fn parameters(message: &Message<'_>) -> Vec<Detail> {
    let Ok(Some(parameters)) = Parameters::read(message) else { return Vec::new() };
    let Some(elements) = parameters.found else {
        return vec![Detail::open("62", "结果", "主机没有该参数")];
    };
    elements
        .map_while(Result::ok)
        .map(|element| Detail::hidden(element.tag.to_string(), "参数", element.value.len()))
        .collect()
}

fn texts(message: &Message<'_>) -> Vec<Detail> {
    let Ok(Some(texts)) = Field63::read(message) else { return Vec::new() };
    // Settlement and what is no money movement at all name the operator.
    let is_management = matches!(message.mti().bcd() >> 8, 0x05 | 0x08);
    let parts = [
        ("63.1", if is_management { "操作员代码" } else { "国际信用卡公司代码" }, texts.first),
        ("63.2.1", "发卡方保留域", texts.issuer),
        ("63.2.2", "中国银联保留域", texts.unionpay),
        ("63.2.3", "受理机构保留域", texts.acquirer),
        ("63.2.4", "POS终端保留域", texts.terminal),
    ];
    parts
        .into_iter()
        .filter(|(_, _, text)| !text.is_empty())
        .map(|(label, chinese, text)| Detail::open(label, chinese, text))
        .collect()
}
