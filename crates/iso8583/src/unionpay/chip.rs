//! Names of the chip data elements that POS messages carry (field 55).

use crate::spec::Privacy;

/// A chip data element that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChipTag {
    /// The tag: `0x9F02`.
    pub tag: u32,
    /// Its Chinese name.
    pub chinese: &'static str,
    /// Whether its value may be shown: states of terminal and chip are, everything else is not.
    pub privacy: Privacy,
}

/// The element with this tag, if it has a name.
#[must_use]
pub fn chip_tag(tag: u32) -> Option<&'static ChipTag> {
    TAGS.iter().find(|known| known.tag == tag)
}

/// What an element's value stands for, where that is one thing.
pub(crate) fn meaning(tag: u32, value: &[u8]) -> Option<&'static str> {
    match (tag, value) {
        // The cryptogram's type stands in the top two bits.
        (0x9F27, [information, ..]) => match information >> 6 {
            0 => Some("AAC,卡片拒绝"),
            1 => Some("TC,脱机批准"),
            2 => Some("ARQC,请求联机"),
            _ => Some("AAR,请求授权参考"),
        },
        (0x9F34, [method, ..]) => match method & 0x3F {
            0x00 => Some("持卡人验证失败"),
            0x01 => Some("IC卡验证明文PIN"),
            0x02 => Some("联机验证密文PIN"),
            0x03 => Some("IC卡验证明文PIN加签名"),
            0x1E => Some("签名"),
            0x1F => Some("无需验证"),
            0x20 => Some("出示证件"),
            _ => None,
        },
        (0x5F2A, [0x01, 0x56]) => Some("人民币"),
        (0x9F1A, [0x01, 0x56]) => Some("中国"),
        _ => None,
    }
}

/// What the terminal verification results (95) say, bit after bit (EMV book 3, annex C5).
pub(crate) fn verification_results(value: &[u8]) -> impl Iterator<Item = &'static str> {
    let bits = value.iter().zip(VERIFICATION).flat_map(|(byte, names)| {
        (0..8).zip(names).filter(move |(at, _)| byte & (0x80 >> at) != 0).map(|(_, name)| name)
    });
    bits.map(|name| if name.is_empty() { "保留位" } else { name })
}

const VERIFICATION: [[&str; 8]; 5] = [
    [
        "未进行脱机数据认证",
        "脱机静态数据认证失败",
        "IC卡数据缺失",
        "卡片出现在终端异常文件中",
        "脱机动态数据认证失败",
        "复合动态数据认证失败",
        "",
        "",
    ],
    ["IC卡和终端应用版本不一致", "应用已过期", "应用尚未生效", "卡片不允许所请求的服务", "新卡", "", "", ""],
    [
        "持卡人验证失败",
        "未知的持卡人验证方法",
        "PIN重试次数超限",
        "要求输入PIN,但密码键盘不存在或故障",
        "要求输入PIN,密码键盘存在但未输入PIN",
        "输入联机PIN",
        "",
        "",
    ],
    [
        "交易超过最低限额",
        "超过连续脱机交易下限",
        "超过连续脱机交易上限",
        "交易被随机选择联机处理",
        "商户要求联机交易",
        "",
        "",
        "",
    ],
    [
        "使用缺省TDOL",
        "发卡行认证失败",
        "最后一次生成应用密文之前脚本处理失败",
        "最后一次生成应用密文之后脚本处理失败",
        "",
        "",
        "",
        "",
    ],
];

const fn open(tag: u32, chinese: &'static str) -> ChipTag {
    ChipTag { tag, chinese, privacy: Privacy::Open }
}

const fn hidden(tag: u32, chinese: &'static str) -> ChipTag {
    ChipTag { tag, chinese, privacy: Privacy::Hidden }
}

const TAGS: &[ChipTag] = &[
    hidden(0x57, "二磁道等效数据"),
    hidden(0x5A, "应用主账号"),
    hidden(0x5F20, "持卡人姓名"),
    hidden(0x5F24, "应用失效日期"),
    open(0x5F2A, "交易货币代码"),
    hidden(0x5F34, "应用主账号序列号"),
    hidden(0x71, "发卡行脚本模板1"),
    hidden(0x72, "发卡行脚本模板2"),
    open(0x82, "应用交互特征"),
    open(0x84, "专用文件名称"),
    hidden(0x86, "发卡行脚本命令"),
    open(0x8A, "授权响应代码"),
    hidden(0x91, "发卡行认证数据"),
    open(0x95, "终端验证结果"),
    open(0x9A, "交易日期"),
    open(0x9C, "交易类型"),
    open(0x9F02, "授权金额"),
    open(0x9F03, "其他金额"),
    open(0x9F06, "应用标识符"),
    open(0x9F09, "终端应用版本号"),
    hidden(0x9F10, "发卡行应用数据"),
    hidden(0x9F18, "发卡行脚本标识"),
    open(0x9F1A, "终端国家代码"),
    open(0x9F1E, "接口设备序列号"),
    open(0x9F22, "认证中心公钥索引"),
    hidden(0x9F26, "应用密文"),
    open(0x9F27, "密文信息数据"),
    open(0x9F33, "终端性能"),
    open(0x9F34, "持卡人验证方法结果"),
    open(0x9F35, "终端类型"),
    open(0x9F36, "应用交易计数器"),
    hidden(0x9F37, "不可预知数"),
    open(0x9F41, "交易序列计数器"),
    open(0x9F63, "卡产品标识信息"),
    hidden(0x9F74, "电子现金发卡行授权码"),
    open(0xDF31, "发卡行脚本结果"),
];
