//! 承运商.

use super::{AdapterName, Answer};
use secrecy::SecretString;
use starpay_domain::instant::Timestamp;

/// A parcel to be carried.
#[derive(Debug, Clone)]
pub struct ParcelRequest {
    /// Our shipment and its packing: the idempotency key at the carrier. A parcel sent again is another.
    pub reference: String,
    /// Where to.
    pub address: SecretString,
    /// Whom to call.
    pub mobile: SecretString,
}

/// What happened to a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackingStatus {
    /// 揽收/运输中.
    InTransit,
    /// 已签收.
    Delivered,
    /// 无法投递.
    Undeliverable,
    /// 丢失.
    Lost,
}

/// One tracking entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingEvent {
    /// What happened.
    pub status: TrackingStatus,
    /// When, by the carrier's clock.
    pub at: Timestamp,
}

/// 快递/物流.
pub trait Carrier: Send + Sync {
    /// Who answers.
    fn adapter(&self) -> AdapterName;
    /// The name under which parcels are handed over to it.
    fn carrier(&self) -> &'static str;
    /// Orders the pick-up and answers the tracking number; the same reference is one parcel.
    fn order(&self, parcel: ParcelRequest) -> Answer<'_, String>;
    /// Everything known of a parcel, oldest first.
    fn track(&self, tracking_no: String) -> Answer<'_, Vec<TrackingEvent>>;
}
