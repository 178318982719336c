//! The transaction matrix (交易矩阵): which message is which transaction.

use crate::error::{Error, Place, Reason, Result};
use crate::message::Message;
use crate::mti::Mti;

/// How a transaction is written in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its Chinese name.
    pub chinese: &'static str,
    /// Message types of requests; the first is what we send.
    pub requests: &'static [Mti],
    /// Field 3, or its first digits where a card's account type follows; `None`: not sent.
    pub processing: Option<&'static str>,
    /// Field 25; `None`: not sent.
    pub condition: Option<&'static str>,
    /// Field 60.1; `None`: that of the original transaction.
    pub kind: Option<&'static str>,
    /// Field 60.3; the first is what we send.
    pub network: &'static [&'static str],
    /// Whether the request carries a message authentication code.
    pub mac: MacRule,
    /// Whether it can be reversed by 0400.
    pub is_reversible: bool,
    /// How many sources say so.
    pub source: Source,
}

/// Whether a message carries a message authentication code (field 64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacRule {
    /// It must.
    Required,
    /// It does not.
    None,
    /// Hosts differ: answers of the key downloads carry one on a live host.
    HostDecides,
}

/// How certain a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Independent implementations agree.
    Several,
    /// One implementation says so.
    One,
}

const fn money(
    requests: &'static [Mti],
    processing: &'static str,
    condition: &'static str,
    kind: &'static str,
    chinese: &'static str,
) -> Row {
    Row {
        chinese,
        requests,
        processing: Some(processing),
        condition: Some(condition),
        kind: Some(kind),
        network: &["000"],
        mac: MacRule::Required,
        is_reversible: false,
        source: Source::Several,
    }
}

const fn reversible(row: Row) -> Row {
    Row { is_reversible: true, ..row }
}

const fn one_source(row: Row) -> Row {
    Row { source: Source::One, ..row }
}

const fn management(
    requests: &'static [Mti],
    network: &'static [&'static str],
    chinese: &'static str,
) -> Row {
    Row {
        chinese,
        requests,
        processing: None,
        condition: None,
        kind: Some("00"),
        network,
        mac: MacRule::None,
        is_reversible: false,
        source: Source::Several,
    }
}

const AUTHORIZE: &[Mti] = &[Mti::literal(0x0100)];
const FINANCIAL: &[Mti] = &[Mti::literal(0x0200)];
const ADVICE: &[Mti] = &[Mti::literal(0x0220)];
const BATCH: &[Mti] = &[Mti::literal(0x0320)];
const SETTLE: &[Mti] = &[Mti::literal(0x0500)];
const SCRIPT: &[Mti] = &[Mti::literal(0x0620)];
const SIGN: &[Mti] = &[Mti::literal(0x0800)];
const MANAGE: &[Mti] = &[Mti::literal(0x0820)];
const SIGN_OR_MANAGE: &[Mti] = &[Mti::literal(0x0800), Mti::literal(0x0820)];
const SIGNATURE: &[&str] = &["800", "801", "802", "803", "804", "805", "806", "807", "808", "809"];

/// Enum, list and table of all transactions from one place, so that none can be forgotten.
macro_rules! transactions {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)*) => {
        /// A transaction of the matrix. Reversals are a [`Role`] of the transaction they reverse.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Transaction {
            $($(#[$doc])* $name,)*
        }

        impl Transaction {
            /// Every transaction.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// How it is written in a message.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => {
                        const ROW: Row = $row;
                        &ROW
                    })*
                }
            }
        }
    };
}

