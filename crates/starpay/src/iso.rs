//! `starpay iso`: one message, taken apart. Card data is never shown, in no format.

use crate::Failure;
use serde_json::{Value, json};
use starpay_iso8583::frame::UnionPayHeader;
use starpay_iso8583::unionpay::{Identified, MacRule, Role};
use starpay_iso8583::{Detail, Dialect, Frame, ISO_1987_ASCII, Line, Link, Message, UNIONPAY_POS};
use std::io::Read as _;

/// Options of `starpay iso`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the fields of a message, masked
    Decode(Decode),
    /// Explain a message to a person, masked
    Explain(Input),
}

#[derive(Debug, clap::Args)]
struct Decode {
    #[command(flatten)]
    input: Input,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Build the message again from its decoded fields and compare
    #[arg(long)]
    reencode: bool,
}

/// What is to be read, and as what.
#[derive(Debug, clap::Args)]
struct Input {
    /// The bytes in hexadecimal; `-` reads them from standard input, where no shell keeps them
    #[arg(value_name = "HEX", allow_hyphen_values = true)]
    hex: String,
    /// How the fields are written
    #[arg(long, value_enum, default_value_t = Spoken::UnionpayPos)]
    dialect: Spoken,
    /// Bytes between TPDU and message type; other links than UnionPay's have other lengths
    #[arg(long, value_name = "BYTES", default_value_t = 6)]
    header: u8,
    /// The bytes begin at the message type: no length, no TPDU, no header
    #[arg(long)]
    bare: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Spoken {
    /// 银联 POS
    UnionpayPos,
    /// ISO 8583:1987, everything in ASCII
    Iso1987Ascii,
}

impl Spoken {
    fn dialect(self) -> &'static Dialect {
        match self {
            Self::UnionpayPos => &UNIONPAY_POS,
            Self::Iso1987Ascii => &ISO_1987_ASCII,
        }
    }
}

/// Prints what the message says.
///
/// # Errors
/// When the bytes are no such message (exit 1, the error names field, byte and reason) or no
/// hexadecimal text (exit 2).
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    match args.what {
        What::Decode(args) => {
            let bytes = bytes(&args.input.hex)?;
            let opened = open(&args.input, &bytes)?;
            let again = if args.reencode { Some(reencode(&opened, &bytes)?) } else { None };
            crate::print(&if args.json { opened.json(again) } else { opened.list(again) })
        }
        What::Explain(input) => {
            let bytes = bytes(&input.hex)?;
            crate::print(&open(&input, &bytes)?.page())
        }
    }
}

/// The longest input: a frame of the longest message, with blanks between the digits.
const INPUT_MAX: u64 = 400_000;

fn bytes(text: &str) -> Result<Vec<u8>, Failure> {
    let mut piped = String::new();
    let text = if text == "-" {
        std::io::stdin().lock().take(INPUT_MAX).read_to_string(&mut piped)?;
        &piped
    } else {
        text
    };
    let digits: String = text.split_whitespace().collect();
    hex::decode(&digits).map_err(|error| {
        // The error's own text would repeat a character of the input.
        let why = match error {
            hex::FromHexError::OddLength => "an odd number of digits".to_owned(),
            hex::FromHexError::InvalidHexCharacter { index, .. } => format!("no digit at position {index}"),
            hex::FromHexError::InvalidStringLength => "a wrong length".to_owned(),
        };
        Failure::usage(format!("not hexadecimal: {why}"))
    })
}

/// A message with the frame it came in, if it came in one.
struct Opened<'a> {
    link: Option<(Link, Frame<'a>)>,
    message: Message<'a>,
}

fn open<'a>(input: &Input, bytes: &'a [u8]) -> Result<Opened<'a>, Failure> {
    let refuse = |error: starpay_iso8583::Error| Failure::failed(error.to_string());
    let dialect = input.dialect.dialect();
    if input.bare {
        return Ok(Opened { link: None, message: Message::read(dialect, bytes).map_err(refuse)? });
    }
    let link = Link::new(starpay_iso8583::frame::Addressing::Tpdu, input.header, u16::MAX).map_err(refuse)?;
    let frame = link.whole(bytes).map_err(refuse)?;
    let message = Message::read(dialect, frame.message())
        .map_err(|error| refuse(error.shifted(link.message_position())))?;
    Ok(Opened { link: Some((link, frame)), message })
}

