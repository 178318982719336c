#!/usr/bin/env python3
"""Draws the documents that the demo and the tests upload.

Everybody and everything in them is invented (the numbers only satisfy their check rules), and every
picture says 样例. They are schematic on purpose: they look like what they stand for to a person, and
like nothing to a forger. The result is the same on every run.

Needs Python 3.11, Pillow 13.0.0 and the Debian package fonts-noto-cjk:

    python3 -m venv .venv && .venv/bin/pip install pillow==13.0.0
    .venv/bin/python testdata/specimens/make.py
"""

from math import cos, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
FONTS = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2  # the face of simplified Chinese inside the .ttc collections

SHOP = "深圳市样例区星光小面馆"
SIGN = "星光小面馆"
USCC = "92440399MA5DEM039F"
PERSON = "林样例"
ID_NUMBER = "440399200002291128"
ADDRESS = "广东省深圳市样例区样例路99号"
CARD = "6200 0000 0000 0013"
LATITUDE, LONGITUDE = 22.543096, 114.057865

INK, SOFT, RED = "#1d2a2e", "#66757a", "#b3261e"


def font(size, weight="Sans", face="Regular"):
    return ImageFont.truetype(str(FONTS / f"Noto{weight}CJK-{face}.ttc"), size, index=SIMPLIFIED)


def text(draw, at, words, size, fill=INK, face="Regular", weight="Sans", anchor="la"):
    draw.text(at, words, font=font(size, weight, face), fill=fill, anchor=anchor)


