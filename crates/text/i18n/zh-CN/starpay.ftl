# 星支付文案 · 简体中文
# 与 en/starpay.ftl 同键、同序、同参数（有测试核对）。每条错误都说明：发生了什么、为何、下一步怎么办。


## 品牌与每页都有的话

brand-name = 星支付
sandbox-mark = 沙箱 · 示例数据
sandbox-meaning = 这里的商户、证件、卡号和终端都是编造的，不会发生真实的收款。
page-skip = 跳到正文
page-licence = { $acquirer } · 支付业务许可证 { $licence }
page-licence-unset = 收单机构：未配置（演示部署，不受理真实申请）
page-licence-why = 请只向上面这家持牌机构提交证件和银行卡。星支付是它使用的软件，不经手资金。
page-version = 版本 { $version }
page-source = 开源 · 可自行部署
page-nav = 主要栏目
lost-home = 回到首页

## 首页

home-title = 一台 POS，从申请到已激活
home-lead = 星支付是给支付公司用的开放平台：把 POS 终端放进小店，并管好它的一生。进件、核实、签约、寄送、激活，每一步谁在办、办多久、还差什么，商户随时看得见。
home-for-title = 为谁而做
home-for-merchant = 店主
home-for-merchant-text = 一页看清还差什么、该谁办、要多久。被退回时只改点名的那一项。
home-for-operator = 支付公司
home-for-operator-text = 审核、核实、物流、风控用同一份事实；每一次变化都留下是谁、何时、为何。
home-for-integrator = 接入方
home-for-integrator-text = 开放接口与虚拟终端：十分钟内激活第一台。

## 旅程：一位商户从申请到终端已激活

journey-title = 现场：一位商户的全程
journey-merchant = { $merchant }的开通过程
journey-waiting = 演示即将开始。每完成一步，这里就多一行。
journey-not-begun = 等待开始
journey-running = 进行中
journey-finished = 全部完成
journey-stopped = 停住了
journey-steps-done = 已完成 { $done } 步
journey-elapsed = 共用时 { $time }
journey-done = 已完成
journey-now = 正在进行
journey-next = 接下来
journey-failed = 没有成功
journey-live = 实时
journey-reload = 刷新本页可看到最新进展。
journey-offline = 实时连接断开，正在重连；刷新本页也能看到最新进展。
journey-absent-title = 这里没有运行演示
journey-absent = 用 starpay demo 启动，首页就会现场演示一位商户从申请到终端已激活的全过程。
duration-ms = { $n } 毫秒
duration-s = { $n } 秒
duration-min = { $m } 分 { $s } 秒
wait-now = 即时
wait-minutes = 约 { $n } 分钟
wait-hours = 约 { $n } 小时
wait-days = 约 { $n } 天
phase-apply = 申请
phase-verify = 核实
phase-sign = 签约
phase-ship = 寄送
phase-activate = 激活

## 为什么还不行

why-title = 还差什么
why-count = 还差 { $n } 项
why-more = 还有 { $n } 项
why-none = 什么都不差了
why-none-text = 所有条件都已满足，终端可以使用。
why-unknown = 申请提交后，这里会列出每一项、该谁办、预计多久。
why-cleared = 已解决 { $n } 项
why-who = 由谁办
why-wait = 预计
why-blocks = 影响：{ $list }
list-separator = 、
why-curve = 每一步之后还差的项数

## 画出来的虚拟终端

terminal-title = 虚拟终端
terminal-serial = 序列号 { $serial }
terminal-inactive = 未激活
terminal-active = 已激活
terminal-waiting = 等待商户资料
terminal-out = 不可用
terminal-off = 尚未开机
terminal-steps = { $done } / { $total }
terminal-ready = 测试交易已通过
terminal-receipt-test = 测试交易
terminal-receipt-amount = 金额 0.00 元
terminal-receipt-ok = 成功
receipt-merchant_no = 商户编号 { $value }
receipt-terminal_no = 终端编号 { $value }
receipt-serial = 序列号 { $value }
receipt-time = 时间 { $value }

## 开发收件箱（只在沙箱）

outbox-title = 开发收件箱
outbox-banner = 仅沙箱：这些消息没有真正发出
outbox-banner-text = 短信和邮件本应发给商户，这里原样展示，方便走完流程。正式部署没有这个页面。
outbox-empty = 还没有消息
outbox-empty-text = 当平台要通知商户时，短信和邮件会出现在这里。
outbox-count = 共 { $n } 条
outbox-sms = 短信
outbox-email = 邮件
outbox-to = 收件人
delivery-queued = 待发送
delivery-sent = 已发出
delivery-failed = 发送失败

## 状态机：进件申请

machine-application = 进件申请
state-application-draft = 草稿
state-application-submitted = 已提交
state-application-checking = 自动核验中
state-application-verifying = 待现场核实
state-application-in_review = 审核中
state-application-needs_info = 待补充资料
state-application-approved = 审核通过
state-application-to_be_signed = 待签约
state-application-signed = 已签约
state-application-reporting = 报送中
state-application-ready = 已开通
state-application-report_failed = 报送未成功
state-application-rejected = 未通过
state-application-appealed = 申诉中
state-application-upheld = 维持原结论
state-application-withdrawn = 已撤回
state-application-frozen = 已冻结
state-application-expired = 已过期

## 状态机：受理协议

machine-agreement = 受理协议
state-agreement-offered = 待签署
state-agreement-signed = 已签署
state-agreement-expired = 签署超时
state-agreement-superseded = 已被新版取代

