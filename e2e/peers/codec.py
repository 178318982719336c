"""The other side of tests/it/codec_peers.rs: pyiso8583.

    codec.py make DIALECT SEED FIRST COUNT FILE   writes COUNT messages, made here
    codec.py check FILE                           reads and rebuilds each message made by us

A case is one line of JSON: `dialect`, `case`, `hex` and `fields` (h header, t type, 2 to 128). With
`altered`, one byte was changed and something must be wrong. Case N of a seed is always the same:
`make DIALECT SEED N 1 /dev/stdout` shows it.

(The name: a script called iso8583.py would import itself.)

What pyiso8583's tables cannot say, and what bridges it; no comparison is left out:

* A frame's length: taken off here and compared. TPDU and header are its field h.
* Kinds of values: to it, packed digits, tracks and binary fields are hexadecimal digits alike.
  Every value is compared character by character, so a wrong kind shows; only values that the kind
  allows are drawn. That we refuse others, our own tests try.
* `=` of a track is nibble D to it, and comes back as D.
* One greatest length a field: the one that is read. Shorter ones when building are ours.
* Binary fields as hexadecimal text (1987, ASCII): 16 characters of text to it, compared as such.
* Field 65 (a third bitmap) exists in its 1987 table and not in ours: it is never drawn.
"""

import copy
import json
import random
import string
import sys

import iso8583
import iso8583.specs

LL, LLL = "LL", "LLL"

# UnionPay POS, written down from the published description, not from our tables: kind, length
# (fixed, or LL or LLL and the most that is read).
UNIONPAY = {
    2: ("n", LL, 19),
    3: ("n", 6),
    4: ("n", 12),
    11: ("n", 6),
    12: ("n", 6),
    13: ("n", 4),
    14: ("n", 4),
    15: ("n", 4),
    22: ("n", 3),
    23: ("n", 3),
    25: ("n", 2),
    26: ("n", 2),
    32: ("n", LL, 11),
    35: ("z", LL, 64),
    36: ("z", LLL, 128),
    37: ("an", 12),
    38: ("an", 6),
    39: ("an", 2),
    41: ("an", 8),
    42: ("an", 15),
    44: ("ans", LL, 25),
    48: ("n", LLL, 322),
    49: ("an", 3),
    52: ("b", 8),
    53: ("n", 16),
    54: ("ans", LLL, 20),
    55: ("b", LLL, 999),
    58: ("ans", LLL, 100),
    59: ("b", LLL, 999),
    60: ("n", LLL, 30),
    61: ("n", LLL, 29),
    62: ("b", LLL, 999),
    63: ("ans", LLL, 163),
    64: ("b", 8),
}

# The odd digit's filling stands before the value in this field, behind it in all others.
FILLED_BEFORE = {23}


def unionpay():
    plain = {"len_enc": "bcd", "len_type": 0, "desc": ""}
    spec = {
        "h": plain | {"data_enc": "b", "max_len": 11},
        "t": plain | {"data_enc": "b", "max_len": 2},
        "p": plain | {"data_enc": "b", "max_len": 8},
        "1": plain | {"data_enc": "b", "max_len": 8},
    }
    for number, (kind, *length) in UNIONPAY.items():
        field = plain | {"data_enc": {"an": "ascii", "ans": "gbk"}.get(kind, "b"), "max_len": length[-1]}
        if len(length) == 2:
            field["len_type"] = {LL: 1, LLL: 2}[length[0]]
        if kind in "nz":
            field["len_count"] = "nibbles"
            field["left_pad" if number in FILLED_BEFORE else "right_pad"] = "0"
        spec[str(number)] = field
    return spec


def iso1987():
    # pyiso8583's own table, but for two lengths: 1987 gives field 54 at most 120 characters and
    # reserves field 55 whole.
    spec = copy.deepcopy(iso8583.specs.default_ascii)
    spec["54"]["max_len"] = 120
    spec["55"]["max_len"] = 999
    return spec


# What the fields of 1987 hold; the others hold digits.
ISO1987 = {
    **dict.fromkeys([28, 29, 30, 31, 97], "x+n"),
    **dict.fromkeys([35, 36], "z"),
    **dict.fromkeys([34, 37, 38, 39, 40, 41, 42, 43, 49, 50, 51], "an"),
    **dict.fromkeys([91, 94, 95, 98, 101, 102, 103], "an"),
    **dict.fromkeys([44, 45, 46, 47, 48, *range(54, 64), *range(104, 128)], "ans"),
    **dict.fromkeys([52, 64, 96, 128], "b"),
}

