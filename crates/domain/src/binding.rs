//! 一机一户: when a terminal may be bound to a merchant, and the five elements that
//! must be known before (259 号文).

/// How a terminal stands with respect to binding. `M` names a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindingState<M> {
    /// Not in our stock: mistyped, or not ours.
    Unknown,
    /// Nobody's: in stock, or closed and the closure reported.
    Free,
    /// Set aside for, or used by, this merchant.
    Bound(M),
    /// Closed, but the closure is not reported yet: nobody may have it.
    ClosedUnreported,
    /// Lost, opened, in repair or scrapped.
    Blocked,
}

/// A binding that may go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The terminal becomes the merchant's.
    New,
    /// It is already the merchant's: nothing to do, and no error.
    Already,
}

impl Binding {
    /// The name of the outcome.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "accept",
            Self::Already => "idempotent_ok",
        }
    }
}

crate::text_enum! {
    /// Why a terminal cannot be bound.
    pub enum BindingRefusal {
        /// T001: the serial is not in our stock.
        NotInStock "sn_not_in_stock",
        /// T002: it is another merchant's (who is never said).
        BoundToOther "sn_bound_to_other",
        /// T003: its former merchant's closure is not reported yet.
        DeregistrationNotReported "deregistration_not_reported",
        /// T004: lost, opened, in repair or scrapped.
        Blocked "sn_blocked",
    }
}

impl BindingRefusal {
    /// The platform's activation error code (domain rules §5.5).
    #[must_use]
    pub const fn activation_code(self) -> &'static str {
        match self {
            Self::NotInStock => "T001",
            Self::BoundToOther => "T002",
            Self::DeregistrationNotReported => "T003",
            Self::Blocked => "T004",
        }
    }

    /// What to do about it, in Chinese.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NotInStock => "序列号不在库,请扫机身条码并核对易混字符 O/0、I/1",
            Self::BoundToOther => "终端已绑定其他商户,请联系原渠道并提交购机凭证",
            Self::DeregistrationNotReported => "原商户的注销尚未报送完成,处理中",
            Self::Blocked => "终端已挂失、拆机锁定或停用,请返厂或换机",
        }
    }
}

/// Whether the terminal may be bound to `merchant`. One terminal has one merchant at a time; one
/// merchant may have many.
///
/// # Errors
/// The refusal, with its code.
pub fn bind<M: PartialEq>(state: &BindingState<M>, merchant: &M) -> Result<Binding, BindingRefusal> {
    match state {
        BindingState::Unknown => Err(BindingRefusal::NotInStock),
        BindingState::Free => Ok(Binding::New),
        BindingState::Bound(present) if present == merchant => Ok(Binding::Already),
        BindingState::Bound(_) => Err(BindingRefusal::BoundToOther),
        BindingState::ClosedUnreported => Err(BindingRefusal::DeregistrationNotReported),
        BindingState::Blocked => Err(BindingRefusal::Blocked),
    }
}

crate::text_enum! {
    /// 五要素 that hang on every terminal serial.
    pub enum BindingElement {
        /// 收单机构代码.
        AcquirerCode "acquirer_code",
        /// 商户编码.
        MerchantCode "merchant_code",
        /// 统一社会信用代码, for 小微 the principal's identity number.
        SubjectNumber "merchant_uscc_or_principal_id",
        /// 收单结算账户.
        SettlementAccount "settlement_account",
        /// 布放地理位置.
        InstallLocation "install_location",
    }
}

/// The elements still missing, in the order of the rule: a terminal goes on the network only
/// when there are none.
#[must_use]
pub fn missing_elements(known: &[BindingElement]) -> Vec<BindingElement> {
    BindingElement::ALL.iter().copied().filter(|element| !known.contains(element)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_one_merchant_at_a_time() {
        let bind_m1 = |state: BindingState<&str>| bind(&state, &"M1");
        assert_eq!(bind_m1(BindingState::Free), Ok(Binding::New));
        assert_eq!(bind_m1(BindingState::Bound("M1")), Ok(Binding::Already));
        assert_eq!(bind_m1(BindingState::Bound("M2")), Err(BindingRefusal::BoundToOther));
        assert_eq!(bind_m1(BindingState::ClosedUnreported), Err(BindingRefusal::DeregistrationNotReported));
        assert_eq!(bind_m1(BindingState::Blocked), Err(BindingRefusal::Blocked));
        assert_eq!(bind_m1(BindingState::Unknown), Err(BindingRefusal::NotInStock));
    }

    #[test]
    fn all_five_elements_are_needed() {
        assert_eq!(missing_elements(BindingElement::ALL), []);
        assert_eq!(missing_elements(&[]), BindingElement::ALL);
        assert_eq!(missing_elements(&BindingElement::ALL[..4]), [BindingElement::InstallLocation]);
    }
}
