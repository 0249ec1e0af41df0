"""Write awkward.csv and draws.csv: 40 random patients with everything that breaks a formula, and bootstrap resamples.

Ties in scores and in times, probabilities of exactly 0 and 1, a fold whose patients have one outcome, a score that is
known in half of the patients. Numbers are random; there is no patient behind them.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
generator = np.random.default_rng(40)
n = 40
z = generator.normal(size=n)
# In whole months, so that recurrences and censorings are tied; one in four within the horizon is censored early.
time = np.ceil(generator.exponential(26 * np.exp(-0.8 * z))).clip(1, 60).astype(int)
follow_up = np.ceil(generator.uniform(18, 60, n)).astype(int)
frame = pd.DataFrame({"patient_id": [f"p{i:02d}" for i in range(n)]})
frame["y"] = (z + generator.normal(size=n) > 0.1).astype(int)
frame["first"] = np.round(1 / (1 + np.exp(-(2.2 * z + 1.2 * generator.normal(size=n)))), 1)
frame["second"] = np.round(1 / (1 + np.exp(-(0.7 * z + generator.normal(size=n)))), 1)
# Never exactly the probability of another patient, for the smoothed calibration without ties.
frame["smooth"] = np.round(1 / (1 + np.exp(-(1.2 * z + 0.9 * generator.normal(size=n)))), 6)
frame["half"] = np.where(generator.permutation(n) < n // 2, np.round(z + generator.normal(size=n)), np.nan)
frame["fold"] = np.arange(n) % 4 + 1
# The fifth fold: three patients with the outcome and none without.
frame.loc[frame.index[frame["y"] == 1][:3], "fold"] = 5
frame["months"] = np.minimum(time, follow_up)
frame["event"] = (time <= follow_up).astype(int)
frame["size"] = (35 + 12 * z + 8 * generator.normal(size=n)).round(-1)
frame["afp"] = (z + generator.normal(size=n) > 0.4).astype(int)
frame.to_csv(HERE / "awkward.csv", index=False)
# The resamples that `optimism_corrected` draws with seed 3.
draws = np.random.default_rng(3)
pd.DataFrame([draws.integers(0, n, n) for _ in range(25)]).to_csv(HERE / "draws.csv", index=False, header=False)
