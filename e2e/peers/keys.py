"""The other side of tests/it/peers.rs: psec, pyemv and cryptography.

    keys.py make SEED COUNT FILE    writes COUNT cases of each kind, made here
    keys.py check FILE              recomputes or opens each case made by us

A case is one line of JSON: kind, inputs and `out`. DUKPT and the UnionPay forms, which no package
has, are written out here from the standard with `cryptography`'s ciphers.
"""

import json
import random
import sys

import psec
import pyemv
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC


def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def ecb(algorithm):
    def encrypt(key, data):
        encryptor = Cipher(algorithm(key), modes.ECB()).encryptor()
        return encryptor.update(data) + encryptor.finalize()

    return encrypt


aes = ecb(algorithms.AES)
sm4 = ecb(algorithms.SM4)
tdes = psec.des.encrypt_tdes_ecb


def unionpay(encrypt, size):
    def mac(key, mab):
        block = bytes(size)
        for at in range(0, len(mab), size):
            block = xor(block, mab[at : at + size].ljust(size, b"\0"))
        text = block.hex().upper().encode()
        return encrypt(key, xor(encrypt(key, text[:size]), text[size:])).hex().upper()[:8]

    return mac


def sm4_cbc(key, data):
    padded = data.ljust(max(-len(data) % 16 + len(data), 16), b"\0")
    encryptor = Cipher(algorithms.SM4(key), modes.CBC(bytes(16))).encryptor()
    return (encryptor.update(padded) + encryptor.finalize())[-16:].hex()


def cmac(key, data):
    keyed = CMAC(algorithms.AES(key))
    keyed.update(data)
    return keyed.finalize().hex()


TYPES = {16: 2, 24: 3, 32: 4}


def dukpt_step(key, usage, tail):
    """X9.24-3, 6.3."""
    head = usage.to_bytes(2, "big") + TYPES[len(key)].to_bytes(2, "big")
    head += (8 * len(key)).to_bytes(2, "big") + tail
    return b"".join(aes(key, bytes([1, number]) + head) for number in (1, 2))[: len(key)]


def dukpt(bdk, ksn, usage):
    key = dukpt_step(bdk, 0x8001, ksn[:8])
    counter, walked = int.from_bytes(ksn[8:], "big"), 0
    for bit in reversed(range(32)):
        if counter >> bit & 1:
            walked |= 1 << bit
            key = dukpt_step(key, 0x8000, ksn[4:8] + walked.to_bytes(4, "big"))
    return dukpt_step(key, usage, ksn[4:]).hex()


def pin_sm4(case):
    pin, pan = case["pin"], case["pan"]
    part = bytes.fromhex(f"0{len(pin):X}{pin}".ljust(32, "F"))
    return sm4(raw(case, "key"), xor(part, bytes.fromhex(pan[-13:-1].rjust(32, "0")))).hex()


def cryptogram(case):
    card = pyemv.kd.derive_icc_mk_a(raw(case, "imk"), case["pan"], case["psn"])
    counter = raw(case, "atc")
    if case["form"] == "emv":
        session = pyemv.kd.derive_common_sk(card, counter + bytes(6))
    else:
        session = pyemv.tools.adjust_key_parity(
            tdes(card, bytes(6) + counter) + tdes(card, bytes(6) + xor(counter, b"\xff\xff"))
        )
    padding = pyemv.ac.PaddingType.EMV if case["padding"] == 2 else pyemv.ac.PaddingType.VISA
    arqc = pyemv.ac.generate_ac(session, raw(case, "data"), padding)
    return (arqc + pyemv.ac.generate_arpc_1(session, arqc, raw(case, "arc"))).hex()


def raw(case, name):
    return bytes.fromhex(case[name])


def retail(case, padding):
    key = raw(case, "key")
    return psec.mac.generate_retail_mac(key[:8], key[8:], raw(case, "data"), padding).hex()


# What each kind comes to. Those with a random part are opened instead: see `check`.
COMPUTED = {
    "working-key": lambda case: tdes(raw(case, "tmk"), raw(case, "key")).hex()
    + psec.des.generate_kcv(raw(case, "key"), 4).hex(),
    "pin-iso0": lambda case: tdes(
        raw(case, "key"), psec.pinblock.encode_pinblock_iso_0(case["pin"], case["pan"])
    ).hex(),
    "pin-sm4": pin_sm4,
    "mac-ecb-tdes": lambda case: unionpay(tdes, 8)(raw(case, "key"), raw(case, "data")),
    "mac-ecb-sm4": lambda case: unionpay(sm4, 16)(raw(case, "key"), raw(case, "data")),
    "mac-x99": lambda case: psec.mac.generate_cbc_mac(raw(case, "key"), raw(case, "data"), 1).hex(),
    "mac-x919-1": lambda case: retail(case, 1),
    "mac-x919-2": lambda case: retail(case, 2),
    "mac-sm4-cbc": lambda case: sm4_cbc(raw(case, "key"), raw(case, "data")),
    "mac-cmac": lambda case: cmac(raw(case, "key"), raw(case, "data")),
    "dukpt": lambda case: dukpt(raw(case, "key"), raw(case, "ksn"), case["usage"]),
    "cryptogram": cryptogram,
}

