"""The fonts inside the report's PDF figures: the needed letters of Liberation Sans 2.1.5, under another name.

    pip install fonttools==4.68.0
    python tests/oracles/report_font.py FOLDER_OF_LIBERATION_2 crates/in9-report/src/fonts

Liberation Sans 2 (SIL Open Font License 1.1) is as wide as Arial and Helvetica, for which the charts are laid out. Its
licence reserves the name, so that what is left of it is called In9 Sans. The same input gives the same bytes.
"""

import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

# Latin, Greek, Cyrillic, punctuation, super- and subscripts, arrows, signs of mathematics, shapes.
LETTERS = [
    (0x20, 0x7E), (0xA0, 0x17F), (0x218, 0x21B), (0x370, 0x3FF), (0x400, 0x45F), (0x1E80, 0x1E9E),
    (0x2010, 0x2044), (0x2070, 0x209C), (0x20AC, 0x20AC), (0x2100, 0x215F), (0x2190, 0x21FF), (0x2200, 0x22FF),
    (0x25A0, 0x25FF), (0xFFFD, 0xFFFD),
]


def main(source: pathlib.Path, out: pathlib.Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for style in ("Regular", "Bold"):
        font = TTFont(source / f"LiberationSans-{style}.ttf", recalcTimestamp=False)
        options = subset.Options(hinting=False, layout_features=["kern", "mark", "mkmk", "ccmp"], name_IDs=[0, 13, 14])
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[code for first, last in LETTERS for code in range(first, last + 1)])
        subsetter.subset(font)
        names = font["name"]
        given = {1: "In9 Sans", 2: style, 3: f"In9 Sans {style}", 4: f"In9 Sans {style}", 6: f"In9Sans-{style}"}
        for number, text in given.items():
            names.setName(text, number, 3, 1, 0x409)
        font.save(out / f"In9Sans-{style}.ttf")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
