"""How wide PT Serif sets a text: what surely fits is known before it is set, since measuring there takes as long as setting."""

# Widths by the font's own table, in hundredths of the letter's size.
_GROUPS = {
    24: " '\N{NO-BREAK SPACE}",
    33: ".,:;jil",
    42: '()/Jf"rtI-',
    50: "гs«»зсcэzаетуёaey",
    54: "Гьvхkx0123456789вягбклFS",
    58: "ЗоLboqчdдрpuЕъЁE",
    62: "hnБРЬPийнпцZВТBT",
    66: "–ЭСЧЯCRYКKЛУ",
    71: "ХUXАДAVGD",
    75: "ПЪжфНЦмHNwИЙОOQы",
    84: "ФюшЫщ",
    90: "mМM—",
    97: "ШWЖЩЮ",
}
_WIDTHS = {letter: width for width, letters in _GROUPS.items() for letter in letters}
_WIDEST = 120
# Pairs such as «Ту» stand closer than their letters' widths; a line never gains more than this by it.
_KERNING = 0.06


def measure(text: str) -> int:
    """Width of a line at most, in hundredths of its letters' size."""
    return sum(_WIDTHS.get(letter, _WIDEST) for letter in text)


def count_lines(text: str, room: int) -> int:
    """Lines that a text surely takes in a column as wide as `room`, in the same measure; 0 where that is not sure."""
    lines, used = 1, 0
    for word in text.split(" "):
        width = measure(word)
        more = used + _WIDTHS[" "] + width if used else width
        if more <= room:
            used = more
        elif used and width <= room and more * (1 - _KERNING) > room and "-" not in word:
            lines, used = lines + 1, width
        else:
            return 0
    return lines
