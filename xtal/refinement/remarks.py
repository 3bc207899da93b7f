"""What must be known to read a refinement's numbers, in plain sentences."""

import numpy as np

from xtal.refinement.asked import ESTIMATED, Observed
from xtal.refinement.refined import Refinement

POOR = 4.0  # goodness of fit from which a model leaves much unexplained
GOOD = 1.0
LOW_ANGLE = 0.15  # Å⁻¹: |g| up to which guests in pores change intensities most
FAR = 0.35  # share of the intensity below that, by which it is wrong
STRONG_TEXTURE = 0.5
MOST_NAMED = 4
ZEROS = 0.02  # share of the points
FEW_SITES = 8
HARDLY = 3.0  # a share must be so many times its uncertainty


def remarks_on(found: Refinement, observed: Observed) -> tuple[str, ...]:
    """Return the sentences for a refinement of `observed`, gravest first."""
    return (*_fit(found, observed), *_model(found), *_parameters(found))


def _fit(found: Refinement, observed: Observed) -> list[str]:
    """Of the agreement and the weights it is counted with."""
    said, agreement = [], found.agreement
    if observed.computed:
        said.append(
            "the pattern holds no noise, so nobody measured it: Rexp, GoF and all uncertainties mean nothing here"
        )
    elif agreement.gof < GOOD:
        said.append(
            f"GoF is {agreement.gof:.2f}, below 1: the uncertainties of the points are too large, or the model follows "
            "the noise; uncertainties of the parameters are not to be trusted"
        )
    if agreement.gof > POOR and not observed.computed:
        said.append(
            f"GoF is {agreement.gof:.1f}: the model leaves much unexplained, and the uncertainties of the cell are too "
            "small by about as much"
        )
    if not observed.computed:
        said.append(observed.weights)
        if observed.weights == ESTIMATED and (observed.source.intensity == 0).mean() > ZEROS:
            said.append("many points are 0: a background was taken off, and with it what the points should weigh")
    if observed.merged > 1:
        said.append(f"{observed.merged} measured points were averaged to one: the lines are wide enough for it")
    if found.mode != "rietveld":
        said.append("intensities were free: the fit speaks for the cell, not for the atoms")
    return said


def _model(found: Refinement) -> list[str]:
    """Of what the model does not hold."""
    said = []
    for phase in found.phases:
        name = phase.structure.name or "the structure"
        if phase.structure.group.number == 1 and len(phase.structure) > FEW_SITES:
            said.append(
                f"{name} has no symmetry within 0.05 Å, so that all six parameters of its cell are free: a structure "
                "with its space group is fixed better"
            )
        if phase.porous and found.mode == "rietveld":
            said.append(
                f"{name} has pores, and nothing but its listed atoms was modelled in them: guests change intensities "
                f"at low angles{_low_angles(found)}"
            )
        if phase.texture is not None and phase.texture.r.value < STRONG_TEXTURE:
            said.append(
                f"strong texture in {name} (r = {phase.texture.r.value:.2f}): intensities say little about its atoms"
            )
        if phase.share is not None and phase.share.error and phase.share.value < HARDLY * phase.share.error:
            said.append(f"the share of {name} is not significant: {phase.share.value:.1%} ± {phase.share.error:.1%}")
    if found.mode == "rietveld" and not any(phase.moved for phase in found.phases):
        said.append("atoms were kept where the structure has them")
    if len(found.phases) > 1 and found.mode == "rietveld":
        said.append(
            "shares are of the crystalline phases in the model; amorphous parts and other phases are not counted"
        )
    return said


def _low_angles(found: Refinement) -> str:
    """Say how wrong the intensity is where guests matter, "" where it is not."""
    profile = found.profile
    g = 2 * np.sin(np.radians(profile.two_theta) / 2) / found.wavelengths[0]
    low = g < LOW_ANGLE
    net = np.clip(profile.observed - profile.background, 0, None)[low].sum()
    if not low.any() or net <= 0:
        return ""
    share = float(profile.difference[low].sum() / net)
    if abs(share) < FAR:
        return ""
    return f" (below d = {1 / LOW_ANGLE:.1f} Å the model has {abs(share):.0%} too {'little' if share > 0 else 'much'})"


def _parameters(found: Refinement) -> list[str]:
    """Of parameters that the data do not fix."""
    said, agreement = [], found.agreement
    if agreement.parameters > agreement.reflections:
        said.append(
            f"{agreement.parameters} parameters were refined, of them the background's, with {agreement.reflections} "
            "independent reflections in range: more parameters than reflections"
        )
    if found.at_bounds:
        said.append(f"at the end of what is possible, so not measured: {_listed(found.at_bounds)}")
    if found.correlations:
        pairs = [f"{a} with {b} ({rho:+.2f})" for a, b, rho in found.correlations]
        said.append(f"correlated above 0.95, so one of each is not measured on its own: {_listed(tuple(pairs))}")
    if any(value.error is None for phase in found.phases for value in phase.cell[:3]):
        said.append("a cell length has no uncertainty: the data do not fix it, or it was held")
    return said


def _listed(names: tuple[str, ...]) -> str:
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