## 状态机：报送与入网

machine-registration = 报送入网
state-registration-pending = 待报送
state-registration-sent = 已报送
state-registration-registered = 已入网
state-registration-refused = 被退回
state-registration-change_pending = 变更报送中
state-registration-closing = 注销报送中
state-registration-closed = 已注销

## 状态机：待办事项

machine-requirement = 待办事项
state-requirement-eventually_due = 稍后需要
state-requirement-currently_due = 现在需要
state-requirement-past_due = 已逾期
state-requirement-pending_verification = 核验中
state-requirement-satisfied = 已满足
state-requirement-errored = 核验未通过

## 状态机：商户能力

machine-capability = 商户能力
state-capability-unrequested = 未申请
state-capability-pending = 办理中
state-capability-valid = 已开通
state-capability-invalid = 暂不可用
state-capability-rejected = 未获批准
state-capability-paused = 已暂停

## 状态机：现场或视频核实

machine-visit = 现场核实
state-visit-offered = 可预约
state-visit-booked = 已预约
state-visit-under_way = 核实中
state-visit-done = 已完成
state-visit-no_show = 未见到人
state-visit-rebooked = 已改期
state-visit-cancelled = 已取消

## 状态机：发货

machine-shipment = 发货
state-shipment-pending = 待配货
state-shipment-ready_to_ship = 待寄出
state-shipment-shipped = 运输中
state-shipment-delivered = 已送达
state-shipment-received = 已签收确认
state-shipment-cancelled = 已取消
state-shipment-undeliverable = 无法投递
state-shipment-returned = 已退回
state-shipment-lost_in_transit = 途中丢失
state-shipment-damaged = 到货破损

## 状态机：终端设备

machine-device = 终端
state-device-in_stock = 在库
state-device-reserved = 已预留
state-device-dispatched = 已寄出
state-device-delivered = 已送达
state-device-activating = 激活中
state-device-active = 已激活
state-device-suspended = 已暂停
state-device-consigned = 代管中
state-device-reassigning = 换户处理中
state-device-lost = 已挂失
state-device-tampered = 防拆已触发
state-device-repair = 维修中
state-device-retired = 已报废

## 状态机：激活

machine-activation = 激活
state-activation-code_issued = 激活码已发出
state-activation-claimed = 激活码已验证
state-activation-identity_proven = 设备身份已证明
state-activation-compatible = 机型适用
state-activation-network_ok = 网络正常
state-activation-located = 位置相符
state-activation-backed_up = 资料已备份
state-activation-keys_loaded = 密钥已装载
state-activation-config_applied = 配置已生效
state-activation-signed_in = 已签到
state-activation-pin_set = 操作员密码已设置
state-activation-tested = 测试交易成功
state-activation-first_txn_pending = 等待首笔交易
state-activation-active = 已激活
state-activation-waiting = 等待商户资料
state-activation-expired = 激活超时
state-activation-failed = 激活失败
state-activation-aborted = 已中止

## 状态机：设备身份

machine-device_auth = 设备身份
state-device_auth-preauthorised = 已预授权
state-device_auth-pending = 待确认
state-device_auth-accepted = 已接受
state-device_auth-rejected = 已拒绝

## 状态机：密钥槽

machine-key_slot = 密钥槽
state-key_slot-empty = 空
state-key_slot-loading = 装载中
state-key_slot-loaded = 已装载
state-key_slot-rotating = 更换中
state-key_slot-failed = 装载失败
state-key_slot-revoked = 已作废

## 能力：开通之后能做什么

capability-apply = 提交申请
capability-ship = 寄送终端
capability-activate = 激活终端
capability-accept_card = 刷卡收款
capability-accept_qr = 扫码收款
capability-refund = 退款
capability-settle = 结算到账
capability-change_account = 更换结算账户

## 由谁办：从商户看去

party-merchant = 您
party-us = 我们
party-third_party = 第三方
party-device = 终端

## 由谁办：具体岗位

desk-review = 审核组
desk-field = 现场核实组
desk-logistics = 物流组
desk-risk = 风控组
desk-support = 客服
desk-finance = 财务组
desk-operations = 运营组
desk-registry = 清算机构
desk-network = 卡组织或钱包
desk-carrier = 快递公司
desk-bank = 银行
desk-signing = 签约服务
desk-verification = 核验服务

## 角色

role-applicant = 店主
role-merchant = 店主
role-legal_representative = 签约人
role-signer = 签约人
role-field_verifier = 现场核实员
role-reviewer = 审核员
role-warehouse = 仓库
role-courier = 快递员
role-registry = 清算机构
role-integrator = 接入方
role-support = 客服
role-admin = 管理员
role-terminal = 终端
role-platform = 平台
role-system = 平台
role-manager = 店长
role-cashier = 收银员

## 材料

document-licence = 营业执照
document-id_front = 身份证人像面
document-id_back = 身份证国徽面
document-shop_front = 门头照
document-shop_inside = 店内照
document-cashier = 收银台照
document-settle_card = 结算卡正面
document-biz_proof = 经营场所证明
document-tax_reg = 税务登记证
document-id_alt = 其他身份证件
document-liveness = 本人核实记录
document-acct_proof = 账户证明
document-settle_auth = 结算授权书
document-agent_auth = 经办授权书
document-ubo = 受益所有人声明
document-special_permit = 行业许可证
document-agreement = 受理协议
document-risk_notice = 风险告知确认
document-onsite_visit = 现场核实记录
document-video_verify = 视频核实记录

