//! The invented merchant of the demo. Every number only satisfies its check rule; none belongs to
//! anybody (see `testdata/format.md`).

/// One merchant and its terminal.
pub(crate) struct Identity {
    /// 手机号.
    pub(crate) mobile: &'static str,
    /// E-mail.
    pub(crate) email: &'static str,
    /// 操作员密码 the owner chooses.
    pub(crate) pin: &'static str,
    /// Terminal serial (TUSN).
    pub(crate) serial: &'static str,
    /// Terminal model.
    pub(crate) model: &'static str,
    /// Form field to text.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// Document kind, media type, picture.
    pub(crate) documents: &'static [(&'static str, &'static str, &'static [u8])],
}

macro_rules! specimen {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/specimens/", $name))
    };
}

/// 个体工商户: a noodle shop.
pub(crate) const NOODLE_SHOP: Identity = Identity {
    mobile: "15400000001",
    email: "lin@example.test",
    pin: "739164",
    serial: "99990004STAR00000001",
    model: "STAR-A1",
    fields: &[
        ("licence.uscc", "92440399MA5DEM039F"),
        ("licence.name", "深圳市样例区星光小面馆"),
        ("licence.address", "广东省深圳市样例区样例路99号"),
        ("licence.scope", "餐饮服务"),
        ("licence.valid_to", "长期"),
        ("principal.name", "林样例"),
        ("principal.id_number", "440399200002291128"),
        ("principal.id_valid_from", "2020-03-01"),
        ("principal.id_valid_to", "2040-03-01"),
        ("principal.full_capacity", "true"),
        ("shop.name", "星光小面馆"),
        ("shop.address", "广东省深圳市样例区样例路99号"),
        ("shop.latitude_e6", "22543096"),
        ("shop.longitude_e6", "114057865"),
        ("shop.mcc", "5812"),
        ("shop.fixed", "true"),
        ("business.monthly_volume_fen", "3000000"),
        ("settlement.kind", "own_card"),
        ("settlement.holder", "林样例"),
        ("settlement.card_number", "6200 0000 0000 0013"),
        ("contact.mobile", "15400000001"),
        ("contact.email", "lin@example.test"),
        ("consents.privacy", "true"),
        ("consents.fees", "true"),
        ("consents.risk_notice", "true"),
    ],
    documents: &[
        ("licence", "image/png", specimen!("licence.png")),
        ("id_front", "image/png", specimen!("id_front.png")),
        ("id_back", "image/png", specimen!("id_back.png")),
        ("shop_front", "image/jpeg", specimen!("shop_front.jpg")),
        ("shop_inside", "image/jpeg", specimen!("shop_inside.jpg")),
        ("cashier", "image/jpeg", specimen!("cashier.jpg")),
        ("settle_card", "image/png", specimen!("settle_card.png")),
    ],
};
