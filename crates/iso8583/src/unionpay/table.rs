//! The field table of UnionPay POS (`docs/protocol/iso8583.md` says how certain it is).

use crate::spec::Encoding::{Ascii, Bcd, Binary, Gbk, Nibble};
use crate::spec::Kind::{Alphanumeric, Digits, Mixed, Printable, Text, Track};
use crate::spec::Prefix::{Bcd1, Bcd2};
use crate::spec::{BitmapEncoding, Dialect, Field, Kind, MessageTypeEncoding, Privacy};

/// UnionPay POS (银联 POS 终端规范), fields 2 to 64.
///
/// `n` is BCD, `an`/`ans` one byte a character (GBK), lengths are BCD. Fields 22 and 23 fill an odd
/// digit on different sides; that is how live terminals do it.
pub static UNIONPAY_POS: Dialect =
    Dialect::new("UnionPay POS", MessageTypeEncoding::Bcd, BitmapEncoding::BinaryPrimary, FIELDS)
        .explained_by(super::explain::inside);

const fn n(number: u8, length: u16, name: &'static str, chinese: &'static str) -> Field {
    Field::fixed(number, name, Digits, Bcd, length).chinese(chinese)
}

const fn an(number: u8, length: u16, name: &'static str, chinese: &'static str) -> Field {
    Field::fixed(number, name, Alphanumeric, Ascii, length).chinese(chinese)
}

const FIELDS: &[Field] = &[
    Field::variable(2, "primary account number", Digits, Bcd, Bcd1, 19)
        .chinese("主账号")
        .private(Privacy::Pan),
    n(3, 6, "processing code", "交易处理码"),
    n(4, 12, "transaction amount", "交易金额"),
    n(11, 6, "system trace audit number", "受卡方系统跟踪号"),
    n(12, 6, "local time", "受卡方所在地时间"),
    n(13, 4, "local date", "受卡方所在地日期"),
    n(14, 4, "expiry date", "卡有效期").private(Privacy::Hidden),
    n(15, 4, "settlement date", "清算日期"),
    n(22, 3, "point of service entry mode", "服务点输入方式码"),
    n(23, 3, "card sequence number", "卡序列号").filled_before(),
    n(25, 2, "point of service condition code", "服务点条件码"),
    n(26, 2, "PIN capture code", "服务点PIN获取码"),
    Field::variable(32, "acquiring institution", Digits, Bcd, Bcd1, 11).chinese("受理方标识码"),
    // Whole-track encryption fills up to the cipher's blocks: 48 nibbles under TDES, 64 under SM4.
    Field::variable(35, "track 2", Track, Nibble, Bcd1, 37)
        .tolerating(64)
        .chinese("2磁道数据")
        .private(Privacy::Hidden),
    Field::variable(36, "track 3", Track, Nibble, Bcd2, 104)
        .tolerating(128)
        .chinese("3磁道数据")
        .private(Privacy::Hidden),
    an(37, 12, "retrieval reference number", "检索参考号"),
    an(38, 6, "authorization code", "授权标识应答码"),
    an(39, 2, "response code", "应答码"),
    Field::fixed(41, "terminal", Printable, Ascii, 8).chinese("受卡机终端标识码"),
    Field::fixed(42, "merchant", Printable, Ascii, 15).chinese("受卡方标识码"),
    Field::variable(44, "additional response", Text, Gbk, Bcd1, 25).chinese("附加响应数据"),
    // Settlement totals, or card numbers of a batch: shown part by part where that is safe.
    Field::variable(48, "additional data", Digits, Bcd, Bcd2, 322)
        .chinese("附加数据")
        .private(Privacy::Hidden),
    an(49, 3, "currency", "交易货币代码"),
    Field::fixed(52, "PIN block", Kind::Binary, Binary, 8).chinese("个人标识码数据").private(Privacy::Hidden),
    n(53, 16, "security control", "安全控制信息"),
    Field::variable(54, "balance", Text, Gbk, Bcd2, 20).chinese("余额").private(Privacy::Hidden),
    // Electronic signatures ride in it and make it longer.
    Field::variable(55, "chip data", Kind::Binary, Binary, Bcd2, 255)
        .tolerating(999)
        .chinese("IC卡数据域")
        .private(Privacy::Hidden),
    Field::variable(58, "purse data", Text, Gbk, Bcd2, 100).chinese("PBOC电子钱包").private(Privacy::Hidden),
    // PIN block, payment code, place: every tag of it is private.
    Field::variable(59, "detail data", Mixed, Binary, Bcd2, 600)
        .tolerating(999)
        .chinese("自定义域")
        .private(Privacy::Hidden),
    // A live message had 19 digits.
    Field::variable(60, "private", Digits, Bcd, Bcd2, 17).tolerating(30).chinese("自定义域"),
    Field::variable(61, "original transaction", Digits, Bcd, Bcd2, 29).chinese("原始信息域"),
    Field::variable(62, "private", Mixed, Binary, Bcd2, 512)
        .tolerating(999)
        .chinese("自定义域")
        .private(Privacy::Hidden),
    Field::variable(63, "private", Text, Gbk, Bcd2, 163).chinese("自定义域"),
    Field::fixed(64, "message authentication code", Kind::Binary, Binary, 8).chinese("报文鉴别码"),
];