## 旅程的步骤

step-application_started = 开始申请
step-application_filled = 填写资料，上传材料
step-application_submitted = 提交申请
step-checks_passed = 自动核验证照与身份
step-visit_booked = 预约现场核实
step-visit_started = 到店核实
step-visit_done = 现场核实完成
step-review_started = 领取审核
step-application_approved = 审核通过
step-agreement_signed = 签署受理协议
step-registration_sent = 向清算机构报送
step-registered = 清算机构入网
step-merchant_ready = 商户开通
step-address_confirmed = 确认收货地址
step-shipment_prepared = 打包并绑定终端
step-shipped = 交给快递
step-delivered = 送达
step-received = 验封签收
step-code_issued = 发出激活码
step-claimed = 输入激活码
step-identity_proven = 证明设备身份
step-compatible = 检查机型
step-network_ok = 网络自检
step-located = 核对位置
step-backed_up = 备份商户资料
step-keys_loaded = 装载密钥
step-config_applied = 应用配置
step-signed_in = 终端签到
step-pin_set = 设置操作员密码
step-tested = 测试交易
step-active = 终端已激活

## 接口与页面的错误：发生了什么、为何、怎么办

error-validation_failed = 填写的内容有不对的地方。
    .remedy = 只改点名的那几项，其余内容不用动。
error-not_found = 没有找到您要的内容。
    .remedy = 检查网址或编号是否完整；从列表重新进入。
error-method_not_allowed = 这个地址不支持这种操作。
    .remedy = 按接口文档换用正确的方法。
error-forbidden = 您的账号没有办理这件事的权限。
    .remedy = 请有权限的同事办理，或联系管理员。
error-unauthenticated = 还没有登录，或登录已过期。
    .remedy = 请重新登录后再试。
error-conflict = 同一件事刚被别人改动，或与已有记录冲突。
    .remedy = 刷新看最新内容，再决定是否继续。
error-stale_version = 您看到的内容已不是最新。
    .remedy = 刷新后在最新内容上重做这一步。
error-illegal_transition = 现在的进度不能做这一步：还没有轮到，或已经做过。
    .remedy = 看“还差什么”，先办现在该办的那一项。
error-idempotency_mismatch = 同一个幂等键被用于不同的内容。
    .remedy = 内容变了就换一个新的幂等键。
error-idempotency_in_flight = 同样的请求正在处理。
    .remedy = 稍等片刻，用同一个幂等键再问一次。
error-idempotency_key_missing = 请求缺少幂等键。
    .remedy = 为每个新请求生成一个随机的 Idempotency-Key 请求头。
error-idempotency_key_invalid = 幂等键的格式不对。
    .remedy = 用 1 到 128 个可见的英文字符。
error-rate_limited = 操作太频繁。
    .remedy = 按提示的时间稍后再试。
error-too_large = 内容超过大小上限。
    .remedy = 缩小文件或分次提交；照片请不超过 10 MB。
error-length_required = 没有说明内容的长度。
    .remedy = 带上 Content-Length 请求头。
error-truncated = 文件没有传完整。
    .remedy = 检查网络，重新上传这一个文件。
error-unsupported_media = 不支持这种文件格式。
    .remedy = 请用 JPG、PNG、WebP 图片或 PDF 重新上传。
error-image_too_large = 图片的尺寸过大。
    .remedy = 把照片缩小后重新上传，长宽之积不超过 5000 万像素。
error-image_too_small = 图片太小，看不清文字。
    .remedy = 靠近些重拍，长和宽都不少于 800 像素。
error-image_unreadable = 图片打不开，可能已经损坏。
    .remedy = 重新拍一张并上传。
error-utf8_invalid = 文字的编码不对。
    .remedy = 请用 UTF-8 编码重新提交。
error-json_invalid = 请求的格式不对，读不懂。
    .remedy = 按接口文档检查点名的字段后重发。
error-cursor_invalid = 翻页标记无效。
    .remedy = 从第一页重新开始。
error-timeout = 处理超时，结果还不确定。
    .remedy = 用同一个幂等键再问一次，不会重复办理。
error-unavailable = 服务暂时不可用。
    .remedy = 稍等片刻再试；已提交的内容不会丢失。
error-internal = 系统出了问题，我们已收到告警。
    .remedy = 稍后再试；若仍不行，把请求编号告诉客服。
error-code_invalid = 验证码不对，或已经用过。
    .remedy = 核对最近一条短信里的 6 位数字再输。
error-code_expired = 验证码已过期。
    .remedy = 重新获取验证码。
error-code_locked = 验证码输错太多次，已作废。
    .remedy = 稍等片刻，重新获取验证码。
error-self_approval = 提交人不能审核自己的申请。
    .remedy = 请另一位审核员办理。
error-duplicate_application = 这个主体已经有一份申请。
    .remedy = 打开已有的那份申请继续办理。
error-duplicate_document = 这张图片已经用在别处。
    .remedy = 请现场重新拍一张。
error-eligibility_refused = 目前不符合申请条件。
    .remedy = 看点名的条件；满足后可以再次申请。
error-licence_unset = 本站还没有配置持牌收单机构，不能受理真实申请。
    .remedy = 请联系部署方完成配置。
error-activation_code_invalid = 激活码不对。
    .remedy = 对照短信逐位重输；注意没有字母 I、L、O、U。再不行，请店主重新获取激活码。
