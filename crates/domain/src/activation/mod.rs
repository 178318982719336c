//! 激活会话: a terminal becoming ready to take money, step by step.
//!
//! A session always knows its `device` and `store`; from the claim on also `device_auth`, the set
//! of keys that proved itself. It resumes from the last completed step: a terminal that lost
//! power simply asks where it stands. `expires_at` ends the code, later the session.

mod apply;
mod step;
#[cfg(test)]
mod tests;

pub use step::Step;

use crate::id::{DeviceAuthId, DeviceId, StoreId};
use crate::instant::Timestamp;
use crate::machine::{Edge, edge};
use crate::party::{Desk, Limit, Owned, Owner, Party, Then, owner};
use crate::reason::ReasonCode;
use crate::requirement::RequirementCode;

crate::facts_enum! {
    /// The state of an activation session, with its facts.
    pub enum Activation {
        /// 激活码已发; `issue` counts the codes of this session.
        CodeIssued "code_issued" { since: Timestamp, device: DeviceId, store: StoreId, expires_at: Timestamp, issue: u32 },
        /// 激活码已用.
        Claimed "claimed" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 身份已证.
        IdentityProven "identity_proven" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 兼容.
        Compatible "compatible" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 网络通.
        NetworkOk "network_ok" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 已定位.
        Located "located" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 已备份.
        BackedUp "backed_up" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 密钥已装.
        KeysLoaded "keys_loaded" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 配置已生效.
        ConfigApplied "config_applied" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 已签到.
        SignedIn "signed_in" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 操作员密码已设.
        PinSet "pin_set" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 测试通过.
        Tested "tested" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 待首笔交易, for plans that have one.
        FirstTxnPending "first_txn_pending" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp },
        /// 已激活.
        Active "active" { since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, receipt: String },
        /// 等待商户就绪: the terminal came first. It goes back to `resume_at` by itself.
        Waiting "waiting" {
            since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp,
            resume_at: Step, requirements: Vec<RequirementCode>,
        },
        /// 已过期.
        Expired "expired" { since: Timestamp, device: DeviceId, store: StoreId, last: Step, issue: u32 },
        /// 失败 at `step`; `last` is the last completed one, where a retry goes on.
        Failed "failed" {
            since: Timestamp, device: DeviceId, store: StoreId, device_auth: DeviceAuthId, expires_at: Timestamp,
            step: Step, code: ReasonCode, last: Step,
        },
        /// 已中止.
        Aborted "aborted" { since: Timestamp, device: DeviceId, store: StoreId, last: Step, by: String, reason: String },
    }
}

crate::facts_enum! {
    /// What moves an activation session.
    pub enum ActivationEvent {
        /// A device used the code; `expires_at` ends the session now begun.
        Claim "claim" { device_auth: DeviceAuthId, expires_at: Timestamp },
        /// The device proved that it holds its keys.
        ProveIdentity "prove_identity" { request_sha256: String },
        /// Model and firmware fit.
        ConfirmCompatible "confirm_compatible" { model: String, firmware: String },
        /// The network test passed on every leg.
        PassNetwork "pass_network" { slowest_leg: String, slowest_ms: u32 },
        /// The device stands where the shop is.
        Locate "locate" { source: String, accuracy_m: u32, distance_m: u32 },
        /// The device keeps the merchant's file.
        BackUp "back_up" { sha256: String },
        /// The device returned the check value of its master key.
        LoadKeys "load_keys" { key_version: u32, kcv: String },
        /// The device runs this configuration.
        ApplyConfig "apply_config" { version: u32, sha256: String },
        /// The device signed in.
        SignIn "sign_in" { key_version: u32 },
        /// The operators have their passwords.
        SetPin "set_pin" { operators: u32 },
        /// The test transaction passed.
        PassTest "pass_test" { printed: bool },
        /// The plan wants a first payment; the terminal takes money meanwhile.
        AwaitFirstPayment "await_first_payment" { plan: String },
        /// Done; `receipt` is the hash of the signed receipt.
        Activate "activate" { receipt: String },
        /// The merchant is not ready yet.
        Wait "wait" { requirements: Vec<RequirementCode> },
        /// The merchant is ready: it goes on, with a new end of the session.
        Resume "resume" { expires_at: Timestamp },
        /// A step failed.
        Fail "fail" { step: Step, code: ReasonCode },
        /// Another try from the last completed step.
        Retry "retry" {},
        /// The time is over.
        Expire "expire" {},
        /// A new code; the old one is void.
        Reissue "reissue" { expires_at: Timestamp },
        /// Given up.
        Abort "abort" { by: String, reason: String },
    }
}