/// Builds everything again. The bytes come back only when they are those that were given: then
/// they show nothing that the caller did not type.
fn reencode(opened: &Opened<'_>, given: &[u8]) -> Result<String, Failure> {
    let mut again = Vec::new();
    match &opened.link {
        Some((link, frame)) => link.write(frame.envelope(), &mut again, |out| opened.message.reencode(out)),
        None => opened.message.reencode(&mut again),
    }
    .map_err(|error| Failure::failed(format!("cannot be built again: {error}")))?;
    if again == given {
        return Ok(hex::encode_upper(again));
    }
    let same = again.iter().zip(given).take_while(|(again, given)| again == given).count();
    Err(Failure::failed(format!("built again, the message differs from byte {same} on")))
}

impl Opened<'_> {
    fn identified(&self) -> Option<Identified> {
        std::ptr::eq(self.message.dialect(), &UNIONPAY_POS).then(|| Identified::read(&self.message))?
    }

    fn json(&self, again: Option<String>) -> String {
        let described = self.message.describe();
        let fields: Vec<Value> = described.fields.iter().map(line_json).collect();
        let mut report = json!({
            "dialect": self.message.dialect().name(),
            "mti": described.mti,
            "bitmap": format!("{:016X}", self.message.bitmap().primary()),
            "fields": fields,
        });
        if let Some((_, frame)) = &self.link {
            report["tpdu"] = frame.tpdu().map(|tpdu| hex::encode_upper(tpdu.bytes())).into();
            report["header"] = hex::encode_upper(frame.header()).into();
        }
        if let Some(identified) = self.identified() {
            report["transaction"] = json!({
                "kind": format!("{:?}", identified.transaction),
                "role": format!("{:?}", identified.role),
                "name": identified.transaction.row().chinese,
            });
        }
        if let Some(again) = again {
            report["identical"] = true.into();
            report["reencoded"] = again.into();
        }
        format!("{report}\n")
    }

    fn list(&self, again: Option<String>) -> String {
        let mut out = self.message.describe().to_string();
        if let Some(again) = again {
            out.push_str(&format!("built again, identical: {again}\n"));
        }
        out
    }

    /// The page of `explain`.
    fn page(&self) -> String {
        let mut out = Vec::new();
        out.push(match self.identified() {
            Some(Identified { transaction, role }) => {
                format!("{} {}  {}", self.message.mti(), transaction.row().chinese, role_chinese(role))
            }
            None => format!("{} 未能识别的交易 (unknown transaction)", self.message.mti()),
        });
        out.push(format!("报文方言 (dialect): {}", self.message.dialect().name()));
        if let Some((_, frame)) = &self.link {
            out.extend(self.frame_lines(frame));
        }
        let described = self.message.describe();
        out.push(format!("位图 (bitmap): {}", numbers(&described.fields)));
        out.push(String::new());
        for line in &described.fields {
            let Line { number, name, chinese, length, shown, .. } = line;
            out.push(format!("域{number:<3} {chinese} ({name}), 长度 {length}"));
            out.push(format!("      {shown}{}", money(*number, &self.message)));
            out.extend(line.details.iter().map(detail_line));
        }
        out.push(String::new());
        out.push(self.code_line());
        out.push("卡号只显示前六后四;磁道、PIN、IC卡数据、密钥只显示长度。".to_owned());
        out.push(
            "Card numbers show six and four digits; tracks, PIN, chip data, keys their length.".to_owned(),
        );
        out.join("\n") + "\n"
    }

    fn frame_lines(&self, frame: &Frame<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(tpdu) = frame.tpdu() {
            let [id, d0, d1, s0, s1] = tpdu.bytes();
            lines.push(format!("TPDU: {id:02X}, 目的 (to) {d0:02X}{d1:02X}, 源 (from) {s0:02X}{s1:02X}"));
        }
        let header = hex::encode_upper(frame.header());
        lines.push(match UnionPayHeader::read(frame.header()) {
            Some(parts) => format!(
                "报文头 (header): {header}, 应用类别 {:02X}, 软件版本 {:02X}, 终端状态 {:X}, 处理要求 {:X}",
                parts.class, parts.version, parts.terminal_state, parts.processing_request
            ),
            None => format!("报文头 (header): {header}"),
        });
        lines
    }

    fn code_line(&self) -> String {
        let rule = self.identified().map(|identified| identified.transaction.row().mac);
        let has_code = self.message.authenticated().is_some();
        let words = match (has_code, rule) {
            (true, _) => "有,此处没有密钥,未验证 (present, not verified: no key here)",
            (false, Some(MacRule::Required)) => {
                "没有,但这种交易必须有 (missing, and this transaction needs one)"
            }
            (false, Some(MacRule::None | MacRule::HostDecides) | None) => "没有 (none)",
        };
        format!("报文鉴别码 (MAC): {words}")
    }
}

