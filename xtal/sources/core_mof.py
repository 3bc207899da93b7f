"""CoRE MOF 2014 and 2019, read out of the core-mof package without importing it (that would load pandas)."""

from importlib.util import find_spec
from pathlib import Path

from xtal.errors import UserError
from xtal.sources.archive import fingerprint
from xtal.sources.cif_files import CifFiles

LICENCE = "CC BY 4.0"
CITATION_2014 = (
    "Chung et al., Chem. Mater. 26, 6185 (2014), doi:10.1021/cm502594j; data: doi:10.5281/zenodo.3228673; "
    "package: core-mof by F.-X. Coudert"
)
CITATION_2019 = (
    "Chung et al., J. Chem. Eng. Data 64, 5985 (2019), doi:10.1021/acs.jced.9b00835; data: doi:10.5281/zenodo.7691378; "
    "package: core-mof by F.-X. Coudert"
)
ARCHIVES = {  # file, citation, entries
    "coremof2019-asr": ("2019-ASR.tar.xz", CITATION_2019, 12_020),  # all solvent removed
    "coremof2019-fsr": ("2019-FSR.tar.xz", CITATION_2019, 7_061),  # free solvent removed
    "coremof2014": ("2014.tar.xz", CITATION_2014, 4_764),
}


def open_core_mof(name: str) -> CifFiles:
    """Open one of the `ARCHIVES` by name.

    Raises:
        UserError: the core-mof package or its data is not installed.
    """
    file, citation, entries = ARCHIVES[name]
    package = find_spec("CoRE_MOF")
    path = Path(package.origin).parent / "data" / file if package and package.origin else None
    if path is None or not path.is_file():
        raise UserError(f"{name} comes with the core-mof package, which is not installed; run: pip install core-mof")
    return CifFiles(name, path, f"{name}:{fingerprint(path)}", citation, LICENCE, expected=entries)
