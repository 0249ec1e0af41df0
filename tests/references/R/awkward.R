# Reference values of tests/unit/test_awkward_references.py: R beside ours on awkward.csv.
suppressMessages({library(pROC); library(survival); library(rms)})
options(warn = 1)
d <- read.csv("awkward.csv")
values <- list()
add <- function(name, value) values[[length(values) + 1]] <<- data.frame(name = name, value = as.numeric(value))
area <- function(y, score) roc(y, score, levels = c(0, 1), direction = "<", quiet = TRUE)
add_area <- function(name, y, score) {
  ci <- ci.auc(area(y, score), method = "delong")
  add(paste0(name, "_auc"), ci[2]); add(paste0(name, "_low"), ci[1]); add(paste0(name, "_high"), ci[3])
  add(paste0(name, "_variance"), var(area(y, score), method = "delong"))
}

# AUC with ties and with probabilities of 0 and 1; DeLong's paired test; a score known in half of the patients.
for (score in c("first", "second", "smooth")) add_area(score, d$y, d[[score]])
known <- d[!is.na(d$half), ]
add("half_n", nrow(known)); add_area("half", known$y, known$half)
paired <- function(name, data, one, other) {
  test <- roc.test(area(data$y, data[[one]]), area(data$y, data[[other]]), method = "delong", paired = TRUE)
  add(paste0(name, "_z"), test$statistic); add(paste0(name, "_p"), test$p.value)
  add(paste0(name, "_gap_low"), test$conf.int[1]); add(paste0(name, "_gap_high"), test$conf.int[2])
}
paired("first_second", d, "first", "second"); paired("first_half", known, "first", "half")
groups <- roc.test(area(d$y[1:20], d$first[1:20]), area(d$y[21:40], d$first[21:40]), method = "delong", paired = FALSE)
add("unpaired_d", groups$statistic)
# The folds that have both outcomes, and the mean of their AUCs; the fifth has one outcome.
for (f in 1:4) add(paste0("fold", f, "_auc"), auc(area(d$y[d$fold == f], d$first[d$fold == f])))

# Calibration. Probabilities of 0 and 1 have no logit: left out, as val.prob does with a warning. The intercept by a root
# and by glm with an offset, for smooth.
for (score in c("first", "smooth")) {
  told <- d[[score]] > 0 & d[[score]] < 1; l <- qlogis(d[[score]][told]); y <- d$y[told]
  add(paste0(score, "_intercept"), uniroot(function(a) sum(plogis(a + l) - y), c(-30, 30), tol = 1e-13)$root)
  add(paste0(score, "_slope"), coef(glm(y ~ l, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100)))[2])
  add(paste0(score, "_brier"), mean((d[[score]] - d$y)^2))
}
add("smooth_intercept_glm", coef(glm(d$y ~ offset(qlogis(d$smooth)), family = binomial, control = glm.control(epsilon = 1e-14)))[1])
v <- val.prob(d$smooth, d$y, pl = FALSE)
add("val_prob_slope", v["Slope"]); add("val_prob_brier", v["Brier"]); add("val_prob_c", v["C (ROC)"])

# ICI of Austin and Steyerberg 2019: loess of degree 2, span 0.75. R interpolates between vertices unless it is told not to.
exact <- loess(y ~ smooth, data = d, control = loess.control(surface = "direct"))
add("ici_direct", mean(abs(predict(exact, newdata = d) - d$smooth)))
add("ici_interpolated", mean(abs(predict(loess(y ~ smooth, data = d), newdata = d) - d$smooth)))
at <- seq(0.1, 0.9, 0.1)
for (i in seq_along(at)) add(sprintf("loess_%.1f", at[i]), predict(exact, newdata = data.frame(smooth = at[i])))
tied <- loess(y ~ first, data = d, control = loess.control(surface = "direct"))
add("ici_tied", mean(abs(predict(tied, newdata = d) - d$first)))
for (x in sort(unique(d$first))) add(sprintf("loess_tied_%.1f", x), predict(tied, newdata = data.frame(first = x)))
big <- read.csv("../patients.csv")
add("ici_160_direct", mean(abs(predict(loess(y ~ first, data = big, control = loess.control(surface = "direct")), newdata = big) - big$first)))
add("ici_160_interpolated", mean(abs(predict(loess(y ~ first, data = big), newdata = big) - big$first)))

# What rms' calibrate smooths by: predictions with and without ties, and only two different ones.
d$binary <- as.numeric(d$smooth > 0.5)
for (score in c("smooth", "first", "binary")) {
  f <- lrm(as.formula(paste("y ~", score)), data = d, x = TRUE, y = TRUE, tol = 1e-14, eps = 1e-12)
  curve <- calibrate(f, B = 2, predy = at)[, "calibrated.orig"]
  for (i in seq_along(at)) add(sprintf("calibrate_%s_%.1f", score, at[i]), curve[i])
}

# Hosmer-Lemeshow in five groups by quantiles (type 7), tied probabilities together, in patients who did not fit the model.
for (score in c("first", "second", "smooth")) {
  p <- d[[score]]; h <- cut(p, unique(quantile(p, 0:5 / 5)), include.lowest = TRUE)
  o <- tapply(d$y, h, sum); e <- tapply(p, h, sum); m <- tapply(p, h, length)
  chi <- sum((o - e)^2 / (e * (1 - e / m)))
  add(paste0(score, "_hl"), chi); add(paste0(score, "_hl_df"), length(o))
  add(paste0(score, "_hl_p"), pchisq(chi, length(o), lower.tail = FALSE))
}

