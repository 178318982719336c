//! `starpay iso`: one message, taken apart. Card data is never shown, in no format.

use crate::Failure;
use serde_json::{Value, json};
use starpay_iso8583::frame::UnionPayHeader;
use starpay_iso8583::unionpay::{Identified, MacRule, Role};
use starpay_iso8583::{
    Description, Detail, Dialect, Frame, ISO_1987_ASCII, Line, Link, Message, UNIONPAY_POS,
};
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
    /// Build the message again from its decoded fields, compare, and print it: unmasked, as it was given
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
            match open(&input, &bytes) {
                Ok(opened) => crate::print(&opened.page()),
                Err(refused) => {
                    if let Some(part) = part(&input, &bytes) {
                        crate::print(&part)?;
                    }
                    Err(refused)
                }
            }
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
            .remedy("write two digits 0-9 A-F for each byte; blanks and line breaks between them do no harm")
    })
}

/// A message with the frame it came in, if it came in one.
struct Opened<'a> {
    link: Option<(Link, Frame<'a>)>,
    message: Message<'a>,
}

fn open<'a>(input: &Input, bytes: &'a [u8]) -> Result<Opened<'a>, Failure> {
    let dialect = input.dialect.dialect();
    if input.bare {
        return match Message::read(dialect, bytes) {
            Ok(message) => Ok(Opened { link: None, message }),
            Err(error) => Err(refused(error, framed(input, bytes).is_ok(), "without --bare")),
        };
    }
    framed(input, bytes)
        .map(|(link, frame, message)| Opened { link: Some((link, frame)), message })
        .map_err(|error| refused(error, Message::read(dialect, bytes).is_ok(), "with --bare"))
}

type Framed<'a> = (Link, Frame<'a>, Message<'a>);

fn framed<'a>(input: &Input, bytes: &'a [u8]) -> starpay_iso8583::Result<Framed<'a>> {
    let link = Link::new(starpay_iso8583::frame::Addressing::Tpdu, input.header, u16::MAX)?;
    let frame = link.whole(bytes)?;
    let message = Message::read(input.dialect.dialect(), frame.message())
        .map_err(|error| error.shifted(link.message_position()))?;
    Ok((link, frame, message))
}

/// The refusal, and what would have helped.
fn refused(error: starpay_iso8583::Error, is_readable: bool, how: &str) -> Failure {
    Failure::failed(error.to_string()).remedy(if is_readable {
        format!("it can be read {how}")
    } else {
        "is the message whole, and are --header and --dialect those of its link? starpay iso explain shows \
         the fields before the wrong place"
            .to_owned()
    })
}

/// What can be shown of a message that is refused: the fields before the wrong place.
fn part(input: &Input, bytes: &[u8]) -> Option<String> {
    // A frame that was cut short still has its message where a whole one has it.
    let before = if input.bare { 0 } else { 2 + 5 + usize::from(input.header) };
    let part = Description::of_part(input.dialect.dialect(), bytes.get(before..)?)?;
    (!part.fields.is_empty()).then(|| format!("出错之前的域 (the fields before the wrong place):\n{part}\n"))
}

/// What to do about a message that can be read and not built.
const AS_READ: &str =
    "leave --reencode out: the fields are read all the same; its sender writes one of them in another way";

/// Builds everything again. The bytes come back only when they are those that were given: then
/// they show nothing that the caller did not type.
fn reencode(opened: &Opened<'_>, given: &[u8]) -> Result<String, Failure> {
    let mut again = Vec::new();
    match &opened.link {
        Some((link, frame)) => link.write(frame.envelope(), &mut again, |out| opened.message.reencode(out)),
        None => opened.message.reencode(&mut again),
    }
    .map_err(|error| Failure::failed(format!("cannot be built again: {error}")).remedy(AS_READ))?;
    if again == given {
        return Ok(hex::encode_upper(again));
    }
    let same = again.iter().zip(given).take_while(|(again, given)| again == given).count();
    Err(Failure::failed(format!("built again, the message differs from byte {same} on")).remedy(AS_READ))
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
        let mut out = String::new();
        if let Some((_, frame)) = &self.link {
            let tpdu = frame.tpdu().map(|tpdu| hex::encode_upper(tpdu.bytes())).unwrap_or_default();
            out.push_str(&format!("TPDU {tpdu}, header {}\n", hex::encode_upper(frame.header())));
        }
        if let Some(Identified { transaction, role }) = self.identified() {
            out.push_str(&format!(
                "{} ({transaction:?}), {}\n",
                transaction.row().chinese,
                role_chinese(role)
            ));
        }
        out.push_str(&self.message.describe().to_string());
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
            let Line { number, name, chinese, shown, .. } = line;
            let title = if chinese.is_empty() { (*name).to_owned() } else { format!("{chinese} ({name})") };
            let money = money(*number, &self.message);
            out.push(format!("域{number:<3} {title}: {}{money}", shown.trim_end()));
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
    let name = if chinese.is_empty() { "  -".to_owned() } else { format!("{chinese}:") };
    format!("      {label:<7} {name} {shown}{meaning}")
}

/// Yuan beside fen, for the amount.
fn money(number: u8, message: &Message<'_>) -> String {
    let fen = message.field(number).filter(|_| number == 4).and_then(|field| field.number_value().ok());
    fen.map(|fen| format!(" = {}.{:02} 元", fen / 100, fen % 100)).unwrap_or_default()
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
            assert!(refused.contains("→ write two digits"), "{refused}");
        }
        let whole = bytes(&frames()[6]).unwrap();
        let refused = |input: &Input, bytes: &[u8]| open(input, bytes).err().map(|error| error.to_string());
        let bare = Input { bare: true, ..input("") };
        assert_eq!(refused(&bare, &whole[13..]), None);
        assert!(refused(&input(""), &whole[13..]).unwrap().ends_with("→ it can be read with --bare"));
        assert!(refused(&bare, &whole).unwrap().ends_with("→ it can be read without --bare"));
        let broken = refused(&input(""), &whole[..30]).unwrap();
        assert!(!broken.contains("bare") && broken.contains("→ is the message whole"), "{broken}");
    }

    #[test]
    fn of_a_broken_message_what_came_before_is_shown_masked() {
        let whole = bytes(&frames()[6]).unwrap();
        let shown = part(&input(""), &whole[..70]).unwrap();
        assert!(shown.contains("622588******6784") && shown.contains("金额"), "{shown}");
        assert!(!shown.contains("6225880123456784") && !shown.contains("终端标识码"), "{shown}");
        assert_eq!(part(&input(""), &whole[..20]), None);
    }
}