error-activation_code_expired = 激活码已超过有效期。
    .remedy = 请店主在商户后台重新获取激活码。
error-activation_code_used = 激活码已经用过。
    .remedy = 若是这台终端，重新开机会自动继续；否则请店主重新获取。
error-activation_code_locked = 这里输错激活码太多次，暂停输入。
    .remedy = 10 分钟后再试，或请店主在同一网络下重新获取激活码。
error-activation_code_mismatch = 这个激活码不是给这台终端的。
    .remedy = 核对机身上的序列号，用配套的激活码。
error-activation_expired = 这次激活超过了时限。
    .remedy = 请店主重新获取激活码，再从头开始。
error-activation_unknown = 没有找到这次激活。
    .remedy = 在终端上重新输入激活码。
error-serial_unknown = 序列号不在库中。
    .remedy = 扫机身背面的条码，不要扫外箱；核对 O 与 0、I 与 1。
error-serial_bound_elsewhere = 这台终端已登记在其他商户名下。
    .remedy = 一台终端只能登记一个商户。请联系发货方换一台，勿买二手机。
error-serial_not_bound = 这台终端还没有登记给您的门店。
    .remedy = 请先在商户后台确认收货，再激活。
error-device_locked = 这台终端已被锁定，不能激活。
    .remedy = 请联系客服；不要拆开机器。
error-device_unknown = 平台不认识这台终端的密钥。
    .remedy = 用激活码重新激活。
error-device_auth_rejected = 这台终端的身份已被拒绝。
    .remedy = 请联系客服核对序列号。
error-device_certificate_mismatch = 连接所用的证书不属于签名的这套密钥。
    .remedy = 用最近一次安装的证书连接，或不出示证书；仍不行时，用新的激活码重新激活。
error-device_incompatible = 这款机型或它的软件版本不适用。
    .remedy = 按提示升级终端软件，或换一台。
error-identity_invalid = 设备身份没有通过验证。
    .remedy = 重新开机再试一次；仍不行请换一台终端。
error-csr_invalid = 设备的证书申请有误。
    .remedy = 重新开机再试；仍不行请更新终端软件。
error-challenge_mismatch = 设备应答与平台的提问不符。
    .remedy = 从输入激活码这一步重新开始。
error-network_leg_failed = 网络自检有一段不通。
    .remedy = 看点名的那一段：换一个 Wi-Fi 或流量卡，校准时间后重试。
error-location_unknown = 没有取得位置。
    .remedy = 打开定位，到室外或窗边再试。
error-location_too_far = 终端的位置离登记的门店太远。
    .remedy = 把终端带到店里再试；店已搬迁请先申请改地址。
error-backup_mismatch = 备份的校验值不符。
    .remedy = 重新下载备份，再确认一次。
error-key_check_failed = 密钥的校验值不符，没有启用。
    .remedy = 换个网络重新下载密钥；连续两次失败请联系客服。
error-key_version_stale = 密钥版本不是最新。
    .remedy = 重新装载密钥。
error-kcv_mismatch = 终端算出的密钥校验值与平台的不符，密钥没有启用。
    .remedy = 换个网络重新装载密钥；连续两次不符请停用这台终端并联系客服。
error-certificate_mismatch = 终端装的证书不是平台刚签发的那一张。
    .remedy = 重新装载密钥；仍不行请联系客服。
error-certificate_expired = 终端的证书已到期，或还没有装好。
    .remedy = 终端联网后会自动换发证书，请稍等再试；若提示已逾期，请联系客服安排重新激活。
error-certificate_recalled = 终端的证书已被召回，换发之前不能使用。
    .remedy = 终端联网后会自动换发证书，请稍等再试；仍不行请联系客服。
error-renewal_not_due = 终端的证书还没到换发的时候。
    .remedy = 不用做什么：到期前 60 天起，终端会自动换发；响应头 Retry-After 是还要等的秒数。
error-renewal_over = 终端的证书到期太久，不能再换发。
    .remedy = 请联系客服：终端需要重新登记，再用新的激活码激活。
error-csr_mismatch = 证书申请上的序列号不是这台终端的。
    .remedy = 用本机的序列号重新生成证书申请；仍不行请更新终端软件。
error-csr_key_used = 这把密钥已经用过，不能再次签发证书。
    .remedy = 终端应生成一把新的密钥再申请；反复出现请更新终端软件。
error-amount_not_zero = 激活过程中金额必须为 0.00 元。
    .remedy = 用 0.00 元重试；激活不收钱，也不需要刷真实的卡。
error-operator_manager_missing = 至少要有一位店长。
    .remedy = 把其中一位操作员设为店长，再设置密码。
error-operator_number_taken = 两位操作员用了同一个编号。
    .remedy = 给每位操作员一个不同的编号。
error-config_mismatch = 终端上的配置与平台不一致。
    .remedy = 重新下载配置。
error-amount_invalid = 这一步的金额必须为 0。
    .remedy = 用 0.00 元重试；激活不需要刷真实的卡。
error-pin_weak = 操作员密码太容易被猜到。
    .remedy = 不要用连号、重复数字或手机号的一部分，换 6 位别的数字。
error-pin_format = 操作员密码必须是 6 位数字。
    .remedy = 请输入 6 位数字。
error-pin_wrong = 操作员密码不对。
    .remedy = 再输一次；忘记了请店主在商户后台重置。
error-operator_unknown = 没有这个操作员。
    .remedy = 核对操作员编号。
