"""Words in people's names that don't follow the rule of a capital and small letters."""

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PARTICLES = _words(
    "van von vom zu zum zur der den dem het 't ter ten te op in de del della dello dei degli delle di da do dos das du "
    "des d' la las le los lo y af av bin binti ibn bint al ul ud uddin van't of the and und et &"
)
"""Small within a name, with a capital at its beginning."""

JOINED_PARTICLES = _words("al as ad ar az ash ud ul")
"""Small before a hyphen: `al-Rashid`."""

ELIDED = _words("o d l m n t s dell dall nell sull all degl sant")
"""What stands before an apostrophe in names, so that a capital follows: `O'Neill`, `Dell'Acqua`, `N'Diaye`."""

MAC_NAMES = _words(
    "macalister macallister macarthur macaulay macbeth macbride maccallum maccarthy macdonald macdonell macdougall "
    "macduff macfarlane macgillivray macgregor macintosh macintyre mackinnon maclachlan maclaren maclean macleod "
    "macmahon macmillan macnamara macneil macneill macphail macpherson macquarie macrae mactavish"
)
"""Names with a second capital. Others that begin so are written with one (`Macron`, `Machado`), or in both ways."""

TITLES: Mapping[str, str] = {
    "mr": "Mr", "mrs": "Mrs", "ms": "Ms", "miss": "Miss", "mx": "Mx", "sir": "Sir", "dame": "Dame", "rev": "Rev",
    "dr": "Dr", "prof": "Prof", "professor": "Professor", "doctor": "Doctor", "herr": "Herr", "frau": "Frau",
    "dott": "Dott", "dottssa": "Dott.ssa", "dottoressa": "Dottoressa", "ing": "Ing", "avv": "Avv", "arch": "Arch",
    "geom": "Geom", "rag": "Rag", "sig": "Sig", "sigra": "Sig.ra", "signor": "Signor", "signora": "Signora",
    "monsieur": "Monsieur", "mme": "Mme", "madame": "Madame", "mlle": "Mlle", "sr": "Sr", "sra": "Sra", "srta": "Srta",
    "dra": "Dra", "dhr": "Dhr", "mevr": "Mevr", "drs": "Drs", "ir": "Ir", "dipl": "Dipl", "mag": "Mag",
}  # fmt: skip
"""Before a name, as they are written; the point that some have is kept from what was given."""

DOTTED_TITLES = _words("ir ing arch mag dipl rag sr rev sig geom avv drs")
"""Titles that are a word or a name too: taken for a title only with a point, `Ing.`."""

SUFFIXES: Mapping[str, str] = {
    "jr": "Jr", "sr": "Sr", "ii": "II", "iii": "III", "iv": "IV", "phd": "PhD", "md": "MD", "mba": "MBA", "msc": "MSc",
    "bsc": "BSc", "cpa": "CPA", "cfa": "CFA", "esq": "Esq", "dds": "DDS", "mph": "MPH", "llm": "LLM", "pmp": "PMP",
}  # fmt: skip
"""Behind a name, as they are written."""

LINEAGE_SUFFIXES = _words("jr sr ii iii iv")
"""Suffixes that tell two people of one name apart: they are part of it, and no title."""

NO_INITIALS = _words("ng st md")
"""Two letters without a vowel that are no initials, unlike `JP`."""

NOTHING = frozenset({"unknown", "undefined", "not provided", "not available", "no name", "anonymous"})
"""What stands in fields for no name at all (folded). `None` and `Null` aren't here: people are called so."""