# Harrell's C with its standard error (infinitesimal jackknife), with tied times; then with times censored at 24 months.
concord <- function(name, time, event, score) {
  found <- concordance(Surv(time, event) ~ score, reverse = TRUE)
  add(paste0(name, "_c"), found$concordance); add(paste0(name, "_c_se"), sqrt(found$var))
}
until <- pmin(d$months, 24); recurred <- ifelse(d$months > 24, 0, d$event)
for (score in c("first", "second")) {
  concord(score, d$months, d$event, d[[score]]); concord(paste0(score, "_24"), until, recurred, d[[score]])
}
concord("half", known$months, known$event, known$half)
high <- d$first >= 0.5
test <- function(name, time, event) {
  found <- survdiff(Surv(time, event) ~ high); add(paste0(name, "_chi"), found$chisq)
  add(paste0(name, "_p"), pchisq(found$chisq, 1, lower.tail = FALSE))
}
test("log_rank", d$months, d$event); test("log_rank_24", until, recurred)
curve <- function(name, members, time, event) {
  fit <- survfit(Surv(time[members], event[members]) ~ 1, conf.type = "log-log")
  q <- quantile(fit, 0.5)
  add(paste0(name, "_median"), q$quantile); add(paste0(name, "_median_low"), q$lower); add(paste0(name, "_median_high"), q$upper)
  for (t in c(12, 18, 24)) {
    at <- summary(fit, times = t, extend = TRUE)
    add(paste0(name, "_", t), at$surv); add(paste0(name, "_", t, "_low"), at$lower); add(paste0(name, "_", t, "_high"), at$upper)
    add(paste0(name, "_risk_", t), at$n.risk)
  }
}
everyone <- rep(TRUE, nrow(d))
curve("km_all", everyone, d$months, d$event); curve("km_high", high, d$months, d$event); curve("km_low", !high, d$months, d$event)
curve("km_low_24", !high, until, recurred)
# A group whose survival is 1 until late: R prints the interval 1 to 1 there, and none where nobody is left.
late <- summary(survfit(Surv(c(20, 21, 22, 23, 24, 30, 31, 32, 33, 34), rep(1, 10)) ~ 1, conf.type = "log-log"), times = c(12, 40), extend = TRUE)
add("certain_surv", late$surv[1]); add("certain_low", late$lower[1]); add("none_left_surv", late$surv[2]); add("none_left_low", late$lower[2])

# Cox regression with tied times: Efron (ours, lifelines) and Breslow.
for (ties in c("efron", "breslow")) {
  s <- summary(coxph(Surv(months, event) ~ size + afp, data = d, ties = ties))$coefficients
  for (x in c("size", "afp")) { add(paste0("cox_", ties, "_", x), s[x, "coef"]); add(paste0("cox_", ties, "_se_", x), s[x, "se(coef)"]) }
}

# Time-dependent AUC by its definition: cases weighted with 1 / G(t-), controls followed beyond the time (Uno 2007).
# Recurrences come before censorings of the same time (shifted by a hair), and, as in scikit-survival, G is read at the
# recurrence's own time, behind the censorings tied with it; auc_t_before has it just before that time, as Uno writes it.
early <- d$months - ifelse(d$event == 1, 1e-6, 0)
censoring <- survfit(Surv(early, 1 - event) ~ 1, data = d)
g <- stepfun(censoring$time, c(1, censoring$surv))
for (t in c(12, 18, 24)) for (before in c(FALSE, TRUE)) {
  case <- which(d$event == 1 & d$months <= t); control <- which(d$months > t)
  w <- 1 / sapply(d$months[case], function(s) g(s - if (before) 1e-7 else 0))
  right <- outer(d$first[case], d$first[control], ">") + 0.5 * outer(d$first[case], d$first[control], "==")
  add(paste0(if (before) "auc_t_before_" else "auc_t_", t), sum(w * right) / (sum(w) * length(control)))
}

# Harrell's optimism, refit in given resamples (draws.csv, from 0): what rms validate does, without its random numbers.
fit <- function(rows) lrm(y ~ size + afp, data = d[rows, ])
measures <- function(p, y) {
  q <- pmin(pmax(p, 1e-6), 1 - 1e-6); l <- qlogis(q); tight <- glm.control(epsilon = 1e-14, maxit = 100)
  # Rounded: tied patients may differ in the last bit of a sum.
  c(auc = auc(area(y, round(p, 10))), brier = mean((p - y)^2), slope = unname(coef(glm(y ~ l, family = binomial, control = tight))[2]),
    intercept = uniroot(function(a) sum(plogis(a + l) - y), c(-30, 30), tol = 1e-13)$root)
}
draws <- as.matrix(read.csv("draws.csv", header = FALSE)) + 1
risk <- function(model, rows) predict(model, newdata = d[rows, ], type = "fitted")
all <- seq_len(nrow(d))
apparent <- measures(risk(fit(all), all), d$y)
# A resample in which the variables separate the outcome has no estimate (coefficients of 139): left out.
separated <- apply(draws, 1, function(rows) { m <- fit(rows); m$fail || max(abs(coef(m))) > 20 })
add("optimism_left_out", sum(separated))
gaps <- t(apply(draws[!separated, ], 1, function(rows) { m <- fit(rows); measures(risk(m, rows), d$y[rows]) - measures(risk(m, all), d$y) }))
for (x in names(apparent)) { add(paste0("apparent_", x), apparent[x]); add(paste0("optimism_", x), mean(gaps[, x])) }
write.csv(do.call(rbind, values), "awkward_values.csv", row.names = FALSE)
