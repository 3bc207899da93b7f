"""Time the powder kernel over a whole database on one core: python tests/benchmarks/kernel.py [NAME]."""

import os
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy: one core means one


def main(name: str = "coremof2019-asr") -> None:
    """Print how many patterns (3 to 30° with Cu Kα) are computed per second, from CIF text and from the crystal."""
    from xtal.patterns import q_from_two_theta
    from xtal.physics import powder_lines
    from xtal.physics.powder import CU_K_ALPHA1
    from xtal.sources import open_source

    source = open_source(name)
    records = list(source.records())
    low, high = q_from_two_theta([3.0, 30.0], CU_K_ALPHA1)
    reading = computing = 0.0
    largest = 0
    for record in records:
        begun = time.process_time()
        crystal = source.read(record)
        read = time.process_time()
        powder_lines(crystal, high, low)
        reading, computing = reading + read - begun, computing + time.process_time() - read
        largest = max(largest, len(crystal))
    print(
        f"{name}: {len(records)} crystals of up to {largest} atoms, 3 to 30° Cu Kα, one core: "
        f"{len(records) / (reading + computing):.0f} patterns/s from CIF text "
        f"({1000 * reading / len(records):.2f} ms reading, {1000 * computing / len(records):.2f} ms computing), "
        f"{len(records) / computing:.0f} patterns/s from the crystal"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