error-operator_locked = 密码输错太多次，操作员已暂时锁定。
    .remedy = 按提示的时间稍后再试，或请店主重置。
error-nonce_replayed = 这条请求已经收到过一次。
    .remedy = 终端会用新的随机数自动重发；反复出现请联系客服。
error-signature_invalid = 请求的签名不对。
    .remedy = 重新开机再试；仍不行需要重新激活。
error-clock_skew = 终端的时间与平台相差超过 5 分钟。
    .remedy = 打开自动校时，或手动校准日期和时间。
error-field_required = 必填的内容没有填。
    .remedy = 填写点名的那一项。
error-field_type = 内容的类型不对。
    .remedy = 按接口文档改正点名的字段。
error-field_closed = 这一项现在不能修改。
    .remedy = 只修改被点名要求补充的内容。
error-unknown_field = 有一个字段我们不认识。
    .remedy = 检查拼写，或删掉点名的字段。
error-json_required = 请求的内容必须是 JSON。
    .remedy = 加上请求头 Content-Type: application/json。
error-query_invalid = 网址里的查询条件不对。
    .remedy = 按接口文档改正点名的参数。
error-unknown_parameter = 这个地址没有这样的查询条件。
    .remedy = 删掉点名的参数，或检查拼写：每个地址有哪些参数，见 /api/openapi.json。
error-limit_invalid = 每页条数超出范围。
    .remedy = 每页请取 1 到 100 条。
error-version_missing = 没有说明依据的是哪个版本，或版本号读不懂。
    .remedy = 先读取最新内容，再把它的版本号放进 If-Match 请求头。
error-business_no_taken = 这个业务编号已经用过。
    .remedy = 换一个新的业务编号，或继续办理原来那份申请。
error-length = 位数或字数不对，多了或少了。
    .remedy = 数一数，对照原件重新填写。
error-charset = 含有不该出现的字符。
    .remedy = 对照原件重填；注意 O 与 0、I 与 1。
error-checksum = 校验位对不上，可能有一位填错。
    .remedy = 对照原件逐位核对后重填。
error-luhn = 卡号校验不通过，可能有一位填错。
    .remedy = 对照卡面逐位核对后重填。
error-mobile_unproved = 这不是用验证码验证过的手机号。
    .remedy = 请填已验证的手机号；要换号，请先用新号码登录验证。
error-visit_too_far = 核实地点离门店太远。
    .remedy = 请到店后再提交；若门店不在登记地址，请提交“未通过”并选择原因 D403。
error-card_network = 这不是银联卡。
    .remedy = 请换一张 62 开头的本人银联借记卡。
error-pattern = 格式不对。
    .remedy = 按示例的格式重新填写。
error-prefix = 开头几位不对。
    .remedy = 对照原件核对开头几位。
error-range = 数值超出允许的范围。
    .remedy = 按提示的范围重新填写。
error-choice = 不是可选的项目。
    .remedy = 从列出的选项里选一个。
error-mobile = 这不是能收短信的大陆手机号。
    .remedy = 请填 11 位大陆手机号。
error-region = 地区码不存在。
    .remedy = 对照原件核对地区那几位。
error-bad_date = 日期不存在、写法不对，或还没有到。
    .remedy = 对照证件核对，按“2030-01-31”的写法填写。
error-degenerate = 号码全是零或重复数字。
    .remedy = 请填写真实的号码。
error-type_mismatch = 号码与所选的主体类型不符。
    .remedy = 换成对应的主体类型，已填的内容会带过去。
error-legacy_licence_enterprise = 企业不能再用 15 位的旧执照。
    .remedy = 请换领新执照后再申请。
error-legacy_licence_individual = 这是 15 位的旧执照，需要人工核对。
    .remedy = 可以继续提交；建议尽快换领新执照。
error-org_code_checksum = 信用代码里的组织机构代码校验不符。
    .remedy = 可以继续提交；请再对照一次原件。
error-iot = 这是物联网号码，不能接收验证码。
    .remedy = 请换成本人使用的手机号。
error-landline = 这是固定电话，不能接收验证码。
    .remedy = 请换成手机号。
error-too_old = 日期太早，不像是真的。
    .remedy = 对照证件核对年份。
error-device_type = 序列号里的终端类型不存在。
    .remedy = 扫机身背面的条码重新录入。
error-mcc_mismatch = 商户号里的行业与申请的不一致。
    .remedy = 核对商户号，或联系客服更正行业。
error-mcc_prohibited = 这个行业不能受理。
    .remedy = 若选错了行业，请改正后再提交。
error-expired = 证件或授权已经过期。
    .remedy = 上传有效期内的新证件。
error-not_yet_valid = 还没有到生效日期。
    .remedy = 生效之后再提交，或核对日期。
error-under_18 = 负责人未满 18 周岁。
    .remedy = 满 18 周岁后即可申请。
error-address_unconfirmed = 店主还没有确认收货地址。
    .remedy = 请店主先确认收货地址，再打包。
error-agreement_changed = 协议内容与您看到的不一致。
    .remedy = 重新打开协议，看过后再签署。
error-approval_refused = 还不满足通过的条件。
    .remedy = 看列出的条件，补齐后再通过。
error-claimed = 另一位审核员正在办理这份申请。
    .remedy = 领取队列里的下一份。
error-not_claimed = 这份申请还没有人领取。
    .remedy = 先领取，再审核。
error-not_yours = 这件事由另一位同事办理。
    .remedy = 回到自己的任务列表。
