"""How wide PT Serif sets a text: what surely fits is known before it is set, since measuring there takes as long as setting."""

# Widths by the font's own table, in hundredths of the letter's size, rounded up.
_GROUPS = {
    25: " '\N{NO-BREAK SPACE}",
    34: ".,:;jil",
    43: '()/Jf"rtI-\N{NON-BREAKING HYPHEN}',
    51: "гs«»зсcэzаетёaey",
    55: "уГьvхkx0123456789вягбклFS",
    59: "ЗоLboqчdдрpuЕъЁE",
    63: "hnБРЬPийнпцZВТBT",
    67: "–ЭСЧЯCRYКKЛУ",
    72: "ХUXАДAVGD",
    76: "ПЪжфНЦмHNwИЙОOQы",
    85: "ФюшЫщ",
    91: "mМM—",
    98: "ШWЖЩЮ",
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
