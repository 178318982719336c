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
