//! The eleven steps of an activation, as `docs/protocol/terminal-control.md` numbers them.

use serde::{Deserialize, Serialize};

use crate::screen::Language;

/// One step of an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Redeeming the activation code.
    Claim,
    /// Proving the device key.
    Identity,
    /// Model, firmware, printer, positioning.
    Compatibility,
    /// Network self-test.
    Network,
    /// Where the terminal stands.
    Location,
    /// The merchant's data, kept and checked before anything changes.
    Backup,
    /// Terminal master key and device certificate.
    Keys,
    /// Configuration.
    Configuration,
    /// First sign-in (签到).
    SignIn,
    /// Operator PINs (操作员密码).
    Pin,
    /// Zero-amount test.
    Test,
}

impl Step {
    /// Every step in order.
    pub const ALL: [Self; 11] = [
        Self::Claim,
        Self::Identity,
        Self::Compatibility,
        Self::Network,
        Self::Location,
        Self::Backup,
        Self::Keys,
        Self::Configuration,
        Self::SignIn,
        Self::Pin,
        Self::Test,
    ];

    /// Its name in reports and in the journal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Identity => "identity",
            Self::Compatibility => "compatibility",
            Self::Network => "network",
            Self::Location => "location",
            Self::Backup => "backup",
            Self::Keys => "keys",
            Self::Configuration => "config",
            Self::SignIn => "sign_in",
            Self::Pin => "pin",
            Self::Test => "test",
        }
    }

    /// The name that `completed` holds once the step is done.
    #[must_use]
    pub const fn completes(self) -> &'static str {
        match self {
            Self::Claim => "claimed",
            Self::Identity => "identity_proven",
            Self::Compatibility => "compatible",
            Self::Network => "network_ok",
            Self::Location => "located",
            Self::Backup => "backed_up",
            Self::Keys => "keys_loaded",
            Self::Configuration => "config_applied",
            Self::SignIn => "signed_in",
            Self::Pin => "pin_set",
            Self::Test => "tested",
        }
    }

    /// Its number in the protocol, from 1.
    #[must_use]
    pub const fn number(self) -> usize {
        self as usize + 1
    }

    /// The first step whose name is not in `completed`; `None` when all are done.
    #[must_use]
    pub fn next_after(completed: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|step| !completed.iter().any(|done| done == step.completes()))
    }

    /// What the screen calls it.
    #[must_use]
    pub const fn title(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Claim, Language::Zh) => "激活码",
            (Self::Claim, Language::En) => "Activation code",
            (Self::Identity, Language::Zh) => "设备身份",
            (Self::Identity, Language::En) => "Device identity",
            (Self::Compatibility, Language::Zh) => "机型与固件",
            (Self::Compatibility, Language::En) => "Model and firmware",
            (Self::Network, Language::Zh) => "网络自检",
            (Self::Network, Language::En) => "Network self-test",
            (Self::Location, Language::Zh) => "位置",
            (Self::Location, Language::En) => "Location",
            (Self::Backup, Language::Zh) => "商户资料备份",
            (Self::Backup, Language::En) => "Merchant data backup",
            (Self::Keys, Language::Zh) => "密钥与证书",
            (Self::Keys, Language::En) => "Keys and certificate",
            (Self::Configuration, Language::Zh) => "参数下载",
            (Self::Configuration, Language::En) => "Configuration",
            (Self::SignIn, Language::Zh) => "签到",
            (Self::SignIn, Language::En) => "Sign-in",
            (Self::Pin, Language::Zh) => "操作员密码",
            (Self::Pin, Language::En) => "Operator PIN",
            (Self::Test, Language::Zh) => "零金额测试",
            (Self::Test, Language::En) => "Zero-amount test",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_the_completed_list_and_not_its_order() {
        let done = |count: usize| -> Vec<String> {
            let mut names: Vec<String> =
                Step::ALL[..count].iter().map(|step| step.completes().to_owned()).collect();
            names.insert(0, "code_issued".to_owned());
            names.reverse();
            names
        };
        assert_eq!(Step::next_after(&[]), Some(Step::Claim));
        assert_eq!(Step::next_after(&done(4)), Some(Step::Location));
        assert_eq!(Step::next_after(&done(11)), None);
        assert_eq!(Step::Test.number(), 11);
    }
}