RANDOM = {
    "pin-iso4": lambda case: psec.pinblock.encipher_pinblock_iso_4(
        raw(case, "key"), case["pin"], case["pan"]
    ).hex(),
    "key-block": lambda case: psec.tr31.wrap(raw(case, "kbpk"), case["header"], raw(case, "key")),
}


def is_right(case):
    kind, out = case["kind"], case["out"]
    if kind == "pin-iso4":
        opened = psec.pinblock.decipher_pinblock_iso_4(raw(case, "key"), bytes.fromhex(out), case["pan"])
        return opened == case["pin"]
    if kind == "key-block":
        header, key = psec.tr31.unwrap(raw(case, "kbpk"), out)
        # The length in the header is the sender's choice of padding.
        ours, theirs = case["header"], str(header)
        return key == raw(case, "key") and ours[0] + ours[5:] == theirs[0] + theirs[5:]
    return COMPUTED[kind](case) == out


USAGES = [0x0002, 0x1000, 0x2000, 0x2001, 0x2002, 0x3000, 0x3001, 0x3002]


def inputs(kind, draw):
    def key(*lengths):
        return draw.randbytes(draw.choice(lengths)).hex()

    def digits(least, most):
        return "".join(draw.choices("0123456789", k=draw.randint(least, most)))

    data = draw.randbytes(draw.randint(1, 300)).hex()
    match kind:
        case "working-key":
            return {"tmk": key(16, 24), "key": key(8, 16, 24)}
        case "pin-iso0":
            return {"key": key(8, 16, 24), "pin": digits(4, 12), "pan": digits(13, 19)}
        case "pin-iso4":
            return {"key": key(16, 24, 32), "pin": digits(4, 12), "pan": digits(13, 19)}
        case "pin-sm4":
            return {"key": key(16), "pin": digits(4, 12), "pan": digits(13, 19)}
        case "mac-ecb-tdes":
            return {"key": key(8, 16, 24), "data": data}
        case "mac-x99":
            return {"key": key(8), "data": data}
        case "mac-cmac":
            return {"key": key(16, 24, 32), "data": data}
        case "key-block":
            version = draw.choice("BD")
            use = draw.choice(["P0TE", "M3TC", "D0TB", "K0TB"])
            return {
                "kbpk": key(16, 24) if version == "B" else key(16, 24, 32),
                "header": f"{version}0000{use}00N0000",
                "key": key(8, 16, 24),
            }
        case "dukpt":
            counter = draw.getrandbits(32) & draw.getrandbits(32) | 1
            while counter.bit_count() > 16:
                counter &= counter - 1
            ksn = draw.randbytes(8) + counter.to_bytes(4, "big")
            return {"key": key(16, 24, 32), "ksn": ksn.hex(), "usage": draw.choice(USAGES)}
        case "cryptogram":
            return {
                "imk": key(16),
                "pan": digits(13, 19),
                "psn": digits(2, 2),
                "atc": draw.randbytes(2).hex(),
                "arc": draw.randbytes(2).hex(),
                "form": draw.choice(["emv", "pboc"]),
                "padding": draw.choice([1, 2]),
                "data": data,
            }
        case _:
            return {"key": key(16), "data": data}


def make(seed, count, path):
    draw = random.Random(seed)
    with open(path, "w", encoding="ascii") as file:
        for kind, compute in (COMPUTED | RANDOM).items():
            for _ in range(count):
                case = {"kind": kind} | inputs(kind, draw)
                case["out"] = compute(case)
                file.write(json.dumps(case) + "\n")


def check(path):
    checked = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            case = json.loads(line)
            if not is_right(case):
                sys.exit("the peer finds otherwise: " + line)
            checked[case["kind"]] = checked.get(case["kind"], 0) + 1
    json.dump(checked, sys.stdout)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", seed, count, path]:
            make(int(seed), int(count), path)
        case ["check", path]:
            check(path)
        case _:
            sys.exit(__doc__)