error-device_taken = 这台终端已分配给别人。
    .remedy = 扫描另一台库存终端。
error-serial_known = 这个序列号已经入库。
    .remedy = 核对机身条码，不要重复入库。
error-serial_mismatch = 序列号与发货单上的不同。
    .remedy = 核对机身背面的序列号；不符请勿签收并联系客服。
error-slot_invalid = 这个时间不能预约：已经过去、写法不对，或时段过长。
    .remedy = 选一个将来的时间，一次不超过 8 小时。
error-must_be_true = 这一项需要确认。
    .remedy = 阅读后勾选确认。
error-field_unknown = 有一个字段我们不认识。
    .remedy = 检查拼写，或删掉点名的字段。
error-too_many_documents = 上传的材料太多了。
    .remedy = 删掉不需要的材料后再上传。
error-requirements_open = 还有几项没有完成，暂时不能进行这一步。
    .remedy = 先完成列出的每一项。
error-mode_fixed = 沙箱或正式模式在首次启动时已经确定，不能更改。
    .remedy = 用新的数据目录另行部署。
error-activation_open = 这台终端已有一次激活正在进行。
    .remedy = 继续那一次激活；没有收到激活码，就请求重发。
error-device_blocked = 这台终端已被停用，不能激活。
    .remedy = 请联系客服；不要拆开机器。
error-device_not_ready = 这台终端还不能激活。
    .remedy = 先确认收货，再获取激活码。
error-root_conflict = 下一个签名根的位置上已有一个文件，但它不是那个根。
    .remedy = 请将 roots 目录与其副本比对；先运行 starpay audit chain，再做其他操作。
error-backup_refused = 这份备份打不开。
    .remedy = 请核对口令，并确认文件完整；没有写入任何内容。
error-backup_unwritten = 备份没能写出。
    .remedy = 请检查目标位置的空间和权限，然后重新备份。
error-passphrase_short = 口令太短。
    .remedy = 请使用至少 12 个字符，并与备份分开保管。
error-restore_not_empty = 要恢复到的位置不是空的。
    .remedy = 请指定空目录和空数据库；恢复不会覆盖任何已有内容。

## 为什么还不行：每一项

requirement-contact_unverified = 联系手机还没有验证
    .remedy = 输入短信里的 6 位验证码。
requirement-field_missing = 资料还没有填
    .remedy = 打开申请，填写这一项。
requirement-field_invalid = 资料需要改正
    .remedy = 打开申请，只改这一项，其余保留。
requirement-document_missing = 材料还没有上传
    .remedy = 拍照上传这份材料。
requirement-document_unusable = 材料不合格
    .remedy = 按提示只重拍这一张。
requirement-document_under_check = 材料正在核对
    .remedy = 不用操作，核对完会自动继续。
requirement-consent_missing = 同意事项还没有确认
    .remedy = 阅读后勾选确认。
requirement-application_unsubmitted = 申请还没有提交
    .remedy = 检查一遍后点“提交”。
requirement-application_uncorrected = 补充的资料还没有提交
    .remedy = 改好点名的内容后重新提交。
requirement-checks_running = 正在自动核验证照和身份
    .remedy = 不用操作，通常一分钟内完成。
requirement-visit_unarranged = 还没有约好现场核实
    .remedy = 选一个您在店里的时间；核实不收任何费用。
requirement-visit_pending = 等待现场核实
    .remedy = 按约定时间在店里等候，请核实员出示工牌。
requirement-review_pending = 等待审核
    .remedy = 不用操作，结果会用短信告诉您。
requirement-application_frozen = 这个主体已经有一份申请
    .remedy = 到原来那份申请继续办理，或等待我们核对。
requirement-application_rejected = 申请没有通过
    .remedy = 看原因：可以改正后再申请，也可以申诉。
requirement-appeal_pending = 申诉正在处理
    .remedy = 不用操作，15 日内答复。
requirement-application_ended = 这份申请已经结束
    .remedy = 需要终端时，重新提交一份申请。
requirement-agreement_unprepared = 受理协议正在准备
    .remedy = 不用操作，准备好会用短信通知。
requirement-agreement_unsigned = 受理协议还没有签署
    .remedy = 用短信里的签约口令打开协议，阅读后签署。
requirement-registration_pending = 商户正在登记
    .remedy = 不用操作，通常两小时内完成。
requirement-registration_refused = 商户登记被退回
    .remedy = 我们正在处理；需要您补充时会通知。
requirement-address_unconfirmed = 收货地址还没有确认
    .remedy = 确认或修改收货地址。
requirement-device_unpacked = 终端还没有打包
    .remedy = 不用操作，寄出后有快递单号。
requirement-device_in_transit = 终端还没有送到
    .remedy = 留意快递电话；当面检查封条。
requirement-receipt_unconfirmed = 还没有确认收货
    .remedy = 核对封条和机身序列号后确认收货。
requirement-delivery_failed = 终端没能送达
    .remedy = 核对地址；我们会重新寄出。
requirement-device_unusable = 这台终端不能使用
    .remedy = 不要拆机；我们会换一台。
requirement-activation_unstarted = 激活码还没有在终端上输入
    .remedy = 先获取激活码，72 小时内在终端上输入。
requirement-activation_unfinished = 激活还没有完成
    .remedy = 保持终端开机联网，按屏幕提示操作。
requirement-activation_failed = 激活有一步没有成功
    .remedy = 看终端上的提示，从这一步重试。
