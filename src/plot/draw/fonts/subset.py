"""Makes Inter-Regular.ttf and Inter-SemiBold.ttf, the fonts that pictures are measured and drawn with.

    python3 -m venv fonts && fonts/bin/pip install fonttools==4.68.0 brotli==1.2.1
    fonts/bin/python src/plot/fonts/subset.py

It takes Inter 4.1 from the package inter-ui, by `npm pack` (checked against its SHA-256), keeps the letters of European languages
and the signs that figures need, gives all digits one width, and leaves out kerning and hinting, so that the width of a
text is the sum of its letters' widths. The fonts are under the SIL Open Font License (OFL.txt).
"""

import hashlib
import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

PACKAGE = "inter-ui@4.1.1"
SHA256 = "e392e4d71f18a7c1f23dfecd833d68fa05eeab41862686584e80fd2b5d87e9c0"
HERE = Path(__file__).parent
RANGES = [
    (0x20, 0x7E),  # ASCII
    (0xA0, 0x17F),  # Latin-1, Latin Extended-A
    (0x391, 0x3C9),  # Greek
    (0x400, 0x45F),  # Cyrillic
]
SIGNS = "–—‘’“”•…‹›€™←↑→↓−√∞≈≠≤≥△▷×·°±⁰¹²³⁴⁵⁶⁷⁸⁹⁻✓✗"


def one_width(font):
    """Digits are the ones of the feature `tnum`, all of the same width."""
    substitutes = {}
    table = font["GSUB"].table
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for sub in table.LookupList.Lookup[index].SubTable:
                    sub = getattr(sub, "ExtSubTable", sub)
                    substitutes.update(getattr(sub, "mapping", {}))
    for cmap in font["cmap"].tables:
        for code in range(ord("0"), ord("9") + 1):
            cmap.cmap[code] = substitutes.get(cmap.cmap[code], cmap.cmap[code])


def fetched():
    """The package, by npm's own client."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (package,) = Path(folder).glob("*.tgz")
        return package.read_bytes()


def main():
    package = fetched()
    assert hashlib.sha256(package).hexdigest() == SHA256, "the package is another one"
    files = tarfile.open(fileobj=io.BytesIO(package))
    (HERE / "OFL.txt").write_bytes(files.extractfile("package/LICENSE.txt").read())
    wanted = {code for first, last in RANGES for code in range(first, last + 1)} | {ord(sign) for sign in SIGNS}
    for weight in ["Regular", "SemiBold"]:
        woff2 = io.BytesIO(files.extractfile(f"package/web/Inter-{weight}.woff2").read())
        font = TTFont(woff2, recalcTimestamp=False)
        one_width(font)
        options = subset.Options()
        options.layout_features = []
        options.hinting = False
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "DSIG", "STAT", "meta"]
        options.name_IDs = [0, 1, 2, 4, 6, 13, 14, 16, 17]
        options.recalc_timestamp = False
        options.notdef_outline = True
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        font.flavor = None
        target = HERE / f"Inter-{weight}.ttf"
        font.save(target)
        missing = sorted(chr(code) for code in wanted - set(font.getBestCmap()))
        print(target.name, target.stat().st_size, "bytes, missing", "".join(missing))


if __name__ == "__main__":
    main()
