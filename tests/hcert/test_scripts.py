"""The transliteration tables, held to what is published, letter by letter.

The tables below are stated a second time and otherwise: by code point, as Doc 9303 part 3
section 6 prints them (A Latin, B Cyrillic, C Arabic), so that a slip must be made twice.
"""

from __future__ import annotations

import unicodedata

import pytest

from healthcert.hcert import scripts

LATIN = """
00C4 AE 00C5 AA 00C6 AE 00D0 D 00D6 OE 00D8 OE 00DC UE 00DE TH 0110 D 0126 H 0130 I 0132 IJ 0138 Q
013F L 0141 L 014A N 0152 OE 0166 T 1E9E SS
"""
CYRILLIC = """
0401 E 0402 D 0403 G 0404 IE 0405 DZ 0406 I 0407 I 0408 J 0409 LJ 040A NJ 040B C 040C K 040E U
040F DZ 0410 A 0411 B 0412 V 0413 G 0414 D 0415 E 0416 ZH 0417 Z 0418 I 0419 I 041A K 041B L 041C M
041D N 041E O 041F P 0420 R 0421 S 0422 T 0423 U 0424 F 0425 KH 0426 TS 0427 CH 0428 SH 0429 SHCH
042A IE 042B Y 042C - 042D E 042E IU 042F IA 046A U 0474 Y 0490 G 04BA C
"""
ARABIC = """
0621 XE 0622 XAA 0623 XAE 0624 U 0625 I 0626 XI 0627 A 0628 B 0629 XTA 062A T 062B XTH 062C J
062D XH
062E XKH 062F D 0630 XDH 0631 R 0632 Z 0633 S 0634 XSH 0635 XSS 0636 XDZ 0637 XTT 0638 XZZ 0639 E
063A G 0640 - 0641 F 0642 Q 0643 K 0644 L 0645 M 0646 N 0647 H 0648 W 0649 XAY 064A Y 0671 XXA
0679 XXT 067C XRT 067E P 0681 XKE 0685 XXH 0686 XC 0688 XXD 0689 XDR 0691 XXR 0693 XRR 0696 XRX
0698 XJ 069A XXS 069C - 06A2 - 06A7 - 06A8 - 06A9 XKK 06AB XXK 06AD XNG 06AF XGG 06BA XNN 06BC XXN
06BE XDO 06C0 XYH 06C1 XXG 06C2 XGE 06C3 XTG 06CC XYA 06CD XXY 06D0 Y 06D2 XYB 06D3 XBE
"""
# ISO 843 type 2, by the letters' own names: most are written by the first letter of theirs.
GREEK = {
    "ALPHA": "A", "BETA": "V", "GAMMA": "G", "DELTA": "D", "EPSILON": "E", "ZETA": "Z", "ETA": "I",
    "THETA": "TH", "IOTA": "I", "KAPPA": "K", "LAMDA": "L", "MU": "M", "NU": "N", "XI": "X",
    "OMICRON": "O", "PI": "P", "RHO": "R", "SIGMA": "S", "TAU": "T", "UPSILON": "Y", "PHI": "F",
    "CHI": "CH", "PSI": "PS", "OMEGA": "O",
}  # fmt: skip
# The footnotes of table B.
FOOTNOTES = {
    "be": "0401 IO 0413 H",
    "bg": "0429 SHT",
    "mk": "0403 GJ 040C KJ 040F DJ 0425 H 0426 C",
    "sr": "0413 H 0416 Z 0425 H 0426 C 0427 C 0428 S",
    "uk": "0413 H 0418 Y",
}
FIRST_IN_UKRAINIAN = "0404 YE 0407 YI 0419 Y 042E YU 042F YA"


def table(words):
    points = words.split()
    pairs = zip(points[::2], points[1::2], strict=True)
    return {chr(int(point, 16)): written.strip("-") for point, written in pairs}


PUBLISHED = {
    "LATIN": table(LATIN),
    "CYRILLIC": table(CYRILLIC),
    "ARABIC": table(ARABIC),
    "GREEK": {unicodedata.lookup(f"GREEK CAPITAL LETTER {n}"): w for n, w in GREEK.items()},
    "AT_THE_START": {"uk": table(FIRST_IN_UKRAINIAN)},
    "BY_LANGUAGE": {language: table(note) for language, note in FOOTNOTES.items()},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_table_is_the_published_one(name):
    assert getattr(scripts, name) == PUBLISHED[name]


def test_a_teh_marbuta_at_the_end_is_written_as_the_note_says():
    assert scripts.FINAL_TEH_MARBUTA == "XAH"


def test_the_tables_share_no_letter():
    parts = (scripts.LATIN, scripts.CYRILLIC, scripts.GREEK, scripts.ARABIC)
    assert sum(map(len, parts)) == len(scripts.LETTERS) == 164