SPECS = {"unionpay": unionpay(), "iso1987": iso1987()}


def kind_of(dialect, number):
    return UNIONPAY[number][0] if dialect == "unionpay" else ISO1987.get(number, "n")


def drawn_length(draw, field):
    most = field["max_len"]
    if field["len_type"] == 0:
        return most
    # Many fields of 1987 hold up to 999 characters; all of them full would be slow to no end.
    match draw.randrange(8):
        case 0:
            return 0
        case 1:
            return 1
        case 2 | 3 if most < 400 or draw.randrange(8) == 0:
            return most
        case 4 if most < 400 or draw.randrange(8) == 0:
            return draw.randint(0, most)
        case _:
            return draw.randint(0, min(most, 40))


def drawn_text(draw, length, encoding):
    """Printable characters and, in GBK, Chinese ones, of a length in bytes."""
    text = ""
    while length > 0:
        if encoding == "gbk" and length > 1 and draw.randrange(2):
            text += chr(draw.randint(0x4E00, 0x9FA5))
            length -= 2
        else:
            text += chr(draw.randint(0x20, 0x7E))
            length -= 1
    return text


def drawn_value(draw, dialect, number, field):
    length = drawn_length(draw, field)
    packed = field["data_enc"] == "b"
    match kind_of(dialect, number):
        case "n":
            return "".join(draw.choices(string.digits, k=length))
        case "x+n":
            return draw.choice("CD") + "".join(draw.choices(string.digits, k=length - 1))
        case "z":
            return "".join(draw.choices("0123456789ABCDEF" if packed else "0123456789=", k=length))
        case "an":
            return drawn_text(draw, length, "ascii")
        case "b" if packed:
            return draw.randbytes(length).hex().upper()
        case "b":
            return draw.randbytes(length // 2).hex().upper()
        case "ans":
            return drawn_text(draw, length, field["data_enc"])


def drawn(dialect, seed, case):
    draw = random.Random(f"{dialect} {seed} {case}")
    spec = SPECS[dialect]
    numbers = [int(name) for name in spec if name.isdigit() and name not in ("1", "65")]
    many = draw.choice([0.05, 0.3, 0.6, 1])
    fields = {"t": "".join(draw.choices(string.digits, k=4))}
    if spec["h"]["max_len"]:
        fields["h"] = draw.randbytes(11).hex().upper()
    for number in numbers:
        if draw.random() < many:
            fields[str(number)] = drawn_value(draw, dialect, number, spec[str(number)])
    message, _ = iso8583.encode(dict(fields), spec)
    frame = len(message).to_bytes(2, "big") if "h" in fields else b""
    return {"dialect": dialect, "case": case, "hex": (frame + message).hex(), "fields": fields}


def make(dialect, seed, first, count, path):
    with open(path, "w", encoding="utf-8") as file:
        for case in range(first, first + count):
            file.write(json.dumps(drawn(dialect, seed, case)) + "\n")


def wrong(case):
    """Reads the message, compares every field, and builds it again byte for byte: what differs."""
    spec, message = SPECS[case["dialect"]], bytes.fromhex(case["hex"])
    if spec["h"]["max_len"]:
        length, message = message[:2], message[2:]
        if int.from_bytes(length, "big") != len(message):
            return "the frame's length"
    try:
        decoded, _ = iso8583.decode(message, spec)
    except iso8583.DecodeError as error:
        return str(error)
    except KeyError as error:  # its answer to a field that its table does not have
        return f"unknown field {error}"
    bitmaps = {name: decoded.pop(name) for name in ("p", "1") if name in decoded}
    theirs = case["fields"]
    for name in decoded.keys() | theirs.keys():
        if decoded.get(name) != theirs.get(name):
            return f"field {name}: {decoded.get(name)!r} is read, {theirs.get(name)!r} was written"
    again, _ = iso8583.encode(decoded, spec)
    if again != message or any(decoded[name] != bits for name, bits in bitmaps.items()):
        return f"built again, it is {again.hex()}"
    return None


def check(path):
    checked = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            case = json.loads(line)
            found = wrong(case)
            if case["altered"] and found is None:
                sys.exit("the peer does not notice a changed byte: " + line)
            if found and not case["altered"]:
                sys.exit(f"the peer finds otherwise, {found}: {line}")
            name = case["dialect"] + (", altered" if case["altered"] else "")
            checked[name] = checked.get(name, 0) + 1
    json.dump(checked, sys.stdout)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", dialect, seed, first, count, path]:
            make(dialect, int(seed), int(first), int(count), path)
        case ["check", path]:
            check(path)
        case _:
            sys.exit(__doc__)
