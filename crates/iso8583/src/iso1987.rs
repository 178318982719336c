//! ISO 8583:1987 with everything in ASCII: the dialect that shows that the tables carry another.

use crate::spec::Encoding::{Ascii, Hex};
use crate::spec::Kind::{Alphanumeric, Digits, Printable, Signed, Text, Track};
use crate::spec::Prefix::{Ascii2, Ascii3};
use crate::spec::{BitmapEncoding, Dialect, Field, Kind, MessageTypeEncoding, Prefix, Privacy};

/// ISO 8583:1987, ASCII digits, hexadecimal bitmaps and binary fields, fields 2 to 128.
///
/// Names and lengths as the standard's table has them; binary fields travel as hexadecimal text,
/// as the common ASCII implementations do.
pub static ISO_1987_ASCII: Dialect =
    Dialect::new("ISO 8583:1987 ASCII", MessageTypeEncoding::Ascii, BitmapEncoding::HexBoth, FIELDS);

const fn n(number: u8, length: u16, name: &'static str) -> Field {
    Field::fixed(number, name, Digits, Ascii, length)
}

const fn an(number: u8, length: u16, name: &'static str) -> Field {
    Field::fixed(number, name, Alphanumeric, Ascii, length)
}

const fn fee(number: u8, length: u16, name: &'static str) -> Field {
    Field::fixed(number, name, Signed, Ascii, length)
}

const fn b(number: u8, name: &'static str) -> Field {
    Field::fixed(number, name, Kind::Binary, Hex, 8)
}

const fn var(number: u8, kind: Kind, prefix: Prefix, most: u16, name: &'static str) -> Field {
    Field::variable(number, name, kind, Ascii, prefix, most)
}

/// A field for national or private use: text of up to 999 bytes that nobody but its users knows.
const fn private(number: u8, name: &'static str) -> Field {
    var(number, Text, Ascii3, 999, name).private(Privacy::Hidden)
}

