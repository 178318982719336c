//! 主体类型: what kind of subject applies.

crate::text_enum! {
    /// 主体类型. Decides which documents, accounts and limits apply (domain rules §2.1).
    pub enum SubjectType {
        /// 小微: an unregistered small shop with a real place of business.
        Micro "micro",
        /// 个体工商户.
        SoleProprietor "sole_proprietor",
        /// 企业, including cooperatives.
        Enterprise "enterprise",
        /// 其他组织: public institutions, associations, village collectives …
        OtherOrg "other_org",
    }
}
