//! What keeps money from going out, and capabilities that were stopped.

use super::list::{Entry, List};
use super::{AccountChangeStatus, DueStatus, RequirementCode as R, SettlementStatus};
use crate::capability::Capability;
use crate::field::FormField;
use crate::party::Party;
use crate::reason::ReasonCode;

/// Adds what concerns the settlement account and stopped capabilities.
pub(super) fn add(list: &mut List<'_>) {
    let situation = list.situation;
    let account = |status| {
        Entry::new(R::SettlementAccountUnverified, status).at(FormField::SettlementCardNumber.as_str())
    };
    match situation.settlement {
        SettlementStatus::Live => {}
        SettlementStatus::Unverified => list.push(account(DueStatus::EventuallyDue)),
        SettlementStatus::UnderVerification => list.push(account(DueStatus::PendingVerification)),
        SettlementStatus::Refused => {
            let entry = account(DueStatus::CurrentlyDue).awaiting(Party::Merchant);
            list.push(entry.because(&[ReasonCode::C301]));
        }
    }
    match situation.account_change {
        AccountChangeStatus::Closed => {}
        AccountChangeStatus::Open => list.push(Entry::new(R::AccountChangeOpen, DueStatus::CurrentlyDue)),
    }
    for (kind, capability) in &situation.capabilities {
        match capability {
            Capability::Paused { .. } => {
                let entry = Entry::new(R::CapabilityPaused, DueStatus::CurrentlyDue).at(kind.as_str());
                list.push_timed(entry.blocking(&[*kind]), capability);
            }
            Capability::Rejected { reasons, .. } => {
                let entry = Entry::new(R::CapabilityRejected, DueStatus::CurrentlyDue).at(kind.as_str());
                list.push(entry.blocking(&[*kind]).because(reasons));
            }
            Capability::Unrequested { .. }
            | Capability::Pending { .. }
            | Capability::Valid { .. }
            | Capability::Invalid { .. } => {}
        }
    }
}
