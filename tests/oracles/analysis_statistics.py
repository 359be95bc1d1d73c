"""Reference values for in9-analysis's statistics, from SciPy and statsmodels.

Run from the workspace root:
    python tests/oracles/analysis_statistics.py crates/in9-analysis/tests/fixtures/statistics.json
"""
import json, sys
import numpy as np
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint
import statsmodels.api as sm

out = {}
out["wilson"] = []
for k, n in [(0, 1), (0, 40), (1, 7), (17, 30), (266, 341), (4049, 4050), (4050, 4050)]:
    for level in (0.9, 0.95, 0.99):
        low, high = proportion_confint(k, n, 1 - level, method="wilson")
        out["wilson"].append([k, n, level, low, high])
out["mcnemar"] = []
for b, c in [(0, 1), (3, 3), (5, 14), (40, 71), (120, 80), (1, 300)]:
    table = [[10, b], [c, 10]]
    exact = mcnemar(table, exact=True).pvalue
    chi2 = mcnemar(table, exact=False, correction=True).pvalue
    out["mcnemar"].append([b, c, exact, chi2])
out["normal_quantile"] = [[p, stats.norm.ppf(p)] for p in (1e-6, 0.005, 0.1, 0.5, 0.9, 0.975, 0.9995)]
out["normal_cdf"] = [[z, stats.norm.cdf(z)] for z in (-8.0, -3.0, -0.2, 0.0, 1.0, 2.5, 5.0)]
out["t_quantile"] = [[p, df, stats.t.ppf(p, df)] for p in (0.05, 0.6, 0.975, 0.995) for df in (1, 2, 4, 30, 400)]
out["beta_inc"] = [[a, b, x, special.betainc(a, b, x)] for a in (0.5, 2.0, 40.0) for b in (0.5, 3.0, 150.0) for x in (0.01, 0.2, 0.7, 0.99)]
out["binomial_cdf"] = [[k, n, p, stats.binom.cdf(k, n, p)] for k, n in [(0, 5), (3, 9), (40, 100), (700, 1500)] for p in (0.1, 0.5, 0.9)]

rng = np.random.default_rng(0)
out["regression"] = []
for n in (3, 5, 40):
    x = rng.uniform(60, 85, n)
    y = 0.8 * x - 20 + rng.normal(0, 3, n)
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    (ilow, ihigh), (slow, shigh) = fit.conf_int(0.05)
    at = 75.0
    band = fit.get_prediction([[1.0, at]]).conf_int(alpha=0.05)[0]
    out["regression"].append({"x": x.tolist(), "y": y.tolist(), "slope": [fit.params[1], slow, shigh],
                              "intercept": [fit.params[0], ilow, ihigh], "r2": fit.rsquared,
                              "at": [at, fit.predict([[1.0, at]])[0], band[0], band[1]]})
out["student"] = []
for n in (2, 3, 10):
    v = rng.normal(20, 2, n)
    low, high = stats.t.interval(0.95, n - 1, v.mean(), stats.sem(v))
    out["student"].append({"values": v.tolist(), "interval": [v.mean(), low, high]})

# The percentile bootstrap of a mean, with enough resamples that chance moves a limit by little.
out["bootstrap_mean"] = []
for n in (60, 400):
    v = rng.choice([-1.0, 0.0, 1.0], n, p=[0.1, 0.6, 0.3])
    ci = stats.bootstrap((v,), np.mean, n_resamples=200_000, method="percentile", batch=10_000, random_state=1).confidence_interval
    out["bootstrap_mean"].append({"values": v.tolist(), "low": ci.low, "high": ci.high})
out["quantile"] = [[q, float(np.quantile([1.0, 4.0, 4.5, 10.0, 11.0], q))] for q in (0.0, 0.025, 0.3, 0.5, 0.975, 1.0)]
json.dump(out, open(sys.argv[1], "w"), indent=1)