const FIELDS: &[Field] = &[
    var(2, Digits, Ascii2, 19, "primary account number").private(Privacy::Pan),
    n(3, 6, "processing code"),
    n(4, 12, "amount, transaction"),
    n(5, 12, "amount, settlement"),
    n(6, 12, "amount, cardholder billing"),
    n(7, 10, "transmission date and time"),
    n(8, 8, "amount, cardholder billing fee"),
    n(9, 8, "conversion rate, settlement"),
    n(10, 8, "conversion rate, cardholder billing"),
    n(11, 6, "system trace audit number"),
    n(12, 6, "time, local transaction"),
    n(13, 4, "date, local transaction"),
    n(14, 4, "date, expiration").private(Privacy::Hidden),
    n(15, 4, "date, settlement"),
    n(16, 4, "date, conversion"),
    n(17, 4, "date, capture"),
    n(18, 4, "merchant type"),
    n(19, 3, "acquiring institution country code"),
    n(20, 3, "PAN extended, country code"),
    n(21, 3, "forwarding institution country code"),
    n(22, 3, "point of service entry mode"),
    n(23, 3, "card sequence number"),
    n(24, 3, "network international identifier"),
    n(25, 2, "point of service condition code"),
    n(26, 2, "point of service PIN capture code"),
    n(27, 1, "authorization identification response length"),
    fee(28, 9, "amount, transaction fee"),
    fee(29, 9, "amount, settlement fee"),
    fee(30, 9, "amount, transaction processing fee"),
    fee(31, 9, "amount, settlement processing fee"),
    var(32, Digits, Ascii2, 11, "acquiring institution identification code"),
    var(33, Digits, Ascii2, 11, "forwarding institution identification code"),
    var(34, Printable, Ascii2, 28, "PAN extended").private(Privacy::Pan),
    var(35, Track, Ascii2, 37, "track 2 data").private(Privacy::Hidden),
    var(36, Track, Ascii3, 104, "track 3 data").private(Privacy::Hidden),
    an(37, 12, "retrieval reference number"),
    an(38, 6, "authorization identification response"),
    an(39, 2, "response code"),
    an(40, 3, "service restriction code"),
    Field::fixed(41, "card acceptor terminal identification", Printable, Ascii, 8),
    Field::fixed(42, "card acceptor identification code", Printable, Ascii, 15),
    Field::fixed(43, "card acceptor name/location", Printable, Ascii, 40),
    var(44, Text, Ascii2, 25, "additional response data"),
    var(45, Text, Ascii2, 76, "track 1 data").private(Privacy::Hidden),
    private(46, "additional data, ISO"),
    private(47, "additional data, national"),
    private(48, "additional data, private"),
    an(49, 3, "currency code, transaction"),
    an(50, 3, "currency code, settlement"),
    an(51, 3, "currency code, cardholder billing"),
    b(52, "PIN data").private(Privacy::Hidden),
    n(53, 16, "security related control information"),
    var(54, Text, Ascii3, 120, "additional amounts").private(Privacy::Hidden),
    private(55, "reserved ISO"),
    private(56, "reserved ISO"),
    private(57, "reserved national"),
    private(58, "reserved national"),
    private(59, "reserved national"),
    private(60, "reserved private"),
    private(61, "reserved private"),
    private(62, "reserved private"),
    private(63, "reserved private"),
    b(64, "message authentication code"),
    n(66, 1, "settlement code"),
    n(67, 2, "extended payment code"),
    n(68, 3, "receiving institution country code"),
    n(69, 3, "settlement institution country code"),
    n(70, 3, "network management information code"),
    n(71, 4, "message number"),
    n(72, 4, "message number, last"),
    n(73, 6, "date, action"),
    n(74, 10, "credits, number"),
    n(75, 10, "credits, reversal number"),
    n(76, 10, "debits, number"),
    n(77, 10, "debits, reversal number"),
    n(78, 10, "transfer, number"),
    n(79, 10, "transfer, reversal number"),
    n(80, 10, "inquiries, number"),
    n(81, 10, "authorizations, number"),
    n(82, 12, "credits, processing fee amount"),
    n(83, 12, "credits, transaction fee amount"),
    n(84, 12, "debits, processing fee amount"),
    n(85, 12, "debits, transaction fee amount"),
    n(86, 16, "credits, amount"),
    n(87, 16, "credits, reversal amount"),
    n(88, 16, "debits, amount"),
    n(89, 16, "debits, reversal amount"),
    n(90, 42, "original data elements"),
    an(91, 1, "file update code"),
    n(92, 2, "file security code"),
    n(93, 5, "response indicator"),
    an(94, 7, "service indicator"),
    an(95, 42, "replacement amounts"),
    b(96, "message security code").private(Privacy::Hidden),
    fee(97, 17, "amount, net settlement"),
    Field::fixed(98, "payee", Printable, Ascii, 25),
    var(99, Digits, Ascii2, 11, "settlement institution identification code"),
    var(100, Digits, Ascii2, 11, "receiving institution identification code"),
    var(101, Printable, Ascii2, 17, "file name"),
    var(102, Printable, Ascii2, 28, "account identification 1").private(Privacy::Pan),
    var(103, Printable, Ascii2, 28, "account identification 2").private(Privacy::Pan),
    var(104, Text, Ascii3, 100, "transaction description"),
    private(105, "reserved ISO"),
    private(106, "reserved ISO"),
    private(107, "reserved ISO"),
    private(108, "reserved ISO"),
    private(109, "reserved ISO"),
    private(110, "reserved ISO"),
    private(111, "reserved ISO"),
    private(112, "reserved national"),
    private(113, "reserved national"),
    private(114, "reserved national"),
    private(115, "reserved national"),
    private(116, "reserved national"),
    private(117, "reserved national"),
    private(118, "reserved national"),
    private(119, "reserved national"),
    private(120, "reserved private"),
    private(121, "reserved private"),
    private(122, "reserved private"),
    private(123, "reserved private"),
    private(124, "reserved private"),
    private(125, "reserved private"),
    private(126, "reserved private"),
    private(127, "reserved private"),
    b(128, "message authentication code"),
];