fn line_json(line: &Line) -> Value {
    let Line { number, name, chinese, length, shown, details } = line;
    let details: Vec<Value> = details
        .iter()
        .map(|Detail { label, chinese, shown, meaning }| {
            json!({ "label": label, "chinese": chinese, "shown": shown, "meaning": meaning })
        })
        .collect();
    json!({
        "number": number, "name": name, "chinese": chinese, "length": length, "shown": shown,
        "details": details,
    })
}

fn numbers(fields: &[Line]) -> String {
    fields.iter().map(|line| line.number.to_string()).collect::<Vec<_>>().join(" ")
}

fn detail_line(detail: &Detail) -> String {
    let Detail { label, chinese, shown, meaning } = detail;
    let meaning = meaning.map(|meaning| format!("  {meaning}")).unwrap_or_default();
    format!("      {label:<7} {chinese}: {shown}{meaning}")
}

/// Yuan beside fen, for the amount.
fn money(number: u8, message: &Message<'_>) -> String {
    let fen = message.field(number).filter(|_| number == 4).and_then(|field| field.number_value().ok());
    fen.map(|fen| format!("  = {}.{:02} 元", fen / 100, fen % 100)).unwrap_or_default()
}

fn role_chinese(role: Role) -> &'static str {
    match role {
        Role::Request => "请求 (request)",
        Role::Response => "应答 (response)",
        Role::Reversal => "冲正请求 (reversal)",
        Role::ReversalResponse => "冲正应答 (reversal response)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../../testdata/vectors.json");

    fn frames() -> Vec<String> {
        let file: Value = serde_json::from_str(VECTORS).unwrap();
        ["messages", "captures"]
            .iter()
            .flat_map(|list| file[list].as_array().unwrap())
            .map(|case| case["hex"].as_str().unwrap().to_owned())
            .collect()
    }

    fn input(hex: &str) -> Input {
        Input { hex: hex.to_owned(), dialect: Spoken::UnionpayPos, header: 6, bare: false }
    }

    #[test]
    fn every_vector_is_explained_and_built_again() {
        for hex in frames() {
            let bytes = bytes(&hex).unwrap();
            let opened = open(&input(&hex), &bytes).unwrap();
            assert_eq!(reencode(&opened, &bytes).unwrap(), hex);
            let page = opened.page();
            assert!(!page.contains("未能识别") && page.contains("受卡机终端标识码"), "{page}");
            let json: Value = serde_json::from_str(&opened.json(None)).unwrap();
            assert_eq!(json["fields"].as_array().unwrap().len(), opened.message.fields().count());
            for text in [page, opened.list(None), json.to_string()] {
                assert!(!text.contains("6225880123456784") && !text.contains("336BBD65"), "{text}");
            }
        }
    }

    #[test]
    fn a_message_that_differs_is_not_printed() {
        let frames = frames();
        let (one, other) = (bytes(&frames[0]).unwrap(), bytes(&frames[1]).unwrap());
        let refused = reencode(&open(&input(""), &one).unwrap(), &other).unwrap_err();
        assert!(refused.to_string().contains("differs from byte 1 on"), "{refused}");
    }

    #[test]
    fn bad_input_is_said_without_repeating_it() {
        for wrong in ["6225880123456784x", "622588012345678"] {
            let refused = bytes(wrong).unwrap_err().to_string();
            assert!(!refused.contains("6225") && !refused.contains("4x"), "{refused}");
        }
        let cut = bytes(&frames()[6][..60]).unwrap();
        assert!(open(&input(""), &cut).is_err());
        assert!(open(&Input { bare: true, ..input("") }, &bytes(&frames()[6][26..]).unwrap()).is_ok());
    }
}