def mark(image, opacity=46):
    """样例 across the whole picture, and once in a red frame that no crop of the content avoids."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    tile = Image.new("RGBA", (420, 150), (0, 0, 0, 0))
    ImageDraw.Draw(tile).text((210, 75), "样例 SPECIMEN", font=font(46, face="Bold"), fill=(179, 38, 30, opacity), anchor="mm")
    tile = tile.rotate(24, expand=True, resample=Image.Resampling.BICUBIC)
    for row, y in enumerate(range(-60, image.height, 210)):
        for x in range(-120 - 230 * (row % 2), image.width, 460):
            layer.alpha_composite(tile, (max(x, 0), max(y, 0)), (max(-x, 0), max(-y, 0)))
    marked = Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")
    draw = ImageDraw.Draw(marked)
    draw.rounded_rectangle((image.width - 178, 18, image.width - 22, 92), 10, fill="#ffffff", outline=RED, width=5)
    text(draw, (image.width - 100, 54), "样例", 46, RED, "Bold", anchor="mm")
    return marked


def paper(size, colour):
    image = Image.new("RGB", size, colour)
    return image, ImageDraw.Draw(image)


def save_png(image, name):
    marked = mark(image).quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    marked.save(HERE / name, optimize=True)


def save_photo(image, name, exif=None):
    mark(image, 60).save(HERE / name, quality=84, optimize=True, **({"exif": exif} if exif else {}))


# --- documents -------------------------------------------------------------------------------------


def licence():
    image, draw = paper((1480, 1046), "#fbf7ea")
    draw.rectangle((34, 34, 1446, 1012), outline="#b58a3c", width=6)
    draw.rectangle((48, 48, 1432, 998), outline="#d9bd84", width=2)
    text(draw, (740, 150), "营业执照", 92, INK, "Bold", "Serif", "mm")
    text(draw, (740, 226), "(副 本)", 34, SOFT, anchor="mm")
    text(draw, (130, 262), "统一社会信用代码", 28, SOFT)
    text(draw, (130, 300), USCC, 40, INK, "Bold")
    left = [("名    称", SHOP), ("类    型", "个体工商户"), ("经 营 者", PERSON), ("经营范围", "餐饮服务;面食制售")]
    right = [("组成形式", "个人经营"), ("注册日期", "2020年03月01日"), ("经营场所", ADDRESS[:11]), ("", ADDRESS[11:])]
    for column, rows in ((130, left), (830, right)):
        for row, (label, value) in enumerate(rows):
            y = 420 + row * 88
            text(draw, (column, y), label, 32, SOFT)
            text(draw, (column + 168, y), value, 34, INK)
    text(draw, (700, 828), "登记机关  样例市场监督管理局", 32, INK)
    text(draw, (700, 884), "2020 年 03 月 01 日", 32, INK)
    draw.ellipse((1130, 740, 1350, 960), outline=RED, width=7)
    text(draw, (1240, 850), "样例章", 48, RED, "Bold", anchor="mm")
    save_png(image, "licence.png")


def card(fill, outline):
    image, draw = paper((1320, 880), "#dfe5e6")
    draw.rounded_rectangle((60, 60, 1260, 820), 44, fill=fill, outline=outline, width=4)
    return image, draw


def portrait(draw, x, y):
    draw.rounded_rectangle((x, y, x + 300, y + 380), 12, fill="#d4e3e8")
    draw.pieslice((x + 22, y + 236, x + 278, y + 620), 180, 360, fill="#4f7480")
    draw.rectangle((x, y + 381, x + 300, y + 622), fill="#eef4f6")
    draw.ellipse((x + 84, y + 50, x + 216, y + 226), fill="#2b3438")
    draw.ellipse((x + 96, y + 78, x + 204, y + 222), fill="#f0d3bd")
    draw.pieslice((x + 88, y + 56, x + 212, y + 186), 190, 350, fill="#2b3438")


def id_front():
    image, draw = card("#eef4f6", "#a9bcc2")
    portrait(draw, 880, 190)
    rows = [("姓 名", PERSON), ("性 别", "女    民 族  汉"), ("出 生", "2000 年 2 月 29 日"), ("住 址", ADDRESS[:11]), ("", ADDRESS[11:])]
    for row, (label, value) in enumerate(rows):
        y = 170 + row * 92
        text(draw, (130, y), label, 38, "#3f6f86")
        text(draw, (270, y), value, 44, INK)
    text(draw, (130, 706), "公民身份号码", 38, "#3f6f86")
    text(draw, (420, 698), ID_NUMBER, 52, INK, "Bold")
    save_png(image, "id_front.png")


def id_back():
    image, draw = card("#f2f1ea", "#c3bfae")
    draw.ellipse((130, 120, 330, 320), fill="#c98b2f")
    text(draw, (230, 220), "样例", 64, "#fff8ea", "Bold", anchor="mm")
    text(draw, (790, 170), "样例国", 62, INK, "Bold", "Serif", "mm")
    text(draw, (790, 290), "居民身份证(样例)", 84, INK, "Bold", "Serif", "mm")
    for row in range(6):
        points = [(80 + x, 450 + row * 18 + 10 * sin(x / 90 + row)) for x in range(0, 1161, 6)]
        draw.line(points, fill="#e2ded0", width=3)
    text(draw, (300, 600), "签发机关", 40, SOFT)
    text(draw, (520, 596), "样例市公安局样例分局", 44, INK)
    text(draw, (300, 700), "有效期限", 40, SOFT)
    text(draw, (520, 696), "2020.03.01-2040.03.01", 44, INK)
    save_png(image, "id_back.png")


def settle_card():
    """The front of a debit card. Nothing that must not be kept: no expiry date, no back, no code."""
    image, draw = card("#0f4a55", "#0b3a43")
    draw.pieslice((700, 160, 1260, 720), 90, 270, fill="#14606d")
    draw.rectangle((980, 160, 1240, 720), fill="#14606d")
    draw.rounded_rectangle((60, 60, 1260, 820), 44, outline="#dfe5e6", width=2)
    text(draw, (130, 130), "样例银行", 64, "#ffffff", "Bold")
    text(draw, (130, 216), "SAMPLE BANK", 30, "#b8d4d8")
    draw.rounded_rectangle((130, 320, 300, 450), 18, fill="#d9b45a", outline="#a9853a", width=3)
    for y in (362, 406):
        draw.line((130, y, 300, y), fill="#a9853a", width=3)
    draw.line((215, 320, 215, 450), fill="#a9853a", width=3)
    text(draw, (130, 540), CARD, 86, "#ffffff", "Bold")
    text(draw, (130, 700), "LIN YANGLI", 44, "#e6f0f1")
    text(draw, (1190, 700), "借记卡 DEBIT", 40, "#e6f0f1", anchor="ra")
    # 62… says the network by itself; no brand mark is drawn
    save_png(image, "settle_card.png")


# --- photographs -----------------------------------------------------------------------------------


def sky_to_street(size, sky, street, horizon):
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for y in range(size[1]):
        share = min(y / horizon, 1.0)
        colour = tuple(round(a + (b - a) * share) for a, b in zip(sky, (236, 232, 222)))
        draw.line((0, y, size[0], y), fill=colour if y < horizon else street)
    return image, draw


def tiles(draw, box, step, light, dark):
    x0, y0, x1, y1 = box
    draw.rectangle(box, fill=light)
    for x in range(x0, x1, step):
        draw.line((x, y0, x, y1), fill=dark, width=2)
    for y in range(y0, y1, step):
        draw.line((x0, y, x1, y), fill=dark, width=2)


def star(draw, centre, radius, fill):
    points = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.42
        angle = -pi / 2 + corner * pi / 5
        points.append((centre[0] + reach * cos(angle), centre[1] + reach * sin(angle)))
    draw.polygon(points, fill=fill)


def shop(draw, left, top, width, height):
    right, bottom = left + width, top + height
    tiles(draw, (left, top, right, bottom), 46, "#c9b79b", "#bba789")
    draw.rectangle((left - 16, top + 40, right + 16, top + 190), fill="#0d4a4f")
    star(draw, (left + 110, top + 115), 52, "#f2bc45")
    text(draw, (left + 190, top + 115), SIGN, 92, "#fdf6e3", "Bold", anchor="lm")
    text(draw, (right - 24, top + 168), "样例路99号", 26, "#cfe3e2", anchor="rs")
    window = (left + 50, top + 240, left + width * 58 // 100, bottom - 90)
    draw.rectangle(window, fill="#f6e7bd", outline="#5b4630", width=12)
    for third in (1, 2):
        x = window[0] + (window[2] - window[0]) * third // 3
        draw.line((x, window[1], x, window[3]), fill="#5b4630", width=8)
    for lamp in range(3):
        x = window[0] + (window[2] - window[0]) * (2 * lamp + 1) // 6
        draw.line((x, window[1], x, window[1] + 54), fill="#6d5a45", width=3)
        draw.ellipse((x - 26, window[1] + 50, x + 26, window[1] + 92), fill="#cf4d34")
    draw.rectangle((window[0] + 12, window[3] - 80, window[2] - 12, window[3] - 12), fill="#8a6a48")
    door = (left + width * 66 // 100, top + 250, right - 60, bottom)
    draw.rectangle(door, fill="#33565a", outline="#22393c", width=10)
    draw.rectangle((door[0] + 30, door[1] + 30, door[2] - 30, door[3] - 150), fill="#d8e6e2")
    text(draw, ((door[0] + door[2]) // 2, door[1] + 90), "营业中", 40, "#22393c", "Bold", anchor="mm")
    draw.ellipse((door[0] + 24, door[3] - 120, door[0] + 46, door[3] - 98), fill="#d9b45a")


def gps():
    """Where the shop front was taken, as a phone writes it (degrees, minutes, seconds)."""
    def parts(value):
        degrees = int(value)
        minutes = int((value - degrees) * 60)
        return degrees, minutes, round((value - degrees - minutes / 60) * 3600, 4)

    exif = Image.Exif()
    exif[0x010F] = "SPECIMEN"
    exif[0x0132] = "2026:11:23 09:30:00"
    exif.get_ifd(0x8825).update({1: "N", 2: parts(LATITUDE), 3: "E", 4: parts(LONGITUDE)})
    return exif


def shop_front():
    image, draw = sky_to_street((1440, 1080), (176, 205, 222), "#8f9193", 930)
    shop(draw, 150, 130, 1140, 820)
    draw.rectangle((0, 950, 1440, 985), fill="#b9b7b0")
    save_photo(image, "shop_front.jpg", gps())


def table(draw, x, y, scale):
    wide, deep = 300 * scale, 70 * scale
    draw.polygon([(x, y), (x + wide, y), (x + wide + deep, y + deep), (x - deep, y + deep)], fill="#a9794c")
    draw.rectangle((x - deep, y + deep, x + wide + deep, y + deep + 22 * scale), fill="#83592f")
    for leg in (x - deep + 14 * scale, x + wide + deep - 34 * scale):
        draw.rectangle((leg, y + deep + 22 * scale, leg + 20 * scale, y + deep + 150 * scale), fill="#6a4726")
    for bowl in (0.22, 0.68):
        bx, by = x + wide * bowl, y + deep * 0.2
        draw.ellipse((bx, by, bx + 90 * scale, by + 34 * scale), fill="#f4f1e8", outline="#b8b2a2", width=3)
        draw.ellipse((bx + 10 * scale, by + 5 * scale, bx + 80 * scale, by + 26 * scale), fill="#d9a650")


def room(draw, size):
    tiles(draw, (0, 0, size[0], 640), 80, "#efe6d2", "#e5dac2")
    tiles(draw, (0, 640, size[0], size[1]), 120, "#b7aea0", "#a49b8d")
    draw.rectangle((0, 628, size[0], 648), fill="#7b5a3a")


def shop_inside():
    image, draw = paper((1440, 1080), "#efe6d2")
    room(draw, image.size)
    draw.rectangle((120, 110, 760, 330), fill="#0d4a4f")
    text(draw, (440, 170), "今日面食", 58, "#fdf6e3", "Bold", anchor="mm")
    for row, dish in enumerate(("牛肉面 18 元", "葱油拌面 12 元", "番茄鸡蛋面 14 元")):
        text(draw, (150 + 205 * row, 262), dish, 24, "#cfe3e2", anchor="lm")
    star(draw, (1240, 190), 60, "#f2bc45")
    text(draw, (1240, 292), SIGN, 40, "#0d4a4f", "Bold", anchor="mm")
    for x in (60, 830, 1010):
        draw.line((x, 0, x, 390), fill="#6d5a45", width=4)
        draw.ellipse((x - 44, 380, x + 44, 452), fill="#cf4d34")
    table(draw, 180, 640, 1.0)
    table(draw, 830, 650, 1.05)
    table(draw, 420, 840, 1.3)
    save_photo(image, "shop_inside.jpg")


def terminal(draw, x, y, scale):
    draw.rounded_rectangle((x, y, x + 150 * scale, y + 260 * scale), 22 * scale, fill="#f1f4f4", outline="#9fadae", width=4)
    draw.rounded_rectangle((x + 14 * scale, y + 18 * scale, x + 136 * scale, y + 112 * scale), 8 * scale, fill="#12262a")
    star(draw, (x + 75 * scale, y + 64 * scale), 26 * scale, "#f2bc45")
    for row in range(4):
        for column in range(3):
            kx, ky = x + (20 + column * 39) * scale, y + (130 + row * 30) * scale
            draw.rounded_rectangle((kx, ky, kx + 32 * scale, ky + 22 * scale), 5 * scale, fill="#c9d3d4")


def cashier():
    image, draw = paper((1440, 1080), "#efe6d2")
    room(draw, image.size)
    star(draw, (250, 190), 60, "#f2bc45")
    text(draw, (340, 190), SIGN, 72, "#0d4a4f", "Bold", anchor="lm")
    text(draw, (340, 270), "收银台", 40, SOFT, anchor="lm")
    draw.rectangle((140, 560, 1300, 640), fill="#8a6239")
    draw.rectangle((170, 640, 1270, 1000), fill="#a9794c")
    for x in range(170, 1270, 110):
        draw.line((x, 640, x, 1000), fill="#99693d", width=4)
    draw.rounded_rectangle((280, 330, 620, 540), 14, fill="#2c3a3d")
    draw.rectangle((300, 350, 600, 520), fill="#d8e6e2")
    text(draw, (450, 430), "合计 30.00", 44, INK, "Bold", anchor="mm")
    draw.rectangle((430, 540, 470, 562), fill="#2c3a3d")
    terminal(draw, 760, 322, 0.92)
    draw.rounded_rectangle((1010, 380, 1190, 562), 10, fill="#fdf6e3", outline="#8a6239", width=5)
    text(draw, (1100, 440), "请在此", 36, INK, anchor="mm")
    text(draw, (1100, 492), "付款", 44, INK, "Bold", anchor="mm")
    save_photo(image, "cashier.jpg")


def visit():
    image, draw = sky_to_street((1440, 1080), (196, 205, 214), "#8f9193", 900)
    shop(draw, 60, 150, 960, 760)
    draw.rectangle((0, 910, 1440, 945), fill="#b9b7b0")
    draw.pieslice((1080, 520, 1400, 1240), 180, 360, fill="#24525a")
    draw.ellipse((1170, 330, 1310, 520), fill="#f0d3bd")
    draw.pieslice((1160, 310, 1320, 470), 180, 360, fill="#2b3438")
    draw.rounded_rectangle((1200, 640, 1330, 800), 10, fill="#ffffff", outline="#c3cdd0", width=4)
    text(draw, (1265, 680), "核实员", 34, INK, "Bold", anchor="mm")
    text(draw, (1265, 730), "工牌样例", 26, SOFT, anchor="mm")
    draw.rectangle((36, 992, 760, 1052), fill="#1d2a2e")
    text(draw, (56, 1022), "现场核实  2026-11-23 14:20  22.5431, 114.0579", 30, "#ffffff", anchor="lm")
    save_photo(image, "visit.jpg")


def main():
    for draw_one in (licence, id_front, id_back, settle_card, shop_front, shop_inside, cashier, visit):
        draw_one()
    for picture in sorted([*HERE.glob("*.png"), *HERE.glob("*.jpg")]):
        with Image.open(picture) as opened:
            size, kib = opened.size, picture.stat().st_size / 1024
        assert min(size) >= 800 and kib < 400, (picture.name, size, kib)
        print(f"{picture.name:18} {size[0]} x {size[1]}  {kib:5.0f} KiB")


if __name__ == "__main__":
    main()