transactions! {
    /// Sign-in with single-length working keys.
    SignInSingle = management(SIGN, &["001"], "签到(单倍长密钥)");
    /// Sign-in with double-length working keys.
    SignInDouble = management(SIGN, &["003"], "签到(双倍长密钥)");
    /// Sign-in with double-length working keys and a track key.
    SignInTrack = management(SIGN, &["004"], "签到(双倍长密钥含磁道密钥)");
    /// Sign-in with SM4 working keys: 005 in one source, 006 in another.
    SignInSm4 = one_source(management(SIGN, &["005", "006"], "签到(国密)"));
    /// Cashier's sign-in for points.
    CashierSignIn = one_source(management(MANAGE, &["401"], "收银员积分签到"));
    /// Sign-out.
    SignOut = management(MANAGE, &["002"], "签退");
    /// Echo test.
    EchoTest = management(MANAGE, &["301"], "回响测试");
    /// Balance inquiry.
    BalanceInquiry = money(FINANCIAL, "310000", "00", "01", "余额查询");
    /// Sale, by card or by the customer's code.
    Sale = reversible(money(FINANCIAL, "000000", "00", "22", "消费"));
    /// Sale void.
    SaleVoid = reversible(money(FINANCIAL, "200000", "00", "23", "消费撤销"));
    /// Refund.
    Refund = money(ADVICE, "200000", "00", "25", "退货");
    /// Pre-authorization.
    PreAuthorization = reversible(money(AUTHORIZE, "030000", "06", "10", "预授权"));
    /// Pre-authorization void.
    PreAuthorizationVoid = reversible(money(AUTHORIZE, "200000", "06", "11", "预授权撤销"));
    /// Completion of a pre-authorization, as a request.
    Completion = reversible(money(FINANCIAL, "000000", "06", "20", "预授权完成(请求)"));
    /// Void of a completion.
    CompletionVoid = reversible(money(FINANCIAL, "200000", "06", "21", "预授权完成撤销"));
    /// Completion of a pre-authorization, as an advice.
    CompletionAdvice = money(ADVICE, "000000", "06", "24", "预授权完成(通知)");
    /// Adjustment of what is settled.
    Adjustment = money(ADVICE, "000000", "00", "32", "结算调整");
    /// Tip added to a sale.
    Tip = money(ADVICE, "000000", "00", "34", "小费调整");
    /// Upload of a sale made off line.
    OfflineSale = money(FINANCIAL, "000000", "00", "36", "离线消费上送");
    /// Electronic cash: load from the bound account.
    LoadBound = money(FINANCIAL, "60", "91", "45", "电子现金指定账户圈存");
    /// Electronic cash: load with cash.
    LoadCash = money(FINANCIAL, "63", "91", "46", "电子现金现金充值");
    /// Electronic cash: load from another account.
    LoadUnbound = money(FINANCIAL, "62", "91", "47", "电子现金非指定账户圈存");
    /// Electronic cash: void of a load with cash.
    LoadCashVoid = money(FINANCIAL, "17", "91", "51", "电子现金现金充值撤销");
    /// Batch settlement.
    Settlement = management(SETTLE, &["201"], "批结算");
    /// Batch upload: stripe records.
    BatchStripe = management(BATCH, &["201"], "批上送(磁条卡)");
    /// Batch upload: records of advices, each with its own fields 3, 25 and 60.1.
    BatchAdvice = Row { kind: None, ..management(BATCH, &["000"], "批上送(通知类)") };
    /// Batch upload: chip records (203 balanced, 205 not balanced, 204 and 206 failed or risk).
    BatchChip = management(BATCH, &["203", "205", "204", "206"], "批上送(IC卡TC)");
    /// End of the batch upload (207 balanced, 202 not balanced).
    BatchEnd = management(BATCH, &["207", "202"], "批上送结束");
    /// Result of an issuer's script; fields 3 and 25 as in the original.
    ScriptResult = Row { mac: MacRule::Required, ..management(SCRIPT, &["951"], "脚本处理结果通知") };
    /// Download of magnetic-stripe parameters.
    MagneticParameters = management(SIGN, &["360"], "磁条卡参数下载");
    /// End of that download. From memory, no source read.
    MagneticParametersEnd = one_source(management(SIGN, &["361"], "磁条卡参数下载结束"));
    /// Upload of the terminal's state, which asks for parameters.
    StatusUpload = management(MANAGE, &["362"], "状态上送");
    /// List of CA keys.
    CaKeyList = Row { mac: MacRule::HostDecides, ..management(MANAGE, &["372"], "公钥参数查询") };
    /// Download of a CA key (373: SM keys).
    CaKeyDownload = Row { mac: MacRule::HostDecides, ..management(SIGN, &["370", "373"], "公钥参数下载") };
    /// End of that download.
    CaKeyEnd = management(SIGN, &["371"], "公钥参数下载结束");
    /// List of chip applications' parameters.
    ChipParameterList = management(MANAGE, &["382"], "IC卡参数查询");
    /// Download of a chip application's parameters.
    ChipParameterDownload = management(SIGN, &["380"], "IC卡参数下载");
    /// End of that download.
    ChipParameterEnd = management(SIGN, &["381"], "IC卡参数下载结束");
    /// Download of the card blacklist.
    Blacklist = management(SIGN, &["390"], "黑名单下载");
    /// End of that download.
    BlacklistEnd = management(SIGN, &["391"], "黑名单下载结束");
    /// Download of contactless parameters.
    ContactlessParameters = management(SIGN, &["394"], "非接业务参数下载");
    /// End of that download.
    ContactlessParametersEnd = management(SIGN, &["395"], "非接业务参数下载结束");
    /// Download of the list B of cards that need no PIN.
    NoPinListB = management(SIGN, &["396"], "免密卡BIN表B下载");
    /// End of that download.
    NoPinListBEnd = management(SIGN, &["397"], "免密卡BIN表B下载结束");
    /// Download of the list C of cards that need no PIN.
    NoPinListC = management(SIGN, &["398"], "免密卡BIN表C下载");
    /// End of that download.
    NoPinListCEnd = management(SIGN, &["399"], "免密卡BIN表C下载结束");
    /// Upload of an electronic signature (801 to 809: parts).
    SignatureUpload =
        Row { kind: Some("07"), mac: MacRule::Required, ..management(MANAGE, SIGNATURE, "电子签名上送") };
    /// Download of the terminal's master key, in private dialects.
    MasterKeyDownload = one_source(Row {
        mac: MacRule::HostDecides,
        ..management(SIGN_OR_MANAGE, &["101", "102"], "主密钥远程下载")
    });
}