/// Every legal move of an activation session.
pub const EDGES: &[Edge] = &[
    edge("code_issued", "claim", "claimed"),
    edge("code_issued", "reissue", "code_issued"),
    edge("code_issued", "expire", "expired"),
    edge("code_issued", "abort", "aborted"),
    edge("claimed", "prove_identity", "identity_proven"),
    edge("claimed", "wait", "waiting"),
    edge("claimed", "fail", "failed"),
    edge("claimed", "expire", "expired"),
    edge("claimed", "abort", "aborted"),
    edge("identity_proven", "confirm_compatible", "compatible"),
    edge("identity_proven", "wait", "waiting"),
    edge("identity_proven", "fail", "failed"),
    edge("identity_proven", "expire", "expired"),
    edge("identity_proven", "abort", "aborted"),
    edge("compatible", "pass_network", "network_ok"),
    edge("compatible", "wait", "waiting"),
    edge("compatible", "fail", "failed"),
    edge("compatible", "expire", "expired"),
    edge("compatible", "abort", "aborted"),
    edge("network_ok", "locate", "located"),
    edge("network_ok", "wait", "waiting"),
    edge("network_ok", "fail", "failed"),
    edge("network_ok", "expire", "expired"),
    edge("network_ok", "abort", "aborted"),
    edge("located", "back_up", "backed_up"),
    edge("located", "wait", "waiting"),
    edge("located", "fail", "failed"),
    edge("located", "expire", "expired"),
    edge("located", "abort", "aborted"),
    edge("backed_up", "load_keys", "keys_loaded"),
    edge("backed_up", "wait", "waiting"),
    edge("backed_up", "fail", "failed"),
    edge("backed_up", "expire", "expired"),
    edge("backed_up", "abort", "aborted"),
    edge("keys_loaded", "apply_config", "config_applied"),
    edge("keys_loaded", "fail", "failed"),
    edge("keys_loaded", "expire", "expired"),
    edge("keys_loaded", "abort", "aborted"),
    edge("config_applied", "sign_in", "signed_in"),
    edge("config_applied", "fail", "failed"),
    edge("config_applied", "expire", "expired"),
    edge("config_applied", "abort", "aborted"),
    edge("signed_in", "set_pin", "pin_set"),
    edge("signed_in", "fail", "failed"),
    edge("signed_in", "expire", "expired"),
    edge("signed_in", "abort", "aborted"),
    edge("pin_set", "pass_test", "tested"),
    edge("pin_set", "fail", "failed"),
    edge("pin_set", "expire", "expired"),
    edge("pin_set", "abort", "aborted"),
    edge("tested", "activate", "active"),
    edge("tested", "await_first_payment", "first_txn_pending"),
    edge("tested", "expire", "expired"),
    edge("tested", "abort", "aborted"),
    edge("first_txn_pending", "activate", "active"),
    edge("first_txn_pending", "abort", "aborted"),
    edge("waiting", "wait", "waiting"),
    edge("waiting", "resume", "claimed"),
    edge("waiting", "resume", "identity_proven"),
    edge("waiting", "resume", "compatible"),
    edge("waiting", "resume", "network_ok"),
    edge("waiting", "resume", "located"),
    edge("waiting", "resume", "backed_up"),
    edge("waiting", "abort", "aborted"),
    edge("failed", "retry", "claimed"),
    edge("failed", "retry", "identity_proven"),
    edge("failed", "retry", "compatible"),
    edge("failed", "retry", "network_ok"),
    edge("failed", "retry", "located"),
    edge("failed", "retry", "backed_up"),
    edge("failed", "retry", "keys_loaded"),
    edge("failed", "retry", "config_applied"),
    edge("failed", "retry", "signed_in"),
    edge("failed", "retry", "pin_set"),
    edge("failed", "expire", "expired"),
    edge("failed", "abort", "aborted"),
    edge("expired", "reissue", "code_issued"),
    edge("expired", "abort", "aborted"),
];

const SESSION: Limit = Limit::Until("expires_at", Then::Apply("expire"));

impl Owned for Activation {
    const OWNERS: &'static [Owner] = &[
        owner("code_issued", Party::Merchant, SESSION),
        owner("claimed", Party::Device, SESSION),
        owner("identity_proven", Party::Device, SESSION),
        owner("compatible", Party::Device, SESSION),
        owner("network_ok", Party::Device, SESSION),
        owner("located", Party::Device, SESSION),
        owner("backed_up", Party::Device, SESSION),
        owner("keys_loaded", Party::Device, SESSION),
        owner("config_applied", Party::Device, SESSION),
        owner("signed_in", Party::Merchant, SESSION),
        owner("pin_set", Party::Device, SESSION),
        owner("tested", Party::Us(Desk::Operations), SESSION),
        owner(
            "first_txn_pending",
            Party::Merchant,
            Limit::Unlimited("the offer has its own window, and nothing is held"),
        ),
        owner(
            "waiting",
            Party::Merchant,
            Limit::Unlimited("each requirement it waits for has its own deadline"),
        ),
        owner("expired", Party::Merchant, Limit::Unlimited("a new code may be asked for at any time")),
        owner("failed", Party::Device, SESSION),
    ];
}

crate::machine!(Activation, ActivationEvent, "activation", EDGES, apply::apply);
