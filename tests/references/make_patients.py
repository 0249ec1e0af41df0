"""Write patients.csv: random patients with an outcome, two risk scores, clinical variables and a time to recurrence."""

from pathlib import Path

import numpy as np
import pandas as pd

generator = np.random.default_rng(2024)
n = 160
z = generator.normal(size=n)
frame = pd.DataFrame(
    {
        "size": (30 + 12 * z + 10 * generator.normal(size=n)).clip(8, 120).round(),
        "afp": (generator.normal(size=n) + 0.6 * z > 0.5).astype(int),
        "ast": (35 * np.exp(0.4 * generator.normal(size=n) + 0.2 * z)).round(1),
        "age": (58 + 10 * generator.normal(size=n)).round(),
        "noise": generator.normal(size=n).round(3),
    }
)
for name, weight in (("first", 0.9), ("second", 0.4)):
    # Rounded, so that there are ties.
    frame[name] = (1 / (1 + np.exp(-(weight * z + 0.8 * generator.normal(size=n))))).round(2).clip(0.01, 0.99)
time = generator.exponential(1 / (0.03 * np.exp(0.9 * z)))
follow_up = generator.uniform(10, 60, n)
frame["time"] = np.minimum(time, follow_up).round(1).clip(0.1)
frame["event"] = (time <= follow_up).astype(int)
frame["y"] = (time <= 24).astype(int)
frame.to_csv(Path(__file__).with_name("patients.csv"), index=False)