/// Which side of a transaction a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The terminal asks.
    Request,
    /// The host answers.
    Response,
    /// The terminal takes the transaction back (冲正).
    Reversal,
    /// The host answers that.
    ReversalResponse,
}

/// A message recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identified {
    /// The transaction; of a reversal, the one that is reversed.
    pub transaction: Transaction,
    /// Which side of it the message is.
    pub role: Role,
}

pub(super) const REVERSAL: Mti = Mti::literal(0x0400);
const REVERSAL_RESPONSE: Mti = Mti::literal(0x0410);

impl Identified {
    /// Recognises a message by message type and fields 3, 25, 60.1 and 60.3. `None` when it is of
    /// no row of the matrix.
    ///
    /// An answer may leave fields out; what it has must fit.
    #[must_use]
    pub fn read(message: &Message<'_>) -> Option<Self> {
        let mti = message.mti();
        let role = match (mti, mti.request()) {
            (REVERSAL, _) => Role::Reversal,
            (REVERSAL_RESPONSE, _) => Role::ReversalResponse,
            (_, None) => Role::Request,
            (_, Some(_)) => Role::Response,
        };
        let request = mti.request().unwrap_or(mti);
        let fits = |transaction: &&Transaction| {
            let row = transaction.row();
            let of_type = match role {
                Role::Request | Role::Response => row.requests.contains(&request),
                Role::Reversal | Role::ReversalResponse => row.is_reversible,
            };
            of_type && row.fits(message, role)
        };
        let transaction = Transaction::ALL.iter().find(fits).copied()?;
        Some(Self { transaction, role })
    }

