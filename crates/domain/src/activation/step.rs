//! The steps of an activation and what the terminal asks for to take each.

crate::text_enum! {
    /// A step of an activation, in the order they are taken.
    pub enum Step {
        /// 激活码已发.
        CodeIssued "code_issued",
        /// 激活码已用.
        Claimed "claimed",
        /// 身份已证.
        IdentityProven "identity_proven",
        /// 兼容.
        Compatible "compatible",
        /// 网络通.
        NetworkOk "network_ok",
        /// 已定位.
        Located "located",
        /// 已备份.
        BackedUp "backed_up",
        /// 密钥已装.
        KeysLoaded "keys_loaded",
        /// 配置已生效.
        ConfigApplied "config_applied",
        /// 已签到.
        SignedIn "signed_in",
        /// 操作员密码已设.
        PinSet "pin_set",
        /// 测试通过.
        Tested "tested",
    }
}

impl Step {
    /// The step that follows; `None` after the test.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.iter().copied().skip_while(|step| *step != self).nth(1)
    }

    /// This step and all before it.
    #[must_use]
    pub fn up_to(self) -> &'static [Self] {
        Self::ALL.split_at_checked(self as usize + 1).map_or(Self::ALL, |(done, _)| done)
    }

    /// The terminal's request that completes this step, as in the path of the control protocol.
    #[must_use]
    pub const fn request(self) -> &'static str {
        match self {
            Self::CodeIssued => "code",
            Self::Claimed => "claim",
            Self::IdentityProven => "identity",
            Self::Compatible => "compatibility",
            Self::NetworkOk => "network",
            Self::Located => "location",
            Self::BackedUp => "backup",
            Self::KeysLoaded => "keys",
            Self::ConfigApplied => "config",
            Self::SignedIn => "sign-in",
            Self::PinSet => "pin",
            Self::Tested => "test",
        }
    }
}
