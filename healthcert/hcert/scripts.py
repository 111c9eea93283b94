"""How letters outside A-Z are written in A-Z, as ICAO Doc 9303 part 3 (8th edition) recommends.

Upper case only; a letter that is missing here and is a letter of A-Z with marks loses its marks.
Latin, Cyrillic and Arabic are section 6 of part 3, tables A, B and C. Doc 9303 has no Greek:
Greek is ISO 843 type 2 (ELOT 743). For Armenian and Georgian it publishes no table either.
"""

import re
from collections.abc import Mapping

LATIN: Mapping[str, str] = {
    "Ä": "AE", "Å": "AA", "Æ": "AE", "Ð": "D", "Ö": "OE", "Ø": "OE", "Ü": "UE", "Þ": "TH",
    "ẞ": "SS", "Đ": "D", "Ħ": "H", "İ": "I", "Ĳ": "IJ", "ĸ": "Q", "Ł": "L", "Ŀ": "L", "Ŋ": "N",
    "Œ": "OE", "Ŧ": "T",
}  # fmt: skip

CYRILLIC: Mapping[str, str] = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ж": "ZH", "З": "Z", "И": "I",
    "Й": "I", "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S",
    "Т": "T", "У": "U", "Ф": "F", "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH",
    "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU", "Я": "IA",
    "Ё": "E", "Ђ": "D", "Ѓ": "G", "Є": "IE", "Ѕ": "DZ", "І": "I", "Ї": "I", "Ј": "J", "Љ": "LJ",
    "Њ": "NJ", "Ћ": "C", "Һ": "C", "Ќ": "K", "Ў": "U", "Џ": "DZ", "Ѫ": "U", "Ѵ": "Y",
    "Ґ": "G",
}  # fmt: skip

GREEK: Mapping[str, str] = {
    "Α": "A", "Β": "V", "Γ": "G", "Δ": "D", "Ε": "E", "Ζ": "Z", "Η": "I", "Θ": "TH", "Ι": "I",
    "Κ": "K", "Λ": "L", "Μ": "M", "Ν": "N", "Ξ": "X", "Ο": "O", "Π": "P", "Ρ": "R", "Σ": "S",
    "Τ": "T", "Υ": "Y", "Φ": "F", "Χ": "CH", "Ψ": "PS", "Ω": "O",
}  # fmt: skip

ARABIC: Mapping[str, str] = {
    "ء": "XE", "آ": "XAA", "أ": "XAE", "ؤ": "U", "إ": "I", "ئ": "XI", "ا": "A", "ب": "B",
    "ة": "XTA", "ت": "T", "ث": "XTH", "ج": "J", "ح": "XH", "خ": "XKH", "د": "D", "ذ": "XDH",
    "ر": "R", "ز": "Z", "س": "S", "ش": "XSH", "ص": "XSS", "ض": "XDZ", "ط": "XTT", "ظ": "XZZ",
    "ع": "E", "غ": "G", "ف": "F", "ق": "Q", "ك": "K", "ل": "L", "م": "M", "ن": "N", "ه": "H",
    "و": "W", "ى": "XAY", "ي": "Y",
    "ٱ": "XXA", "ٹ": "XXT", "ټ": "XRT", "پ": "P", "ځ": "XKE", "څ": "XXH", "چ": "XC", "ڈ": "XXD",
    "ډ": "XDR", "ڑ": "XXR", "ړ": "XRR", "ږ": "XRX", "ژ": "XJ", "ښ": "XXS", "ک": "XKK", "ګ": "XXK",
    "ڭ": "XNG", "گ": "XGG", "ں": "XNN", "ڼ": "XXN", "ھ": "XDO", "ۀ": "XYH", "ہ": "XXG", "ۂ": "XGE",
    "ۃ": "XTG", "ی": "XYA", "ۍ": "XXY", "ې": "Y", "ے": "XYB", "ۓ": "XBE",
    "ـ": "", "ڜ": "", "ڢ": "", "ڧ": "", "ڨ": "",  # "not encoded": the tatweel and four rare letters
}  # fmt: skip

LETTERS: Mapping[str, str] = {**LATIN, **CYRILLIC, **GREEK, **ARABIC}

# The footnotes of table B: what a letter becomes in one language, by its ISO 639-1 code.
BY_LANGUAGE: Mapping[str, Mapping[str, str]] = {
    "be": {"Г": "H", "Ё": "IO"},
    "bg": {"Щ": "SHT"},
    "mk": {"Ѓ": "GJ", "Ќ": "KJ", "Х": "H", "Ц": "C", "Џ": "DJ"},
    "sr": {"Г": "H", "Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"},
    "uk": {"Г": "H", "И": "Y"},
}
AT_THE_START: Mapping[str, Mapping[str, str]] = {
    "uk": {"Є": "YE", "Ї": "YI", "Й": "Y", "Ю": "YU", "Я": "YA"},
}

# Letters that sound together, rewritten before the tables are asked (ISO 843 type 2, notes).
TOGETHER: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("Ο[ΥΎ]"), "OU"),
    (re.compile("([ΑΕΗ])[ΥΎ](?=[ΑΆΒΓΔΕΈΖΗΉΙΊΛΜΝΟΌΡΥΎΩΏ])"), r"\1V"),
    (re.compile("([ΑΕΗ])[ΥΎ]"), r"\1F"),
    (re.compile("Γ(?=[ΓΞΧ])"), "N"),
    (re.compile("^ΜΠ|ΜΠ$"), "B"),
)

FINAL_TEH_MARBUTA = "XAH"  # table C, note: XTA within a name component, XAH at its end