requirement-activation_expired = 激活码已过期
    .remedy = 重新获取激活码；旧码作废。
requirement-operator_pin_unset = 还没有设置操作员密码
    .remedy = 在终端上设置 6 位操作员密码；没有出厂密码。
requirement-settlement_account_missing = 还没有结算账户
    .remedy = 填写本人的借记卡或对公账户。
requirement-settlement_account_unverified = 结算账户正在核验
    .remedy = 不用操作；核验不通过会告诉您原因。
requirement-account_change_open = 结算账户正在变更
    .remedy = 先办完这次变更；期间仍结算到原账户。
requirement-capability_rejected = 这项能力没有获批
    .remedy = 看原因；条件改变后可以再次申请。
requirement-capability_paused = 这项能力已暂停
    .remedy = 看暂停原因和恢复条件，或联系客服。

## 不通过的原因：进件 A–G

reason-A101 = 执照号校验不通过，可能有一位填错。
    .remedy = 对照执照原件逐位核对后重填。
reason-A102 = 主体类型与执照号不符。
    .remedy = 换成对应的主体类型，已填资料会带过去。
reason-A103 = 执照状态异常、已注销或吊销。
    .remedy = 先到市场监管部门处理，恢复后再申请。
reason-A104 = 企业仍在用 15 位旧执照。
    .remedy = 换领新执照后再提交。
reason-B201 = 身份证件已过期。
    .remedy = 换证后上传新证件的两面。
reason-B202 = 负责人未满 18 周岁。
    .remedy = 满 18 周岁后可以申请。
reason-B203 = 证件照片有遮挡、翻拍，或两面不是同一张证。
    .remedy = 只重拍点名的那一张，四角完整、字迹清楚。
reason-B204 = 执照上的负责人与证件不是同一人。
    .remedy = 改成执照上的负责人，或上传授权书。
reason-C301 = 结算卡不是本人的，或对公对私混用。
    .remedy = 换成本人的借记卡，或同名对公账户。
reason-C302 = 这张卡是Ⅱ类或Ⅲ类账户，入账有限额。
    .remedy = 换一张Ⅰ类账户的借记卡。
reason-C303 = 信用卡不能用来结算。
    .remedy = 换一张借记卡。
reason-C304 = 账户户名与登记的不一致。
    .remedy = 对照开户资料，一字不差地填写户名。
reason-C305 = 结算到他人账户，缺少授权与关系证明。
    .remedy = 下载授权书模板，签好后上传。
reason-D401 = 门头照看不到招牌，或不是这家店。
    .remedy = 白天正对门口重拍，招牌完整可读。
reason-D402 = 店内照和门头照不像同一家店。
    .remedy = 在同一次到店时重拍店内照。
reason-D403 = 拍摄地点离登记地址太远。
    .remedy = 到店重拍，或改正经营地址。
reason-E501 = 行业与执照的经营范围不符。
    .remedy = 改选行业，或上传相应的许可证。
reason-E502 = 缺少行业许可证，或已过期。
    .remedy = 上传有效期内的许可证。
reason-F601 = 同一证件名下的小微商户已到上限。
    .remedy = 办理营业执照后申请，或先注销旧户。
reason-F602 = 这个主体已经有一份申请。
    .remedy = 到已有的那份申请继续办理。
reason-F603 = 店铺所在地不在我们的服务范围。
    .remedy = 暂时无法办理；开通后欢迎再来。
reason-G701 = 暂不能受理。
    .remedy = 如有异议，可以提交申诉，15 日内答复。
reason-G702 = 资料不足，还不能完成身份核实。
    .remedy = 按清单补充说明或证明材料。
reason-unavailable = 暂不能受理。
    .remedy = 如有异议，可以提交申诉，15 日内答复。

## 不成功的原因：激活 T

reason-T001 = 序列号不在库中。
    .remedy = 扫机身背面的条码，不要扫外箱；核对 O 与 0、I 与 1。
reason-T002 = 这台终端已登记在其他商户名下。
    .remedy = 联系原来的购买渠道，准备好购机凭证。
reason-T003 = 上一位商户的注销还在报送中。
    .remedy = 不用操作，报送完成后自动可用。
reason-T004 = 终端已挂失或防拆触发，被锁定。
    .remedy = 不要拆机，寄回换一台。
reason-T101 = 激活码不对。
    .remedy = 对照短信逐位重输；没有字母 I、L、O、U。
reason-T102 = 激活码已过期。
    .remedy = 重新获取激活码，旧码作废。
reason-T103 = 激活码已经用过。
    .remedy = 重新获取激活码。
reason-T104 = 输错太多次，暂时锁定。
    .remedy = 等倒计时结束，或重新获取激活码。
reason-T201 = 网络不通，或时间相差太多。
    .remedy = 打开网络自检，按点名的那一段处理。
reason-T202 = SIM 卡与这台终端不配套。
    .remedy = 办理换卡登记，或装回原来的卡。
reason-T301 = 主密钥下载失败。
    .remedy = 换 Wi-Fi 或流量后重试两次；仍不行联系客服。
reason-T302 = 密钥校验值不符，没有启用。
    .remedy = 换个网络重新下载；连续两次失败请联系客服。
reason-T303 = 终端证书没有通过验证。
    .remedy = 换个网络重试；仍不行联系客服。
reason-T304 = 终端报告被拆或密钥注入被锁。
    .remedy = 不要再试，寄回换一台。