    /// The message type that this transaction has in this role.
    ///
    /// # Errors
    /// [`Reason::Value`] for a reversal of what cannot be reversed.
    pub fn mti(self) -> Result<Mti> {
        let refuse = Error::new(Place::MessageType, 0, Reason::Value);
        let row = self.transaction.row();
        let request = row.requests.first().copied().ok_or(refuse)?;
        match self.role {
            Role::Request => Ok(request),
            Role::Response => request.response().ok_or(refuse),
            Role::Reversal if row.is_reversible => Ok(REVERSAL),
            Role::ReversalResponse if row.is_reversible => Ok(REVERSAL_RESPONSE),
            Role::Reversal | Role::ReversalResponse => Err(refuse),
        }
    }
}

impl Row {
    fn fits(&self, message: &Message<'_>, role: Role) -> bool {
        let may_be_absent = matches!(role, Role::Response | Role::ReversalResponse);
        // A reversal may carry its original's field 25 or leave it out.
        let has = |number: u8, from: usize, expected: &str| match message.field(number) {
            None => may_be_absent,
            Some(field) if field.len() <= from => may_be_absent,
            Some(field) => expected
                .bytes()
                .enumerate()
                .all(|(at, digit)| field.digit(from.saturating_add(at)) == Some(digit & 0x0F)),
        };
        let identified_by_60 = message.field(60).is_some_and(|field| field.len() >= 2);
        let kind = self.kind.is_none_or(|kind| has(60, 0, kind));
        let network = self.network.iter().any(|code| has(60, 8, code));
        let processing = self.processing.is_none_or(|code| has(3, 0, code));
        let condition = self.condition.is_none_or(|code| has(25, 0, code));
        identified_by_60 && kind && network && processing && condition
    }
}

impl Transaction {
    /// Fields 3, 25, 60.1 and 60.3 as a request carries them; what a row leaves to the card or the
    /// original is `None`.
    #[must_use]
    pub fn request_codes(
        self,
    ) -> (Option<&'static str>, Option<&'static str>, Option<&'static str>, &'static str) {
        let row = self.row();
        let processing = row.processing.filter(|code| code.len() == 6);
        (processing, row.condition, row.kind, row.network.first().copied().unwrap_or("000"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, UNIONPAY_POS, Value};

    fn message(mti: Mti, row: &Row, network: &str, role: Role) -> Vec<u8> {
        let mut draft = Draft::new(&UNIONPAY_POS, mti);
        if let Some(code) = row.processing {
            draft.set(3, Value::Digits(&format!("{code:0<6}"))).unwrap();
        }
        if let Some(code) = row.condition.filter(|_| role != Role::Response) {
            draft.set(25, Value::Digits(code)).unwrap();
        }
        let kind = row.kind.unwrap_or("25");
        draft.set(60, Value::Digits(&format!("{kind}000001{network}60"))).unwrap();
        draft.to_bytes().unwrap()
    }

    #[test]
    fn every_transaction_is_recognised_in_every_role_and_no_other_is() {
        for transaction in Transaction::ALL {
            let row = transaction.row();
            for network in row.network {
                for role in [Role::Request, Role::Response, Role::Reversal, Role::ReversalResponse] {
                    let identified = Identified { transaction: *transaction, role };
                    let Ok(mti) = identified.mti() else {
                        assert!(!row.is_reversible);
                        continue;
                    };
                    let bytes = message(mti, row, network, role);
                    let read = Message::read(&UNIONPAY_POS, &bytes).unwrap();
                    assert_eq!(Identified::read(&read), Some(identified), "{network}");
                }
            }
        }
    }

    #[test]
    fn a_request_without_its_codes_is_nobodys() {
        let bytes = |draft: &mut Draft| draft.to_bytes().unwrap();
        let none = |bytes: &[u8]| Identified::read(&Message::read(&UNIONPAY_POS, bytes).unwrap());
        let mut sale = Draft::new(&UNIONPAY_POS, Mti::literal(0x0200));
        assert_eq!(none(&bytes(&mut sale)), None);
        sale.set(60, Value::Digits("22000001000")).unwrap();
        assert_eq!(none(&bytes(&mut sale)), None, "no field 3");
        // A wallet's own processing code is no row of ours.
        sale.set(3, Value::Digits("700000")).unwrap().set(25, Value::Digits("00")).unwrap();
        assert_eq!(none(&bytes(&mut sale)), None);
    }
}