reason-T401 = 签到被拒：商户还没有开通或已停用。
    .remedy = 看“还差什么”，办完后再签到。
reason-T402 = 签到被拒：终端还没有登记。
    .remedy = 请客服核对登记情况。
reason-T403 = 签到被拒：报文校验错。
    .remedy = 重新签到；仍不行重新装载密钥。
reason-T501 = 没有取得位置，或离门店太远。
    .remedy = 打开定位，在店里重试；店已搬迁请先改地址。
reason-T601 = 商户资料还没有办完。
    .remedy = 看“还差什么”；办完后终端自动继续。

## 怎么改：按钮上的短句

remedy-retype = 重新填写
remedy-change_subject_type = 换主体类型
remedy-settle_with_regulator = 先到市场监管处理
remedy-renew_licence = 换领新执照
remedy-renew_id = 换证后上传
remedy-wait_until_adult = 满 18 周岁后申请
remedy-retake_photo = 重拍这一张
remedy-correct_principal = 改正负责人
remedy-change_account = 换一个账户
remedy-add_authority = 补授权书
remedy-photograph_on_site = 到店重拍
remedy-change_category = 改选行业
remedy-upload_document = 上传材料
remedy-get_licence = 办理执照或注销旧户
remedy-continue_existing = 继续原申请
remedy-outside_region = 暂不服务此地
remedy-appeal = 提交申诉
remedy-scan_serial = 扫机身条码
remedy-ask_seller = 联系购买渠道
remedy-wait = 等待即可
remedy-return_device = 寄回换机
remedy-request_new_code = 重新获取激活码
remedy-wait_for_unlock = 等待解锁
remedy-test_network = 网络自检
remedy-register_sim = 换卡登记
remedy-retry_elsewhere = 换网络重试
remedy-sign_in_again = 重新签到
remedy-ask_support = 联系客服
remedy-enable_positioning = 打开定位
remedy-see_missing = 看还差什么

## 申请表的每一项

field-subject-type = 主体类型
field-subject_type = 主体类型
field-licence-uscc = 统一社会信用代码
field-licence-name = 执照名称
field-licence-address = 执照住所
field-licence-scope = 经营范围
field-licence-valid_to = 执照有效期
field-tax-number = 税务登记号
field-principal-name = 负责人姓名
field-principal-id_kind = 证件类型
field-principal-id_number = 证件号码
field-principal-id_valid_from = 证件有效期起
field-principal-id_valid_to = 证件有效期止
field-principal-full_capacity = 完全民事行为能力声明
field-agent-name = 经办人姓名
field-agent-id_number = 经办人证件号码
field-agent-valid_to = 经办授权截止日
field-ubo-persons = 受益所有人
field-shop-name = 店名
field-shop-address = 经营地址
field-shop-latitude_e6 = 店铺纬度
field-shop-longitude_e6 = 店铺经度
field-shop-mcc = 行业
field-shop-fixed = 有无固定场所
field-business-description = 业务说明
field-business-monthly_volume_fen = 预计月交易额
field-settlement-kind = 结算账户类型
field-settlement-holder = 结算户名
field-settlement-card_number = 结算卡号
field-settlement-account_number = 对公账号
field-settlement-bank_code = 开户行联行号
field-contact-mobile = 联系手机
field-contact-email = 联系邮箱
field-mobile = 手机号
field-email = 邮箱
field-delivery-address = 收货地址
field-address = 地址
field-kind = 材料种类
field-consents-privacy = 隐私政策同意
field-consents-fees = 费率确认
field-consents-risk_notice = 风险告知确认
field-appeal-statement = 申诉说明
field-documents-licence = 营业执照
field-documents-tax_reg = 税务登记证
field-documents-id_front = 身份证人像面
field-documents-id_back = 身份证国徽面
field-documents-id_alt = 其他身份证件
field-documents-liveness = 本人核实记录
field-documents-shop_front = 门头照
field-documents-shop_inside = 店内照
field-documents-cashier = 收银台照
field-documents-biz_proof = 经营场所证明
field-documents-acct_proof = 账户证明
field-documents-settle_card = 结算卡正面
field-documents-settle_auth = 结算授权书
field-documents-agent_auth = 经办授权书
field-documents-ubo = 受益所有人声明
field-documents-special_permit = 行业许可证
field-clearing_institution = 清算机构
field-unionpay = 银联
field-wechat = 微信支付
field-alipay = 支付宝
field-nucc = 网联
why-field = { $field }：{ $message }

## 短信与邮件

message-subject = 星支付：您的终端开通进展
message-one_time_code = 【星支付】验证码 { $code }，10 分钟内有效。我们不会向您索要验证码。
message-sign_link = 【星支付】受理协议待签署。签约口令（仅限本人，30 日内有效）：{ $code }
message-sign_code = 【星支付】签署验证码 { $code }，10 分钟内有效。签署前请读完协议。
message-activation_code = 【星支付】激活码 { $code }，72 小时内有效，只能用于终端 { $serial }。请勿告诉他人。
message-needs_info = 【星支付】您的申请有 { $count } 项需要补充，只改点名的内容即可。
message-approved = 【星支付】您的申请已通过审核。下一步：签署受理协议。
message-rejected = 【星支付】您的申请暂不能受理。登录可查看原因；如有异议可以申诉。
message-shipped = 【星支付】终端已寄出，快递单号 { $code }。收货时请检查封条和序列号。
message-activated = 【星支付】终端 { $serial } 已激活。
